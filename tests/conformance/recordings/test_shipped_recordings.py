"""The recorded releases, judged: what each breaks is found and nothing else, and what is known of them agrees."""

from __future__ import annotations

import base64
import functools
import json
import tomllib
from pathlib import Path

import pytest

from local_dream_conformance.core import extension, fields
from local_dream_conformance.core.contract import Level
from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.core.exchange import End
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.recordings import recording
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.result import extension_line, known
from local_dream_conformance.result.requirement_result import RequirementResult
from local_dream_conformance.run import replay, suite
from local_dream_conformance.run.runner import Run
from tests.recordings.__main__ import convert

FOLDER = Path(__file__).resolve().parents[2] / "recordings"
RELEASES = ("local-dream-2.4.3", "local-dream-2.7")
EXPECTED = tomllib.loads((FOLDER / "expected.toml").read_text(encoding="utf-8"))


@functools.cache
def judged(name: str, folder: Path) -> dict[str, Judgement]:
    """What the suite says of a recorded release: a judgement for each requirement."""
    kept = replay.load(FOLDER / name)
    shipped = suite.load()
    ids = [r.id for r in shipped.contract.in_profile("all") if not r.unjudged and r.id not in kept.untested]
    chosen = replay.settings(kept, {})
    shared = RunFolder(folder)
    replay.begin(shared, FOLDER / name, kept, chosen)
    run = Run(shipped, chosen, replay.make_plan(shipped, ids, chosen, kept), shared)
    return {id: run.judge(id) for id in ids}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: tmp_path_factory.mktemp(name) for name in RELEASES}


@pytest.mark.parametrize("name", RELEASES)
def test_each_broken_requirement_is_found_and_nothing_else(name: str, folders: dict[str, Path]) -> None:
    judgements = judged(name, folders[name])
    found = {
        str(verdict): {id for id, judgement in judgements.items() if judgement.verdict is verdict}
        for verdict in (Verdict.FAIL, Verdict.WARN, Verdict.ERROR, Verdict.BLOCKED)
    }
    expected = {verdict: set(EXPECTED[name][verdict]) for verdict in ("fail", "warn")}
    assert found == {**expected, "error": set(), "blocked": set()}


@pytest.mark.parametrize("name", RELEASES)
def test_what_is_recorded_suffices_for_much_of_the_contract(name: str, folders: dict[str, Path]) -> None:
    passed = {id for id, judgement in judged(name, folders[name]).items() if judgement.verdict is Verdict.PASS}
    assert {"HLT-01", "GEN-SSE-01", "GEN-SSE-07", "GEN-EVT-05", "GEN-EVT-19", "UPS-ANS-03", "ERR-02"} <= passed
    assert len(passed) >= 60


@pytest.mark.parametrize("name", RELEASES)
def test_the_extensions_that_each_recording_shows(name: str, folders: dict[str, Path]) -> None:
    by_id = suite.load().contract.by_id
    judgements = judged(name, folders[name]).items()
    lines = extension_line.lines([RequirementResult.of(by_id[id], judgement) for id, judgement in judgements], ())
    states = {line.name: line.state for line in lines if line.state != "unknown"}
    assert states == EXPECTED[name]["extensions"]
    assert {line.name for line in lines} == set(extension.NAMES)
    assert all(line.evidence for line in lines)


def test_there_is_a_file_of_known_deviations_for_each_release() -> None:
    assert known.names() == [*RELEASES, "local-dream-2.8.1"]


@pytest.mark.parametrize("name", RELEASES)
def test_known_deviations_agree_with_the_recordings(name: str) -> None:
    broken = EXPECTED[name]["fail"].keys() | EXPECTED[name]["warn"].keys()
    assert broken <= known.load(name).keys()
    recorded = {entry["id"] for entry in known.deviations(name) if entry["evidence"] == "recording"}
    assert recorded <= broken


@pytest.mark.parametrize("name", known.names())
def test_each_deviation_has_a_reason_and_evidence_once_for_each_mode(name: str) -> None:
    seen: set[tuple[str, str]] = set()
    for entry in known.deviations(name):
        assert entry["reason"]
        assert "{" not in entry["reason"]
        assert entry["evidence"] in ("recording", "answers", "run", "source")
        assert entry.keys() <= {"id", "fields", "but", "reason", "evidence", "link", "modes", "destructive", "kills"}
        seen |= {(entry["id"], mode) for mode in known.modes_of(entry)}
    assert {id for id, _ in seen} == known.load(name).keys()
    assert {(id, mode) for mode in known.MODES for id in known.load(f"{name}/{mode}")} == seen


def test_a_deviation_of_fields_is_one_of_each_field() -> None:
    types = {field.ids["type"] for name, field in fields.documented().items() if name != "mask"}
    assert types <= known.load("local-dream-2.7").keys()
    assert known.load("local-dream-2.7")["GEN-TYP-03"].reason.startswith("a wrong type of steps ")
    assert known.load("local-dream-2.8.1/upscaler").keys() < known.load("local-dream-2.8.1").keys()


@pytest.mark.parametrize(
    ("name", "words"), [("local-dream-1.0", "give one of"), ("local-dream-2.7/gpu", "no mode 'gpu'")]
)
def test_what_is_not_known_is_said_with_what_is(name: str, words: str) -> None:
    with pytest.raises(BadSetting, match=words):
        known.load(name)


@pytest.mark.parametrize("name", known.names())
def test_known_deviations_are_of_requirements_that_can_fail(name: str) -> None:
    by_id = suite.load().contract.by_id
    for id in known.load(name):
        assert by_id[id].level is not Level.MAY
        assert not by_id[id].unjudged


def raw(request: bytes, *reads: tuple[float, bytes]) -> str:
    coded = [[at, base64.b64encode(data).decode()] for at, data in reads]
    return json.dumps({"request": base64.b64encode(request).decode(), "response_reads": coded, "ended": "eof"})


def test_raw_cases_become_a_recording(tmp_path: Path) -> None:
    cases = tmp_path / "raw"
    cases.mkdir()
    chunks = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nevent\r\n", b"3\r\n: x\r\n0\r\n\r\n")
    body = b'{"prompt": "a"}'
    post = b"POST /generate HTTP/1.1\r\nHost: 127.0.0.1:8081\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    (cases / "txt2img-previews-stride-1.json").write_text(raw(post, (100, chunks[0]), (250, chunks[1])))
    absent = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    (cases / "options.json").write_text(raw(b"OPTIONS /generate HTTP/1.1\r\nHost: 127.0.0.1:8081\r\n\r\n", (1, absent)))
    convert(cases, tmp_path / "made")
    kept = recording.read(tmp_path / "made")
    assert (kept.partial, kept.settings.url) == (True, "http://127.0.0.1:8081")
    made = {transcript.scenario: transcript for transcript in recording.transcripts(tmp_path / "made", kept)}
    base = made["base"]
    assert made["health"]["health/wrong-method-generate"].status == 404
    assert made["cors"]["cors/preflight-generate"].status == 404
    assert (base["base"].request.body, base["base"].body, base["base"].end) == (body, b"event: x", End.COMPLETE)
    assert [(read.at, read.data) for read in base["base"].reads] == [(0.1, b"event"), (0.25, b": x")]


def test_a_raw_case_without_a_label_is_refused(tmp_path: Path) -> None:
    (tmp_path / "strange.json").write_text(raw(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", (1, b"HTTP/1.1 200 OK\r\n\r\n")))
    with pytest.raises(LookupError, match=r"strange\.json has no label"):
        convert(tmp_path, tmp_path / "made")
