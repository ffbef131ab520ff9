"""Recordings: what is written, what is read back, and the same judgements from a recording as from the live run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from local_dream_conformance.core import settings_sources
from local_dream_conformance.core.budget import Budget
from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.core.exchange import End, Exchange, Read, Request, Transcript
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.recordings import recording
from local_dream_conformance.recordings.recording import BadRecording, Kept, Recording
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.run import plan, replay, suite
from local_dream_conformance.run.plan import Plan
from local_dream_conformance.run.runner import Run
from tests.conformance.tiny_suite import suite as tiny_suite
from tests.matrix.standing import standing

HEAD = Recording(
    suite_version="0.1",
    contract_version="1.0",
    started="2026-01-02T03:04:05+00:00",
    settings=Settings("http://127.0.0.1:8081"),
    scenarios=(Kept("base", "made"), Kept("upscale", "unavailable", "no --upscaler-path")),
)


def exchange(label: str = "base", target: str = "/generate", answer: bytes = b"event: x\n\n") -> Exchange:
    request = Request("POST", target, (("Content-Type", "application/json"),), b'{"prompt": "a red house by a lake"}')
    headers = (("Content-Type", "text/event-stream"),)
    return Exchange(label, request, 1.5, End.COMPLETE, 0.3, 200, headers=headers, reads=(Read(0.1, answer),))


BASE = Transcript("base", (exchange(),))


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    recording.write(tmp_path, HEAD, [BASE])
    assert recording.read(tmp_path) == HEAD
    assert list(recording.transcripts(tmp_path, HEAD)) == [BASE]


def test_all_settings_but_the_tokens_are_read_back(tmp_path: Path) -> None:
    given = {
        "profile": "all",
        "strict": True,
        "size": "512x256",
        "steps": "2",
        "upscaler-path": "/sdcard/model.bin",
        "no-img2img": True,
        "idle-timeout": "1.5",
        "total-timeout": "20",
        "destructive": True,
        "header": ["X-Key: abc"],
        "budget": "generate=3",
        "seed": "7",
        "waivers": "waivers.toml",
        "known": ["local-dream-2.7"],
    }
    settings = settings_sources.resolve("http://user:pass@127.0.0.1:8081/api", given, {}, {}, "")
    recording.write(tmp_path, replace(HEAD, settings=settings), [BASE])
    found = recording.read(tmp_path).settings
    assert found == replace(settings, url="http://127.0.0.1:8081/api", headers=(("X-Key", "***"),))
    assert found.budget == Budget(3, None)
    assert "pass" not in (tmp_path / "recording.json").read_text()
    assert "abc" not in (tmp_path / "recording.json").read_text()


def test_a_person_can_read_what_was_asked_and_what_came(tmp_path: Path) -> None:
    answer = b"data: </script>|\x1b[2J\xe2\x80\xae`*\n\n"
    recording.write(tmp_path, HEAD, [Transcript("base", (exchange(answer=answer),))])
    lines = (tmp_path / "index.md").read_text(encoding="utf-8").splitlines()
    assert lines[0] == r"# Recording of http://127.0.0.1:8081"
    row = next(line for line in lines if line.startswith("| base "))
    assert "[35](base/001-base.request.json)" in row
    assert f"[{len(answer)}](base/001-base.answer.sse.txt)" in row
    assert (tmp_path / "base" / "001-base.answer.sse.txt").read_bytes() == answer
    assert "- upscale (unavailable): no --upscaler-path" in lines
    refusal = replace(
        exchange(answer=b'{"error": "<b>|x|</b>\x1b[2J"}'), status=400, headers=(("Content-Type", "application/json"),)
    )
    recording.write(tmp_path, HEAD, [Transcript("base", (refusal,))])
    page = (tmp_path / "index.md").read_text(encoding="utf-8")
    assert r'{"error": "\<b\>\|x\|\</b\>\\x1b\[2J"}' in page
    assert "\x1b" not in page


@pytest.mark.parametrize("prompts", [False, True])
def test_tokens_are_never_kept_and_prompts_only_if_nobody_minds(tmp_path: Path, prompts: bool) -> None:
    settings = Settings("http://u:s3cret-password@127.0.0.1:8081", headers=(("X-Key", "s3cret-token"),))
    base64ed = "dTpzM2NyZXQtcGFzc3dvcmQ="  # u:s3cret-password
    echo = exchange(answer=f"data: s3cret-token {base64ed} a red house by a lake\n\n".encode())
    head = replace(HEAD, settings=settings, redacted_prompts=prompts)
    recording.write(tmp_path, head, [Transcript("base", (echo,))])
    texts = [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.*") if path.is_file()]
    assert len(texts) == 5
    assert not any("s3cret" in text or base64ed in text for text in texts)
    assert any("a red house" in text for text in texts) is not prompts
    assert recording.read(tmp_path).redacted_prompts is prompts


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"format": 1', '"format": 9', "format 9 is not known here"),
        ('"suite"', '"sweet"', "KeyError: 'suite'"),
        ('"made"', '"mad"', "'mad' is no state of a scenario"),
        ('"base"', '"../base"', "'../base' is no name of a scenario"),
        ('"base"', '".."', "'..' is no name of a scenario"),
        ('"profile": "core"', '"profile": "x"', "give one of core, hardened, all"),
        ("{", "", "recording.json"),
        ("{", "[" * 100_000, "recursion"),
    ],
)
def test_a_damaged_recording_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    recording.write(tmp_path, HEAD, [BASE])
    path = tmp_path / "recording.json"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(BadRecording) as caught:
        recording.read(tmp_path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_folder_without_a_recording_or_a_transcript(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"^--replay: .* is no recording: it has no recording\.json"):
        replay.load(tmp_path)
    recording.write(tmp_path, replace(HEAD, scenarios=(Kept("base", "made"), Kept("more", "made"))), [BASE])
    with pytest.raises(BadRecording, match="has no transcript of its scenario more"):
        list(recording.transcripts(tmp_path, recording.read(tmp_path)))


def test_a_transcript_that_names_another_folder_is_refused(tmp_path: Path) -> None:
    recording.write(tmp_path / "kept", HEAD, [BASE])
    path = tmp_path / "kept" / "base" / "index.json"
    path.write_text(path.read_text().replace('"probe": "base"', '"probe": "../precious"'))
    precious = tmp_path / "precious" / "file"
    precious.parent.mkdir()
    precious.write_text("x")
    (tmp_path / "run").mkdir()
    with pytest.raises(BadRecording, match=r"the transcript is of '\.\./precious', not base"):
        replay.begin(RunFolder(tmp_path / "run"), tmp_path / "kept", HEAD, HEAD.settings)
    assert precious.exists()


def test_a_recording_does_not_write_over_anything(tmp_path: Path) -> None:
    recording.claim(tmp_path / "a" / "new")
    recording.claim(tmp_path / "a" / "new")  # still empty
    (tmp_path / "a" / "file").write_text("x")
    with pytest.raises(BadSetting, match=r"^--record: .* is not empty; give a folder that does not exist yet"):
        recording.claim(tmp_path / "a")
    with pytest.raises(BadSetting, match="is a file"):
        recording.claim(tmp_path / "a" / "file")
    with pytest.raises(BadSetting, match="cannot be made"):
        recording.claim(tmp_path / "a" / "file" / "below")


def test_what_the_recording_settles_cannot_be_given_again() -> None:
    kept = replace(HEAD, settings=replace(HEAD.settings, size=(64, 64), profile="hardened"))
    assert replay.settings(kept, {"profile": "core", "strict": True}) == replace(
        kept.settings, profile="core", strict=True
    )
    with pytest.raises(BadSetting, match=r"^--size: the recording has it already; with --replay only --profile"):
        replay.settings(kept, {"size": "512x512"})


TINY = tiny_suite()
EVERYTHING = [requirement.id for requirement in TINY.contract.requirements if not requirement.unjudged]


def tiny_plan(*scenarios: Kept, partial: bool = False, budget: Budget | None = None) -> Plan:
    settings = Settings("http://127.0.0.1:9", upscaler_path="x", budget=budget or Budget())
    return replay.make_plan(TINY, EVERYTHING, settings, replace(HEAD, scenarios=scenarios, partial=partial))


def test_the_plan_of_a_replay_is_what_was_recorded() -> None:
    made = tiny_plan(
        Kept("base", "made"),
        Kept("health", "failed", "Traceback"),
        Kept("upscale", "unavailable", "no --upscaler-path"),
        Kept("more", "over-budget", "too much"),
        Kept("retired", "made"),
        budget=Budget(0, 0),
    )
    assert [scenario.name for scenario in made.scenarios] == ["health", "base", "retired"]
    assert (made.unavailable, made.over_budget) == ({"upscale": "no --upscaler-path"}, {"more": "too much"})
    assert made.not_recorded == {}
    assert made.cost.generations == 1


def test_what_was_not_recorded_is_untested() -> None:
    made = tiny_plan(Kept("base", "planned"), Kept("health", "made"))
    assert made.not_recorded == {
        "base": "the recorded run ended before the scenario base",
        "upscale": "the recording has no scenario upscale",
        "more": "the recording has no scenario more",
    }


def tiny_verdicts(folder: Path, head: Recording, *transcripts: Transcript) -> dict[str, Judgement]:
    recording.write(folder / "kept", head, transcripts)
    (folder / "run").mkdir()
    kept = recording.read(folder / "kept")
    chosen = replay.settings(kept, {"profile": "all"})
    replay.begin(RunFolder(folder / "run"), folder / "kept", kept, chosen)
    judging = Run(TINY, chosen, replay.make_plan(TINY, EVERYTHING, chosen, kept), RunFolder(folder / "run"))
    return {id: judging.judge(id) for id in EVERYTHING}


def test_reasons_of_the_recorded_run_are_those_of_the_replay(tmp_path: Path) -> None:
    words = (Read(0.1, b"good blue neat words"),)
    base = Transcript("base", (replace(exchange(), reads=words),))
    scenarios = (
        Kept("base", "made"),
        Kept("health", "failed", "the scenario health raised\nZeroDivisionError"),
        Kept("upscale", "unavailable", "no --upscaler-path"),
        Kept("more", "over-budget", "the scenario more (2 generations) is over budget"),
    )
    found = tiny_verdicts(tmp_path, replace(HEAD, scenarios=scenarios), base)
    assert {id: (one.verdict, one.reason) for id, one in found.items() if one.verdict is not Verdict.PASS} == {
        "TINY-GEN-05": (Verdict.NOT_APPLICABLE, "optional, and the target does not do it: expected the word song"),
        "TINY-GEN-07": (Verdict.UNTESTED, "the scenario more (2 generations) is over budget"),
        "TINY-UPS-01": (Verdict.NOT_APPLICABLE, "no --upscaler-path"),
        "TINY-UPS-02": (Verdict.NOT_APPLICABLE, "no --upscaler-path"),
        "TINY-HLT-01": (Verdict.ERROR, "the scenario health raised\nZeroDivisionError"),
    }


@pytest.mark.parametrize(("partial", "verdict"), [(True, Verdict.PASS), (False, Verdict.UNTESTED)])
def test_a_partial_recording_is_judged_on_what_there_is(tmp_path: Path, partial: bool, verdict: Verdict) -> None:
    more = Transcript("more", (replace(exchange("more/one"), reads=(Read(0.1, b"good"),)),))
    checks = {**TINY.checks, "TINY-GEN-07": [replace(TINY.checks["TINY-GEN-07"][0], needs=("base", "more"))]}
    wide = replace(TINY, checks=checks)
    head = replace(
        HEAD, scenarios=(Kept("more", "made"),), partial=partial, settings=replace(HEAD.settings, profile="all")
    )
    recording.write(tmp_path / "kept", head, [more])
    (tmp_path / "run").mkdir()
    shared = RunFolder(tmp_path / "run")
    replay.begin(shared, tmp_path / "kept", head, head.settings)
    judging = Run(
        wide, head.settings, replay.make_plan(wide, EVERYTHING, head.settings, head), RunFolder(tmp_path / "run")
    )
    assert judging.judge("TINY-GEN-07").verdict is verdict
    assert judging.judge("TINY-GEN-01").verdict is Verdict.UNTESTED


@pytest.fixture(scope="module")
def live() -> Iterator[tuple[Settings, Mapping[str, Judgement], Path]]:
    """The shipped suite on the honest server: settings, judgements, the folder of the run."""
    with standing(None) as (url, _), tempfile.TemporaryDirectory() as folder:
        given = {"upscaler-path": "default", "budget": "generate=7", "profile": "hardened"}
        settings = settings_sources.resolve(url, given, {}, {}, "")
        shipped = suite.load()
        shared = RunFolder(Path(folder))
        shared.begin(url)
        judging = Run(shipped, settings, plan.make(shipped, _ids(settings), settings), shared)
        yield settings, {id: judging.judge(id) for id in _ids(settings)}, Path(folder)


def _ids(settings: Settings) -> list[str]:
    return [requirement.id for group in suite.load().groups(settings.profile).values() for requirement in group]


@pytest.mark.parametrize("prompts", [False, True])
def test_a_replay_says_what_the_live_run_said(
    live: tuple[Settings, Mapping[str, Judgement], Path], prompts: bool, tmp_path: Path
) -> None:
    settings, judgements, folder = live
    planned = plan.make(suite.load(), _ids(settings), settings)
    scenarios = [Kept(scenario.name, "made") for scenario in planned.scenarios]
    scenarios += [Kept(name, "over-budget", reason) for name, reason in planned.over_budget.items()]
    head = replace(HEAD, settings=settings, scenarios=tuple(scenarios), redacted_prompts=prompts)
    recording.write(tmp_path / "kept", head, RunFolder(folder).transcripts())
    kept = recording.read(tmp_path / "kept")
    chosen = replay.settings(kept, {})
    (tmp_path / "run").mkdir()
    shared = RunFolder(tmp_path / "run")
    replay.begin(shared, tmp_path / "kept", kept, chosen)
    again = Run(
        suite.load(), chosen, replay.make_plan(suite.load(), _ids(chosen), chosen, kept), RunFolder(tmp_path / "run")
    )
    assert {id: again.judge(id) for id in _ids(chosen)} == judgements
    assert {Verdict.PASS, Verdict.UNTESTED} <= {judgement.verdict for judgement in judgements.values()}
    texts = [exchange.request.body for made in RunFolder(tmp_path / "run").transcripts() for exchange in made.exchanges]
    assert any(json.dumps("prompt 1").strip('"').encode() in text for text in texts) is prompts
