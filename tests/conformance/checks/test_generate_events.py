from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from local_dream_conformance.checks import (
    generate_ending,
    generate_previews,
    generate_progress,
    generate_sse,
    generate_timing,
)
from local_dream_conformance.core.exchange import End, Exchange, Read
from local_dream_conformance.core.verdict import Verdict
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

assert generate_ending  # importing them registers the checks
assert generate_previews
assert generate_progress
assert generate_timing
assert generate_sse
WRONG = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)
IDS = [f"GEN-EVT-{number:02}" for number in range(1, 21)]
PIXELS = picture()
LAST = complete(PIXELS)
RAW = LAST["image"]
STEPS = [progress(step, 4) for step in range(1, 5)]
SLOW = b"".join(map(frame, [*(progress(step, 4, RAW) for step in range(1, 5)), {**LAST, "generation_time_ms": 3000}]))
PIECES = [SLOW[start : start + 6000] for start in range(0, len(SLOW), 6000)]
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


class TestArrival:
    """GEN-EVT-07."""

    @staticmethod
    def timed(*times: float, label: str = "base", steps: int = 4, **more: int) -> Exchange:
        events = [*STEPS, {**LAST, "generation_time_ms": int(times[-1] * 1000), "first_step_time_ms": 0, **more}]
        return wire(*events, label=label, at=times, fields={**FIELDS, "steps": steps})

    @staticmethod
    def many(times: Sequence[float], label: str = "defaults/absent") -> Exchange:
        """Twenty steps."""
        events = [progress(step, 20) for step in range(1, 21)]
        last = {**LAST, "generation_time_ms": int(times[-1] * 1000), "first_step_time_ms": 0}
        return wire(*events, last, label=label, at=times, fields={**FIELDS, "steps": 20})

    def test_fast_streams_prove_what_they_show_and_nothing_else(self) -> None:
        spread = self.timed(0.03, 0.06, 0.09, 0.12, 0.15)
        assert judge("GEN-EVT-07", spread).verdict is Verdict.PASS
        together = judge("GEN-EVT-07", self.timed(0.15, 0.15, 0.15, 0.15, 0.15))
        assert together.verdict is Verdict.NOT_APPLICABLE
        assert "150 ms: too fast to tell" in together.reason

    def test_time_before_the_first_step_is_not_asked_for(self) -> None:
        """10 s of loading, as the server says, then 0.8 s of steps."""
        loading = self.timed(10.2, 10.4, 10.6, 10.8, 11.0, first_step_time_ms=10_200)
        assert judge("GEN-EVT-07", loading).verdict is Verdict.PASS

    def test_a_server_cannot_excuse_itself_by_its_first_step(self) -> None:
        late = self.timed(3.0, 3.0, 3.0, 3.0, 3.01, first_step_time_ms=3000)
        assert judge("GEN-EVT-07", late).verdict is Verdict.FAIL

    def test_short_steps_after_a_long_first_one_prove_nothing(self) -> None:
        """0.4 s before the first step is done, on a machine that then reads everything at once."""
        busy = self.timed(0.4, 0.4, 0.4, 0.4, 0.41, first_step_time_ms=400)
        assert judge("GEN-EVT-07", busy).verdict is Verdict.NOT_APPLICABLE

    def test_waiting_in_a_queue_is_no_work(self) -> None:
        queued = self.timed(9.1, 9.2, 9.3, 9.4, 9.5, generation_time_ms=500)
        assert judge("GEN-EVT-07", queued).verdict is Verdict.PASS

    def test_a_slow_first_generation_does_not_count_against_later_ones(self) -> None:
        loading = self.timed(10.0, 10.0, 10.0, 10.0, 10.04)
        later = self.timed(0.2, 0.4, 0.6, 0.8, 1.0, label="repeat")
        assert judge("GEN-EVT-07", loading).verdict is Verdict.FAIL
        assert judge("GEN-EVT-07", loading, later).verdict is Verdict.PASS

    def test_quick_steps_after_a_long_silence_lie_apart(self) -> None:
        quick = self.timed(20.02, 20.04, 20.06, 20.08, 20.1)
        assert judge("GEN-EVT-07", quick).verdict is Verdict.PASS
        in_pairs = self.timed(20.02, 20.02, 20.06, 20.06, 20.1)
        assert judge("GEN-EVT-07", in_pairs).verdict is Verdict.PASS
        one_hiccup = [20.0, *[20.03] * 19, 20.04]
        assert judge("GEN-EVT-07", generation(), self.many(one_hiccup)).verdict is Verdict.FAIL

    def test_a_slow_network_does_not_pull_a_burst_apart(self) -> None:
        """Four previews that are sent at once take 0.3 s each to arrive, and no moment is without a byte."""
        reads = [Read(0.6 + 0.05 * number, piece) for number, piece in enumerate(PIECES)]
        previews = replace(self.timed(0.1, 0.2, 0.3, 0.4, 0.6, label="repeat"), reads=tuple(reads))
        burst = self.many([3.0] * 20 + [3.01])
        for others, verdict in (((), Verdict.PASS), ((burst,), Verdict.FAIL)):
            assert judge("GEN-EVT-07", generation(), previews, *others).verdict is verdict

    def test_steps_too_quick_to_be_seen_are_told_from_a_burst_by_a_smaller_generation(self) -> None:
        large = self.many([20.0] * 20 + [20.01])
        for waited, verdict in ((20.0, Verdict.NOT_APPLICABLE), (3.0, Verdict.FAIL)):
            small = self.timed(*[waited] * 5, label="strength/low")
            judgement = judge("GEN-EVT-07", generation(), large, small)
            assert judgement.verdict is verdict
            assert (verdict is Verdict.FAIL) == ("as long as" not in judgement.reason)

    def test_few_events_of_a_server_that_reports_now_and_then(self) -> None:
        """Once in 0.2 s, and at the end."""
        for times, verdict in (((0.2, 0.21, 0.22), Verdict.NOT_APPLICABLE), ((4.0, 4.0, 4.0), Verdict.FAIL)):
            events = [progress(12, 20), progress(20, 20), {**LAST, "generation_time_ms": int(1000 * times[-1])}]
            few = wire(*events, label="defaults/absent", at=times, fields={**FIELDS, "steps": 20})
            assert judge("GEN-EVT-07", generation(), few).verdict is verdict

    def test_too_few_steps_show_nothing(self) -> None:
        judgement = judge("GEN-EVT-07", self.timed(0.5, 0.5, 0.5, 0.5, 0.5, steps=1))
        assert judgement.verdict is Verdict.UNTESTED


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
        assert "at most 1 previews with stride 2" in words(judgement)

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
