"""Recording, replay and waivers as people use them: pytest in a process of its own, a real server on a real port."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.judging import Evaluator
from tests.conformance.results import result_of
from tests.conformance.tiny_server import TinyServer

pytest_plugins = ["pytester"]

TOKEN = "s3cret-token"
WAIVER = """
[[waiver]]
id = "{id}"
reason = "the ink is ordered"
owner = "ink team"
expires = {expires}
"""


def judgements(result: dict[str, Any]) -> dict[str, tuple[str, str, list[dict[str, str]]]]:
    """All that was said of each requirement. A token that the server repeats shows shorter than it is kept."""
    text = re.sub(r"\*{3,}", "***", json.dumps(result["requirements"]))
    return {entry["id"]: (entry["verdict"], entry["reason"], entry["findings"]) for entry in json.loads(text)}


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_recording_is_judged_again_without_the_server(
    judge: Evaluator, server: TinyServer, tmp_path: Path, workers: tuple[str, ...]
) -> None:
    server.words = f"good neat {TOKEN}".encode()
    live, again = tmp_path / "live.json", tmp_path / "again.json"
    kept = tmp_path / "kept"
    options = ("--profile", "hardened", "--header", f"Authorization: Bearer {TOKEN}", f"--json-report={live}")
    first = judge(server, *workers, *options, "--budget", "generate=1", "--record", str(kept))
    assert first.ret == 1
    first.stdout.fnmatch_lines([f"recorded in {kept}; judge it again with --replay {kept}"])
    asked = list(server.asked)
    second = judge(None, *workers, "--replay", str(kept), f"--json-report={again}")
    assert second.ret == 1
    assert server.asked == asked
    second.stdout.fnmatch_lines(
        [
            "local-dream: target http://127.0.0.1:*, recorded 20*, profile hardened, contract 0.1",
            "plan: 8 requirements, 2 scenarios, all recorded: nothing is asked of the target",
            "the recorded run cost 1 generation, 2 requests; judging it again took *",
            "NOT CONFORMANT: *: broken: 1 MUST, judged from a recording",
        ]
    )
    before, after = result_of(live), result_of(again)
    assert judgements(after) == judgements(before)
    assert (after["settings"], after["spent"]) == (before["settings"], before["spent"])
    states = {scenario["name"]: (scenario["state"], scenario["reason"]) for scenario in before["plan"]["probes"]}
    assert states == {scenario["name"]: (scenario["state"], scenario["reason"]) for scenario in after["plan"]["probes"]}
    assert states["more"][0] == "over-budget"
    assert (before["replayed"], after["replayed"]["started"]) == (None, before["started"])
    kept_texts = [path.read_text(encoding="utf-8") for path in kept.rglob("*") if path.is_file()]
    assert not any(TOKEN in text for text in kept_texts)
    assert any("a cat" in text for text in kept_texts)


def test_prompts_are_left_out_on_request(judge: Evaluator, server: TinyServer, tmp_path: Path) -> None:
    judge(server, "--record", str(tmp_path / "kept"), "--redact-prompts")
    kept = (tmp_path / "kept" / "base" / "001-base.request.bin").read_text()
    assert '"prompt": "00001"' in kept
    assert judge(None, "--replay", str(tmp_path / "kept")).ret == 0


def test_a_replay_can_be_of_another_profile_and_selection(judge: Evaluator, server: TinyServer, tmp_path: Path) -> None:
    judge(server, "--record", str(tmp_path / "kept"))
    result = judge(
        None, "--replay", str(tmp_path / "kept"), "--profile", "hardened", "-k", "TINY-GEN-07 or TINY-HLT-01"
    )
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "untested (the recording has no scenario more): TINY-GEN-07",
            "CONFORMANT IN PART: *: 1 requirement holds, judged on 2 requirements only, judged from a recording",
        ]
    )


def test_a_replay_takes_nothing_from_the_environment(
    judge: Evaluator, server: TinyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge(server, "--record", str(tmp_path / "kept"))
    monkeypatch.setenv("LOCAL_DREAM_PROFILE", "hardened")
    judge(None, "--replay", str(tmp_path / "kept"), f"--json-report={tmp_path / 'again.json'}")
    assert result_of(tmp_path / "again.json")["settings"]["profile"] == "core"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--replay", "absent"), "ERROR: --replay: 'absent' is no recording: it has no recording.json; *"),
        (("--replay", "kept", "--size", "64x64"), "ERROR: --size: the recording has it already; *"),
        (("--replay", "kept", "--record", "new"), "ERROR: --record: a replay makes no calls that could be recorded*"),
        (("--replay", "kept", "--target", "mock"), "ERROR: --replay judges a recording and asks no server: leave *"),
        (("--replay", "torn"), "ERROR: --replay: *torn/base/index.json: *"),
        (("--target", "http://127.0.0.1:9", "--record", "kept"), "ERROR: --record: 'kept' is not empty; *"),
        (("--target", "http://127.0.0.1:9", "--redact-prompts"), "ERROR: --redact-prompts: nothing is kept without *"),
        (("--target", "http://127.0.0.1:9", "--known", "x"), "ERROR: --known: 'x': give one of local-dream-2.4.3, *"),
        (("--target", "http://127.0.0.1:9", "--waivers", "no"), "ERROR: no cannot be read: No such file or directory"),
        (("--target", "http://127.0.0.1:9", "--waivers", "bad"), "ERROR: bad: the contract has no requirement X-99; *"),
        (("--target", "http://127.0.0.1:9", "--write-waivers", "bad"), "ERROR: --write-waivers: 'bad' exists, and *"),
    ],
)
def test_wrong_options_are_one_line_and_exit_4(
    judge: Evaluator, server: TinyServer, pytester: pytest.Pytester, arguments: tuple[str, ...], line: str
) -> None:
    for folder in ("kept", "torn"):
        judge(server, "--record", folder)
    (pytester.path / "torn" / "base" / "index.json").write_text("{")
    (pytester.path / "bad").write_text(WAIVER.format(id="X-99", expires="2026-12-31"))
    result = judge(None, *arguments)
    assert result.ret == 4
    assert [shown for shown in result.errlines if shown.strip()] == [result.errlines[0]]
    result.stderr.fnmatch_lines([line])


def waivers(folder: Path, *ids: str, expires: str = "2999-12-31") -> tuple[str, str]:
    path = folder / "waivers.toml"
    path.write_text("".join(WAIVER.format(id=id, expires=expires) for id in ids))
    return "--waivers", str(path)


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_what_is_waived_does_not_fail_and_shows_in_the_headline(
    judge: Evaluator, server: TinyServer, tmp_path: Path, workers: tuple[str, ...]
) -> None:
    server.words = b"good"
    options = (*waivers(tmp_path, "TINY-GEN-02", "TINY-GEN-03", "TINY-GEN-07"), f"--json-report={tmp_path / 'r.json'}")
    result = judge(server, *workers, *options, "--strict")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "waived (until 2999-12-31, ink team: the ink is ordered): TINY-GEN-02, TINY-GEN-03",
            "CONFORMANT WITH WAIVERS: *: 3 requirements hold, 2 waived",
            "* 3 passed, 2 waived, *",
        ]
    )
    found = result_of(tmp_path / "r.json")
    assert found["counts"]["waived"] == 2
    assert {entry["id"]: (entry["owner"], entry["expires"]) for entry in found["waivers"]} == dict.fromkeys(
        ("TINY-GEN-02", "TINY-GEN-03"), ("ink team", "2999-12-31")
    )


@pytest.mark.parametrize(
    ("words", "expires", "reason"),
    [
        (b"good blue neat", "2999-12-31", "waivers.toml waives it: remove that waiver"),
        (
            b"good neat",
            "2020-01-31",
            "waivers.toml expired on 2020-01-31 (ink team): the ink is ordered",
        ),
    ],
)
def test_a_stale_waiver_fails(
    judge: Evaluator, server: TinyServer, tmp_path: Path, words: bytes, expires: str, reason: str
) -> None:
    server.words = words
    result = judge(server, *waivers(tmp_path, "TINY-GEN-02", expires=expires))
    assert result.ret == 1
    assert reason in " ".join(result.stdout.str().split())
    result.stdout.fnmatch_lines(["NOT CONFORMANT: *: broken: 1 stale waiver", "* 1 failed, *"])


def test_waivers_beside_the_configuration_file(
    judge: Evaluator, server: TinyServer, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.words = b"good neat"
    waivers(pytester.path, "TINY-GEN-02")
    pytester.makepyprojecttoml('[tool.local-dream]\nwaivers = "waivers.toml"\n')
    monkeypatch.chdir(pytester.mkdir("below"))
    result = judge(server, "--rootdir", str(pytester.path))
    assert result.ret == 0
    result.stdout.fnmatch_lines(["CONFORMANT WITH WAIVERS: *, 1 waived*"])


def test_waivers_are_drafted_for_what_fails(judge: Evaluator, server: TinyServer, tmp_path: Path) -> None:
    server.words = b"good"
    draft = tmp_path / "draft.toml"
    result = judge(server, "--write-waivers", str(draft))
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"drafted 1 waiver in {draft}"])
    assert [entry["id"] for entry in tomllib.loads(draft.read_text())["waiver"]] == ["TINY-GEN-02"]
    strict = tmp_path / "strict.toml"
    judge(server, "--strict", "--write-waivers", str(strict))
    assert [entry["id"] for entry in tomllib.loads(strict.read_text())["waiver"]] == ["TINY-GEN-02", "TINY-GEN-03"]
