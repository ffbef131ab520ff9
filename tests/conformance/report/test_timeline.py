from __future__ import annotations

import pytest

from local_dream_conformance.core.exchange import End
from local_dream_conformance.report import timeline
from tests.conformance import transcripts
from tests.conformance.report.results import HOSTILE


def test_marks_of_a_stream() -> None:
    fields = {**transcripts.FIELDS, "steps": 2, "show_diffusion_process": True, "show_diffusion_stride": 2}
    made = timeline.of(transcripts.generation(fields=fields, gap=1.0))
    assert [(mark.kind, mark.x) for mark in made.marks] == [
        ("head", 16.67),
        ("preview", 33.33),
        ("progress", 66.67),
        ("complete", 100.0),
        ("end", 100.0),
    ]
    assert [mark.text for mark in made.rows] == [
        "answer begins: 200 OK",
        "progress: step 1 of 2, with a picture",
        "progress: step 2 of 2",
        "complete: seed 7, width 128, height 64, channels 3, generation_time_ms 3000, first_step_time_ms 1000",
        "answer ends",
    ]
    assert made.ticks == ((0.0, "0 s"), (33.33, "1 s"), (66.67, "2 s"))
    assert (made.whole, made.left_out, made.summary) == (True, 0, "3 events in 3.00 s")


def test_an_answer_in_one_piece() -> None:
    made = timeline.of(transcripts.refusal("refuse/prompt", took=0.004))
    assert [mark.kind for mark in made.marks] == ["head", "body", "end"]
    assert made.summary == "over after 4 ms"
    assert made.ticks[-1] == (75.0, "3 ms")


def test_no_answer() -> None:
    made = timeline.of(transcripts.answer("x", None, end=End.RESET, took=0.0))
    assert [mark.text for mark in made.rows] == ["ended: reset"]
    assert not made.whole


def test_a_long_stream_is_thinned_but_keeps_its_ends() -> None:
    events = [transcripts.progress(step, 5000) for step in range(1, 5001)]
    made = timeline.of(transcripts.stream("base", [*events, transcripts.error()], gap=0.01))
    assert len(made.marks) < timeline.MARKS + 10
    assert {"head", "error", "end"} <= {mark.kind for mark in made.marks}
    assert (len(made.rows), made.left_out) == (timeline.ROWS, 5003 - timeline.ROWS)


def test_texts_of_the_target_are_printable() -> None:
    events = [f"event: {text}\ndata: {text}\n\n".encode("utf-8", "surrogateescape") for text in HOSTILE]
    made = timeline.of(transcripts.stream("base", events))
    assert all(mark.text.isprintable() and len(mark.text) < 500 for mark in made.rows)


@pytest.mark.parametrize(("value", "text"), [(0.0042, "4.2 ms"), (0.1, "0.10 s"), (9.994, "9.99 s"), (61.2, "61.2 s")])
def test_seconds(value: float, text: str) -> None:
    assert timeline.seconds(value) == text
