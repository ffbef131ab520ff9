"""The order of events: the table exhaustively, and the typed view of a recorded stream."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from local_dream_conformance.core.exchange import End, Exchange, Read, Request
from local_dream_conformance.evidence.generation import TRANSITIONS, GenerationStream, Kind, Problem, State, generation


def event(name: str, data: Any) -> bytes:
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


PROGRESS = event("progress", {"type": "progress", "step": 1, "total_steps": 2})
COMPLETE = event("complete", {"type": "complete", "image": "", "seed": 1})
ERROR = event("error", {"type": "error", "message": "no"})
DONE_MARK = event("", "[DONE]")
OTHER = event("ping", {})
BYTES = {
    Kind.PROGRESS: PROGRESS,
    Kind.COMPLETE: COMPLETE,
    Kind.ERROR: ERROR,
    Kind.DONE_MARK: DONE_MARK,
    Kind.OTHER: OTHER,
}


def view(*pieces: bytes, status: int = 200, media_type: str = "text/event-stream") -> GenerationStream:
    reads = tuple(Read(float(number), piece) for number, piece in enumerate(pieces, 1))
    headers = (("Content-Type", media_type),)
    request = Request("POST", "/generate")
    return GenerationStream(
        Exchange("x", request, 0.0, End.COMPLETE, 99.0, status=status, headers=headers, reads=reads)
    )


def test_the_table_has_every_state_and_kind() -> None:
    assert set(TRANSITIONS) == set(itertools.product(State, Kind))


def expected(kinds: tuple[Kind, ...]) -> list[tuple[Problem, int | None]]:
    """The rules in words, written without the table."""
    problems: list[tuple[Problem, int | None]] = []
    terminal = None
    for number, kind in enumerate(kinds):
        if terminal is not None:
            if kind is Kind.PROGRESS:
                problems.append((Problem.PROGRESS_AFTER_TERMINAL, number))
            elif kind in (Kind.COMPLETE, Kind.ERROR):
                problems.append((Problem.SECOND_TERMINAL, number))
            elif kind is Kind.OTHER:
                problems.append((Problem.OTHER_AFTER_TERMINAL, number))
        elif kind is Kind.DONE_MARK:
            problems.append((Problem.EARLY_DONE_MARK, number))
        elif kind is Kind.COMPLETE and Kind.PROGRESS not in kinds[:number]:
            problems.append((Problem.COMPLETE_FIRST, number))
        if kind in (Kind.COMPLETE, Kind.ERROR) and terminal is None:
            terminal = number
    if terminal is None:
        problems.append((Problem.NO_TERMINAL if Kind.PROGRESS in kinds else Problem.NO_EVENTS, None))
    return problems


@pytest.mark.parametrize("length", range(5))
def test_every_sequence_of_events(length: int) -> None:
    for kinds in itertools.product(BYTES, repeat=length):
        stream = view(b"".join(BYTES[kind] for kind in kinds))
        found = [(problem.problem, problem.event and problem.event.index) for problem in stream.problems]
        assert found == expected(kinds), kinds


def test_events_have_the_time_of_their_last_byte() -> None:
    stream = view(PROGRESS[:10], PROGRESS[10:], PROGRESS + COMPLETE[:-1], COMPLETE[-1:])
    assert [event.at for event in stream.events] == [2.0, 3.0, 4.0]
    assert stream.events[2].where == f"event 3 (byte {2 * len(PROGRESS)}, 4.000 s)"


def test_fields_are_read_only_where_they_have_the_right_type() -> None:
    bad = event("progress", {"step": "1", "total_steps": True, "image": 5})
    stream = view(PROGRESS, bad, event("progress", "not json"), event("progress", "[1]"))
    assert [(e.step, e.total_steps, e.image) for e in stream.progress] == [(1, 2, None), *[(None, None, None)] * 3]
    assert stream.progress[2].parsed.problem
    assert stream.progress[3].payload == {}


def test_terminals_and_previews() -> None:
    preview = event("progress", {"step": 2, "total_steps": 2, "image": "AAAA"})
    null = event("progress", {"step": 2, "total_steps": 2, "image": None})
    stream = view(PROGRESS, preview, null, COMPLETE, ERROR)
    assert [event.index for event in stream.previews] == [1]
    assert stream.complete is stream.terminal is stream.terminals[0]
    assert stream.error is None
    assert view(PROGRESS, ERROR).error
    assert view(PROGRESS).terminal is None


def test_an_answer_that_is_no_stream_has_no_events() -> None:
    assert not view(PROGRESS, media_type="text/plain").is_stream
    refused = view(COMPLETE, status=400)
    assert not refused.is_stream
    assert refused.events == ()


def test_the_view_of_an_exchange_is_made_once() -> None:
    exchange = view(PROGRESS).exchange
    assert generation(exchange) is generation(exchange)


@pytest.mark.parametrize(("sent", "read"), [(3, 3), (3.0, 3), (1 << 53, 1 << 53), (1 << 54, None), (10**400, None)])
def test_steps_that_nobody_can_count_to_are_none(sent: float, read: int | None) -> None:
    progress = {"type": "progress", "step": sent, "total_steps": sent}
    [made] = view(event("progress", progress)).progress
    assert (made.step, made.total_steps) == (read, read)
