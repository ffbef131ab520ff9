from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from local_dream_conformance.core.exchange import End, Exchange
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.run import suite
from tests.conformance.in_memory_server import PLAIN, InMemoryServer, run
from tests.conformance.transcripts import (
    FIELDS,
    JSON_HEADERS,
    answer,
    complete,
    error,
    frame,
    generation,
    judge,
    picture,
    progress,
    refusal,
    request,
    stream,
    words,
)

suite.load()
WRONG = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)
IDS = [f"GEN-EVT-{number:02}" for number in range(1, 21)]
PIXELS = picture()
LAST = complete(PIXELS)
RAW = LAST["image"]
STEPS = [progress(step, 4) for step in range(1, 5)]
REFUSED = stream("refuse/prompt-empty", [error("prompt is empty")])
SHOWN = {**FIELDS, "show_diffusion_process": True}
HIDDEN = {**FIELDS, "show_diffusion_process": False}


def wire(*events: Any, label: str = "base", **options: Any) -> Exchange:
    return stream(label, events, **options)


def shown(label: str, count: int, stride: int | None = None, steps: int = 4) -> Exchange:
    """A generation that was asked for previews and sends `count` of them, the first ones."""
    fields = {**SHOWN, "steps": steps} | ({} if stride is None else {"show_diffusion_stride": stride})
    events = [progress(step, steps, RAW if step <= count else None) for step in range(1, steps + 1)]
    return wire(*events, LAST, label=label, fields=fields)


@pytest.mark.parametrize("id", IDS)
def test_an_honest_run_passes(id: str) -> None:
    judgement = judge(id, *run().values(), REFUSED)
    assert judgement.verdict is Verdict.PASS, words(judgement)


LEGAL: Mapping[str, Sequence[Any]] = {
    "total of steps + 2": [*(progress(step, 6) for step in (1, 1, 2, 3, 4, 6)), LAST],
    "steps repeated and skipped": [*(progress(step, 9) for step in (2, 2, 7, 7, 9)), LAST],
    "one event": [progress(1, 1), LAST],
    "[DONE]": [*STEPS, LAST, b"data: [DONE]\n\n", b": bye\n\n"],
    "floats that are integers": [progress(1, 1), {**LAST, "seed": 7.0, "width": 128.0}],
    "event of another name after the end": [*STEPS, LAST, b'event: bye\ndata: {"type": "bye"}\n\n'],
    "image null": [progress(1, 1, image=None) | {"image": None}, LAST],
}


@pytest.mark.parametrize("events", LEGAL.values(), ids=LEGAL)
def test_odd_but_legal_streams_pass(events: Sequence[Any]) -> None:
    exchange = wire(*events, fields=HIDDEN, gap=0.1)
    unsettled = {"GEN-EVT-07", "GEN-EVT-09", "GEN-EVT-10", "GEN-EVT-11"}  # not about a single stream without previews
    for id in set(IDS) - unsettled:
        assert judge(id, exchange, REFUSED).verdict is Verdict.PASS, id


def lacking(name: str) -> dict[str, Any]:
    return {key: value for key, value in LAST.items() if key != name}


CASES = {
    "no progress": ("GEN-EVT-01", wire(LAST), "at least one progress"),
    "no step": ("GEN-EVT-02", wire({"type": "progress", "total_steps": 4}, LAST), "no step"),
    "no total": ("GEN-EVT-02", wire({"type": "progress", "step": 4}, LAST), "no total_steps"),
    "step as text": ("GEN-EVT-02", wire(progress(1, 4) | {"step": "1"}, LAST), "'1'"),
    "step true": ("GEN-EVT-02", wire(progress(1, 4) | {"step": True}, LAST), "True"),
    "step fraction": ("GEN-EVT-02", wire(progress(1, 4) | {"step": 0.5}, LAST), "0.5"),
    "step 0": ("GEN-EVT-03", wire(progress(0, 4), progress(4, 4), LAST), "counted from 0"),
    "step backwards": ("GEN-EVT-04", wire(progress(3, 4), progress(2, 4), progress(4, 4), LAST), "at least 3"),
    "stops short": ("GEN-EVT-05", wire(*STEPS[:3], LAST), "step 3 of 4"),
    "total changes": (
        "GEN-EVT-06",
        wire(progress(1, 7), progress(5, 5), LAST),
        "total_steps 7, as in the first progress event total_steps 5",
    ),
    "held back": (
        "GEN-EVT-07",
        wire(*STEPS, {**LAST, "generation_time_ms": 2000}, at=[2.0, 2.0, 2.001, 2.002, 2.01]),
        "holds events back",
    ),
    "preview unasked": (
        "GEN-EVT-08",
        wire(progress(1, 1, RAW), LAST, fields=HIDDEN),
        "image in 1 of 1 progress events",
    ),
    "no terminal": ("GEN-EVT-12", wire(*STEPS), "without complete or error"),
    "cut off": ("GEN-EVT-12", wire(*STEPS, end=End.RESET), "then the connection was reset"),
    "no events": ("GEN-EVT-12", wire(b": nothing\n\n"), "no event"),
    "two terminals": ("GEN-EVT-12", wire(*STEPS, LAST, LAST), "second terminal"),
    "error after complete": ("GEN-EVT-12", wire(*STEPS, LAST, error()), "second terminal"),
    "progress after the end": ("GEN-EVT-13", wire(*STEPS, LAST, progress(1, 1)), "event 6"),
    "kept open": ("GEN-EVT-14", wire(*STEPS, LAST, end=End.IDLE_TIMEOUT), "open still"),
    "endless": ("GEN-EVT-14", wire(*STEPS, LAST, b": zzz\n", end=End.TOO_LARGE), "open still"),
    "torn down": ("GEN-EVT-14", wire(*STEPS, LAST, end=End.TRUNCATED), "torn down"),
    "ends in error": ("GEN-EVT-15", wire(*STEPS, error("out of memory")), "'out of memory'"),
    "image missing": ("GEN-EVT-15", wire(*STEPS, lacking("image")), "no image"),
    "image a list": ("GEN-EVT-15", wire(*STEPS, {**LAST, "image": [1]}), "[1]"),
    "seed missing": ("GEN-EVT-15", wire(*STEPS, lacking("seed")), "no seed"),
    "width as text": ("GEN-EVT-15", wire(*STEPS, {**LAST, "width": "128"}), "'128'"),
    "height missing": ("GEN-EVT-15", wire(*STEPS, lacking("height")), "no height"),
    "time missing": ("GEN-EVT-15", wire(*STEPS, lacking("generation_time_ms")), "no generation_time_ms"),
    "time a fraction": ("GEN-EVT-15", wire(*STEPS, {**LAST, "generation_time_ms": 0.4}), "0.4"),
    "4 channels": ("GEN-EVT-16", wire(*STEPS, {**LAST, "channels": 4}), "channels 3"),
    "no first step": ("GEN-EVT-16", wire(*STEPS, lacking("first_step_time_ms")), "no first_step_time_ms"),
    "first step in microseconds": (
        "GEN-EVT-16",
        wire(*STEPS, {**LAST, "first_step_time_ms": 100_000}),
        "another unit",
    ),
    "first step negative": ("GEN-EVT-16", wire(*STEPS, {**LAST, "first_step_time_ms": -1}), "-1"),
    "time negative": ("GEN-EVT-17", wire(*STEPS, {**LAST, "generation_time_ms": -1}), "-1"),
    "time too long": ("GEN-EVT-17", wire(*STEPS, {**LAST, "generation_time_ms": 560}), "0 to 500"),
    "microseconds": ("GEN-EVT-17", wire(*STEPS, {**LAST, "generation_time_ms": 400_000}), "another unit"),
    "other seed": ("GEN-EVT-19", wire(*STEPS, {**LAST, "seed": 8}), "seed 7, as sent"),
    "signed seed": (
        "GEN-EVT-19",
        wire(*STEPS, {**LAST, "seed": -1}, fields={**FIELDS, "seed": 2**32 - 1}),
        "with a sign",
    ),
}


@pytest.mark.parametrize(("id", "exchange", "said"), CASES.values(), ids=CASES)
def test_a_broken_stream_fails_at_its_own_requirement(id: str, exchange: Exchange, said: str) -> None:
    judgements = {other: judge(other, exchange, REFUSED) for other in IDS}
    broken = [other for other, judgement in judgements.items() if judgement.verdict in WRONG]
    assert broken == [id], {other: words(judgements[other]) for other in broken}
    assert said in words(judgements[id])


def test_a_step_beyond_the_total() -> None:
    assert "step 5 of 4" in words(judge("GEN-EVT-03", wire(progress(5, 4), LAST)))


def test_nothing_else_is_judged_where_streams_do_not_end() -> None:
    verdicts = {id: judge(id, wire(*STEPS), REFUSED).verdict for id in IDS}
    assert verdicts.pop("GEN-EVT-12") is Verdict.FAIL
    assert Verdict.FAIL not in verdicts.values()
    assert verdicts["GEN-EVT-15"] is verdicts["GEN-EVT-05"] is Verdict.BLOCKED


def test_data_without_names_fails_at_the_framing_alone() -> None:
    exchange = wire(*(frame(event).partition(b"\n")[2] for event in [*STEPS, LAST]))
    assert judge("GEN-SSE-06", exchange).verdict is Verdict.FAIL
    assert judge("GEN-EVT-12", exchange).verdict is Verdict.BLOCKED


class TestPreviews:
    """GEN-EVT-08 to GEN-EVT-11."""

    def test_no_previews_at_all_break_only_what_asks_for_one(self) -> None:
        run = shown("base", 0), shown("overlap/first", 0, stride=2)
        verdicts = {id: judge(id, *run).verdict for id in ("GEN-EVT-09", "GEN-EVT-10", "GEN-EVT-11")}
        assert verdicts == {
            "GEN-EVT-09": Verdict.NOT_APPLICABLE,
            "GEN-EVT-10": Verdict.WARN,
            "GEN-EVT-11": Verdict.BLOCKED,
        }

    def test_more_previews_with_a_stride_than_without(self) -> None:
        judgement = judge("GEN-EVT-09", shown("base", 1), shown("overlap/first", 2, stride=2))
        assert judgement.verdict is Verdict.FAIL
        assert "at most 1 preview with stride 2" in words(judgement)

    def test_as_many_as_without_are_allowed_but_not_the_stride(self) -> None:
        run = shown("base", 4), shown("overlap/first", 4, stride=2)
        assert judge("GEN-EVT-09", *run).verdict is Verdict.PASS
        judgement = judge("GEN-EVT-11", *run)
        assert judgement.verdict is Verdict.WARN
        assert "2 previews (4 steps, stride 2)" in words(judgement)

    def test_previews_at_other_steps(self) -> None:
        events = [progress(step, 4, RAW if step in (2, 4) else None) for step in range(1, 5)]
        first = wire(*events, LAST, label="overlap/first", fields={**SHOWN, "show_diffusion_stride": 2})
        judgement = judge("GEN-EVT-11", shown("base", 4), first)
        assert judgement.verdict is Verdict.WARN
        assert "steps 1, 3 2, 4" in words(judgement)

    def test_step_numbers_that_count_more_than_denoising_do_not_tell_the_places(self) -> None:
        events = [progress(1, 6), *(progress(s, 6, RAW if s % 2 else None) for s in range(1, 5)), progress(6, 6), LAST]
        first = wire(*events, label="overlap/first", fields={**SHOWN, "show_diffusion_stride": 2})
        assert judge("GEN-EVT-11", shown("base", 4), first).verdict is Verdict.PASS

    def test_without_two_strides_nothing_is_compared(self) -> None:
        assert judge("GEN-EVT-09", shown("base", 4)).verdict is Verdict.UNTESTED
        assert judge("GEN-EVT-10", wire(*STEPS, LAST)).verdict is Verdict.UNTESTED
        assert judge("GEN-EVT-08", wire(*STEPS, LAST)).verdict is Verdict.UNTESTED


@pytest.mark.parametrize("message", [None, "", "  ", 3], ids=repr)
def test_an_error_event_has_a_message(message: object) -> None:
    failed = stream("refuse/prompt-empty", [{"type": "error", "message": message}])
    judgement = judge("GEN-EVT-18", wire(*STEPS, LAST), failed)
    assert judgement.verdict is Verdict.FAIL
    assert repr(message) in words(judgement)


def test_without_an_error_event_there_is_no_message_to_judge() -> None:
    judgement = judge("GEN-EVT-18", wire(*STEPS, LAST), refusal("refuse/prompt-empty"))
    assert judgement.verdict is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (
            answer("refuse/prompt-missing", 200, b'{"error": 1}', headers=JSON_HEADERS, to=request({})),
            "application/json",
        ),
        (answer("refuse/prompt-missing", 204, to=request({})), "status 204"),
        (answer("refuse/prompt-missing", 302, to=request({})), "status 302"),
    ],
    ids=["200 with JSON", "204", "302"],
)
def test_a_failure_has_an_error_status(failure: Exchange, said: str) -> None:
    judgement = judge("GEN-EVT-20", wire(*STEPS, LAST), failure)
    assert judgement.verdict is Verdict.FAIL
    assert said in words(judgement)


def test_without_a_seed_in_any_request_there_is_no_echo() -> None:
    exchange = wire(*STEPS, LAST, fields={"prompt": "a red house"})
    assert judge("GEN-EVT-19", exchange).verdict is Verdict.UNTESTED


def test_seeds_of_the_server_are_not_echoes() -> None:
    server = InMemoryServer(seeds=[5])
    seedless = server.answer("overlap/second", {key: value for key, value in PLAIN.items() if key != "seed"})
    judgement = judge("GEN-EVT-19", generation(), seedless)
    assert judgement.verdict is Verdict.PASS
    assert judgement.assertions == 1


def test_fewer_steps_than_were_asked_for_are_found() -> None:
    """An image may leave some out, but not at strength 1; more are counted by servers that count decoding."""
    asked = {**FIELDS, "steps": 60}
    few, more = (stream("base", [progress(1, total), progress(total, total), LAST], fields=asked) for total in (50, 62))
    judgement = judge("GEN-EVT-24", few)
    assert judgement.verdict is Verdict.WARN
    assert "total_steps of 60 or more" in words(judgement)
    assert judge("GEN-EVT-24", more).verdict is Verdict.PASS
    percent = [progress(1, 100), progress(100, 100), LAST]
    assert judge("GEN-EVT-24", stream("base", percent, fields={**FIELDS, "steps": 250})).verdict is Verdict.PASS
    for strength, verdict in ((0.5, Verdict.UNTESTED), (1.0, Verdict.WARN)):
        refined = {**asked, "image": "iVBO", "denoise_strength": strength}
        events = [progress(1, 30), progress(30, 30), LAST]
        assert judge("GEN-EVT-24", stream("base", events, fields=refined)).verdict is verdict
