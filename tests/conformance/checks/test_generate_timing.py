"""When the events of a generation come, and the times that complete tells: GEN-EVT-07, -22 and -23."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from local_dream_conformance.core.exchange import Exchange, Read, Request
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.http.coding import NOTE
from tests.conformance import transcripts
from tests.conformance.checks.test_generate_events import LAST, RAW, STEPS, wire
from tests.conformance.in_memory_server import PLAIN
from tests.conformance.transcripts import (
    FIELDS,
    answer,
    complete,
    frame,
    generation,
    judge,
    picture,
    progress,
    request,
    stream,
    words,
)

SLOW = b"".join(map(frame, [*(progress(step, 4, RAW) for step in range(1, 5)), {**LAST, "generation_time_ms": 3000}]))
PIECES = [SLOW[start : start + 6000] for start in range(0, len(SLOW), 6000)]


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

    def test_a_burst_that_another_generation_of_the_kind_does_not_have_may_be_the_machines(self) -> None:
        base = self.timed(0.01, 0.02, 0.03, 0.04, 0.05, steps=2)
        apart = self.timed(0.2, 0.4, 0.6, 0.8, 1.0, label="negative")
        for seconds, verdict in ((1.5, Verdict.PASS), (2.5, Verdict.FAIL)):
            together = self.timed(*[seconds] * 5, label="edges/seed-max")
            assert judge("GEN-EVT-07", base, together).verdict is Verdict.FAIL
            assert judge("GEN-EVT-07", base, apart, together).verdict is verdict
        coded = replace(self.timed(*[1.5] * 5, label="edges/seed-max"), notes=((NOTE, "gzip"),))
        assert judge("GEN-EVT-07", base, apart, coded).verdict is Verdict.FAIL
        more = self.timed(*[1.5] * 5, label="edges/seed-max", steps=8)
        assert judge("GEN-EVT-07", base, apart, more).verdict is Verdict.FAIL

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

    def test_a_burst_of_steps_that_take_time_elsewhere_is_no_burst_of_quick_steps(self) -> None:
        """A small generation takes as long as a large one here, too; but what is not compressed shows 0.15 s a step."""
        large = self.many([3.0] * 20 + [3.01])
        packed = replace(large, notes=((NOTE, "gzip"),))
        small = self.timed(*[3.0] * 5, label="strength/low")
        for step, verdict in ((0.02, Verdict.NOT_APPLICABLE), (0.15, Verdict.FAIL)):
            slow = [round(step * number, 3) for number in range(1, 6)]
            shown = self.timed(*slow, label="overlap/first")
            judgement = judge("GEN-EVT-07", generation(), packed, small, shown)
            assert judgement.verdict is verdict
            assert [("compresses (gzip)" in one.cause) for one in judgement.findings] == [True] * (step == 0.15)
        hiccup = self.timed(0.01, 2.0, 2.0, 2.0, 2.01, label="overlap/first")
        assert judge("GEN-EVT-07", generation(), large, small, hiccup).verdict is Verdict.NOT_APPLICABLE
        larger = replace(shown, request=request({**FIELDS, "width": 512, "height": 512}))
        assert judge("GEN-EVT-07", generation(), large, small, larger).verdict is Verdict.NOT_APPLICABLE

    def test_few_events_of_a_server_that_reports_now_and_then(self) -> None:
        """Once in 0.2 s, and at the end."""
        for times, verdict in (((0.2, 0.21, 0.22), Verdict.NOT_APPLICABLE), ((4.0, 4.0, 4.0), Verdict.FAIL)):
            events = [progress(12, 20), progress(20, 20), {**LAST, "generation_time_ms": int(1000 * times[-1])}]
            few = wire(*events, label="defaults/absent", at=times, fields={**FIELDS, "steps": 20})
            assert judge("GEN-EVT-07", generation(), few).verdict is verdict

    def test_events_in_lumps_after_a_silence(self) -> None:
        """GEN-EVT-23: twenty steps of 0.2 s, by fives, and of 0.3 s, by pairs; of 0.05 s, by fives; of 0.2 s, by pairs
        and with two hiccups of a network; of 0.5 s, two of five by pairs."""
        fives = [0.2 * (5 * (number // 5) + 5) for number in range(20)]
        cases = {
            Verdict.WARN: [fives, [0.6 * (number // 2 + 1) for number in range(20)]],
            Verdict.PASS: [
                [time / 4 for time in fives],
                [0.4 * (number // 2 + 1) for number in range(20)],
                [
                    0.2 * number if number not in (6, 7, 13, 14) else 0.2 * (9 if number < 9 else 15)
                    for number in range(20)
                ],
                [0.5 * (number + (number % 5 == 2)) for number in range(20)],
                [30.0 + 0.02 * number for number in range(20)],
            ],
        }
        for verdict, streams in cases.items():
            for times in streams:
                judgement = judge("GEN-EVT-23", generation(), self.many([*times, max(times) + 0.2]))
                assert judgement.verdict is verdict, words(judgement)

    def test_a_step_that_is_told_twice_is_no_lump(self) -> None:
        """GEN-EVT-23: ten steps of 0.6 s, each told twice at once."""
        events = [progress(step, 10) for step in range(1, 11) for _ in range(2)]
        last = {**LAST, "generation_time_ms": 6100}
        times = [0.6 * (number // 2 + 1) for number in range(20)]
        twice = wire(*events, last, label="defaults/absent", at=[*times, 6.1], fields={**FIELDS, "steps": 10})
        assert judge("GEN-EVT-23", generation(), twice).verdict is Verdict.PASS

    def test_too_few_steps_show_nothing(self) -> None:
        judgement = judge("GEN-EVT-07", self.timed(0.5, 0.5, 0.5, 0.5, 0.5, steps=1))
        assert judgement.verdict is Verdict.UNTESTED


PIXELS = picture(128, 64, 3)
ALIVE = answer("health/get", 200, to=Request("GET", "/health"))


@pytest.mark.parametrize(
    ("said", "verdict"),
    [(1000, "pass"), (500, "pass"), (310, "pass"), (290, "warn"), (1, "warn"), (0, "warn")],
)
def test_a_time_is_at_least_that_of_the_progress(said: int, verdict: str) -> None:
    """Of 0.8 s; half a second may be the suite's, which a busy machine held up."""
    timed = stream(
        "base",
        [*(progress(step, 5) for step in range(1, 6)), {**complete(PIXELS), "generation_time_ms": said}],
        fields=PLAIN,
        at=[0.2, 0.4, 0.6, 0.8, 1.0, 1.1],
    )
    judgement = transcripts.judge("GEN-EVT-22", ALIVE, timed)
    assert judgement.verdict == verdict, words(judgement)
    assert ("seconds in place" in words(judgement)) == (said == 1)


def test_work_that_is_over_at_once_says_nothing_of_the_time() -> None:
    quick = stream("base", [progress(1, 2), progress(2, 2), complete(PIXELS)], fields=PLAIN)
    assert transcripts.judge("GEN-EVT-22", ALIVE, quick).verdict is Verdict.NOT_APPLICABLE
