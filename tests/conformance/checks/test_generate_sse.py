from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from local_dream_conformance.checks import generate_sse
from local_dream_conformance.core.exchange import End, Exchange
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.evidence.selectors import outcome
from local_dream_conformance.http import coding
from local_dream_conformance.run import suite
from tests.conformance.transcripts import (
    JSON_HEADERS,
    STREAM_HEADERS,
    answer,
    complete,
    error,
    frame,
    judge,
    picture,
    progress,
    refusal,
    request,
    stream,
    words,
)

suite.load()
IDS = [f"GEN-SSE-{number:02}" for number in range(1, 13)]
LAST = complete(picture(16, 8))
HONEST = [progress(1, 2), progress(2, 2), LAST]


def wire(*pieces: Any, **options: Any) -> Exchange:
    """A stream `base` of these events (mappings) and bytes."""
    return stream("base", pieces, **options)


@pytest.mark.parametrize("id", IDS)
def test_an_honest_stream_passes(id: str) -> None:
    assert judge(id, wire(*HONEST)).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "events",
    [
        [b": hello\n\n", *HONEST],
        [progress(1, 1), b": between\n", LAST],
        [*HONEST, b"data: [DONE]\n\n"],
        [b"id: 1\n" + frame(progress(1, 1)), b"retry: 5\n\n", frame(LAST), b"\n\n"],
        [progress(1, 1), {**LAST, "note": "a\rb\x85c\u2028d"}],
        [{"extra": [1], **progress(1, 1)}, LAST],
        [{"extra": [1] * 30_000, **progress(1, 1)}, LAST],
    ],
    ids=[
        "comment",
        "comment in an event",
        "[DONE]",
        "id and retry",
        "odd characters escaped",
        "extra keys",
        "many values",
    ],
)
def test_odd_but_legal_streams_pass(events: Sequence[Any]) -> None:
    exchange = wire(*events)
    assert [judge(id, exchange).verdict for id in IDS] == [Verdict.PASS] * len(IDS)


CASES = {
    "no stream": ("GEN-SSE-01", answer("base", 200, b"{}", headers=JSON_HEADERS, to=request()), "application/json"),
    "refused": ("GEN-SSE-01", refusal("base", 503, "busy", "no model", to=request()), "a model loaded"),
    "no answer": ("GEN-SSE-01", answer("base", None, end=End.RESET, to=request()), "no answer (reset)"),
    "other media type": ("GEN-SSE-01", wire(*HONEST, headers=(("Content-Type", "text/plain"),)), "text/plain"),
    "two types": ("GEN-SSE-02", wire(*HONEST, headers=STREAM_HEADERS + STREAM_HEADERS[:1]), "2 times"),
    "cached": ("GEN-SSE-03", wire(*HONEST, headers=STREAM_HEADERS[:1]), "no Cache-Control"),
    "cached longer": (
        "GEN-SSE-03",
        wire(*HONEST, headers=(*STREAM_HEADERS[:1], ("Cache-Control", "max-age=60"))),
        "max-age=60",
    ),
    "bom": ("GEN-SSE-04", wire(b"\xef\xbb\xbf", *HONEST), "byte order mark"),
    "latin-1": ("GEN-SSE-04", wire(b'event: progress\ndata: {"type": "progress", "x": "\xe9"}\n\n', LAST), "event 1"),
    "crlf": ("GEN-SSE-05", wire(*(frame(event).replace(b"\n", b"\r\n") for event in HONEST)), "9 times"),
    "cr": ("GEN-SSE-05", wire(*(frame(event).replace(b"\n", b"\r") for event in HONEST)), "ends with CR"),
    "data only": ("GEN-SSE-06", wire(b'data: {"type": "progress"}\n\n', LAST), "without an event: line"),
    "event line last": ("GEN-SSE-06", wire(b"data: {}\nevent: progress\n\n", LAST), "after the data"),
    "event line twice": ("GEN-SSE-06", wire(b"event: progress\n" + frame(progress(1, 1)), LAST), "second event"),
    "[DONE] too early": ("GEN-SSE-06", wire(b"data: [DONE]\n\n", *HONEST), "without an event: line"),
    "no space": ("GEN-SSE-07", wire(b'event: progress\ndata:{"type": "progress"}\n\n', LAST), "no space"),
    "two data lines": (
        "GEN-SSE-07",
        wire(b'event: progress\ndata: {"type":\ndata: "progress"}\n\n', LAST),
        "second data: line",
    ),
    "no data": ("GEN-SSE-07", wire(b"event: progress\n\n", LAST), "without data"),
    "nan": ("GEN-SSE-08", wire(b'event: progress\ndata: {"step": NaN}\n\n', LAST), "NaN is not JSON"),
    "python": ("GEN-SSE-08", wire(b"event: progress\ndata: {'step': 1}\n\n", LAST), "event 1 (byte 0"),
    "array": ("GEN-SSE-08", wire(b"event: progress\ndata: [1]\n\n", LAST), "JSON object"),
    "empty": ("GEN-SSE-08", wire(b"event: progress\ndata: \n\n", LAST), "JSON"),
    "other type": ("GEN-SSE-09", wire(b'event: progress\ndata: {"type": "step"}\n\n', LAST), "'step'"),
    "no type": ("GEN-SSE-09", wire(b"event: progress\ndata: {}\n\n", LAST), "no type"),
    "last event open": ("GEN-SSE-10", wire(progress(1, 1), frame(LAST)[:-1]), "'complete' that nothing ends"),
    "last line open": ("GEN-SSE-10", wire(progress(1, 1), frame(LAST)[:-2]), "to the end of the stream"),
    "other name": ("GEN-SSE-12", wire(b"event: ping\ndata: {}\n\n", *HONEST), "'ping'"),
}


@pytest.mark.parametrize(("id", "exchange", "said"), CASES.values(), ids=CASES)
def test_a_broken_stream_fails_at_its_own_requirement(id: str, exchange: Exchange, said: str) -> None:
    judgements = {other: judge(other, exchange) for other in IDS}
    broken = [other for other, judgement in judgements.items() if judgement.verdict in (Verdict.FAIL, Verdict.WARN)]
    assert broken == [id], judgements
    assert said in words(judgements[id])
    assert judgements[id].findings[0].exchange == "base"


def test_a_reader_that_breaks_lines_elsewhere_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No bytes are known that httpx-sse misreads and that break no other requirement, so another reader stands in."""

    def splits_lines_as_python_does(body: bytes, content_type: str) -> list[tuple[str, str]]:
        return [("progress", line) for line in body.decode().splitlines() if line.startswith("data")]

    exchange = wire(*HONEST[:-1], {**LAST, "image": "x"})
    monkeypatch.setattr(generate_sse, "as_read_by_clients", splits_lines_as_python_does)
    assert "read by httpx-sse" in words(judge("GEN-SSE-11", exchange))

    def refuses(body: bytes, content_type: str) -> list[tuple[str, str]]:
        raise ValueError("not a stream")

    monkeypatch.setattr(generate_sse, "as_read_by_clients", refuses)
    assert "not a stream" in words(judge("GEN-SSE-11", exchange))


def test_a_charset_that_is_not_utf8_is_noticed() -> None:
    odd = {**LAST, "note": "x"}
    piece = frame(odd).replace(b'"x"', '"그림"'.encode())
    for charset, verdict in (("utf-8", Verdict.PASS), ("iso-8859-1", Verdict.FAIL), ("utf-16", Verdict.FAIL)):
        headers = (("Content-Type", f"text/event-stream; charset={charset}"),)
        exchange = replace(wire(*HONEST[:-1], piece), headers=headers)
        assert judge("GEN-SSE-11", exchange).verdict is verdict


def test_an_event_of_the_api_under_another_name_is_noticed() -> None:
    assert "'error'" in words(judge("GEN-SSE-09", wire(b'event: oops\ndata: {"type": "error"}\n\n', LAST)))


def test_framing_is_judged_in_every_stream() -> None:
    good, bad = wire(*HONEST), replace(wire(*HONEST[:-1], frame(LAST).replace(b"\n", b"\r\n")), label="overlap/first")
    judgement = judge("GEN-SSE-05", good, bad)
    assert judgement.verdict is Verdict.FAIL
    assert judgement.findings[0].exchange == "overlap/first"


def test_a_refused_prompt_is_a_stream_too() -> None:
    refused = stream("refuse/prompt-empty", [b'event: error\ndata:{"type": "error", "message": "no"}\n\n'])
    assert "refuse/prompt-empty" in words(judge("GEN-SSE-07", wire(*HONEST), refused))
    honest = stream("refuse/prompt-empty", [error()])
    assert judge("GEN-SSE-07", wire(*HONEST), honest).verdict is Verdict.PASS


@pytest.mark.parametrize("end", [End.HUNG_UP, End.RESET, End.IDLE_TIMEOUT])
def test_a_torn_last_event_is_no_fault_of_the_framing(end: End) -> None:
    torn = stream("hang-up/abandoned", [progress(1, 8), b"event: progress\ndata: {\xe4\xbd"], end=end)
    for id in ("GEN-SSE-04", "GEN-SSE-07", "GEN-SSE-10"):
        assert judge(id, wire(*HONEST), torn).verdict is Verdict.PASS


def test_a_server_that_cuts_every_stream_is_judged_by_what_is_missing() -> None:
    cut = wire(progress(1, 2), frame(LAST)[:40], end=End.RESET)
    assert judge("GEN-SSE-10", cut).verdict is Verdict.PASS
    assert judge("GEN-EVT-12", cut).verdict is Verdict.FAIL


def test_what_the_suite_does_not_read_is_not_called_bad_json() -> None:
    large = stream("overlap/first", [progress(1, 1) | {str(number): 0 for number in range(21_000)}, LAST])
    judgement = judge("GEN-SSE-08", wire(*HONEST), large)
    assert judgement.verdict is Verdict.UNTESTED
    assert judgement.reason.startswith("overlap/first, event 1 (byte 0, ")
    assert judgement.reason.endswith("more than 20000 values, which the suite does not read")
    broken = judge("GEN-SSE-08", wire(b"event: progress\ndata: {'a': 1}\n\n", LAST), large)
    assert broken.verdict is Verdict.FAIL
    assert [finding.exchange for finding in broken.findings] == ["base"]


def test_a_stream_without_an_event_proves_nothing_of_events() -> None:
    silent = wire(b": working\n\n")
    assert [judge(id, silent).verdict for id in ("GEN-SSE-08", "GEN-SSE-12")] == [Verdict.UNTESTED] * 2


def test_a_coding_that_nobody_asked_for_is_a_failure() -> None:
    coded = wire(*HONEST, headers=(*STREAM_HEADERS, ("Content-Encoding", "gzip")))
    assert "gzip" in words(judge("GEN-SSE-01", coded))
    assert judge("GEN-SSE-01", coded).verdict is Verdict.FAIL


def test_a_server_without_generate_is_not_judged() -> None:
    missing = answer("base", 404, to=request())
    also = answer("refuse/prompt-missing", 404, to=request({}))
    judgements = [judge(id, missing, also) for id in IDS]
    assert {judgement.verdict for judgement in judgements} == {Verdict.NOT_APPLICABLE}
    assert "no /generate" in judgements[0].reason


def test_a_server_that_knows_generate_must_not_answer_404() -> None:
    judgement = judge("GEN-SSE-01", answer("base", 404, to=request()), refusal("refuse/prompt-missing"))
    assert judgement.verdict is Verdict.FAIL


def test_nothing_else_is_judged_where_nothing_streams() -> None:
    exchange = refusal("base", 500, to=request())
    verdicts = {id: judge(id, exchange).verdict for id in IDS}
    assert verdicts.pop("GEN-SSE-01") is Verdict.FAIL
    assert set(verdicts.values()) == {Verdict.BLOCKED}


def test_a_body_that_is_not_in_the_coding_it_names_is_told_in_words() -> None:
    said = "the body is not gzip, as Content-Encoding says"
    broken = replace(stream("base", []), end=End.MALFORMED, detail=said, notes=((coding.NOTE, "gzip"),))
    judgement = judge("GEN-SSE-01", broken)
    assert judgement.verdict is Verdict.FAIL
    assert said in words(judgement)
    assert said in outcome(broken)
