"""Pieces of answers, in memory and in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_dream_conformance.core.exchange import End, Exchange, Request
from local_dream_conformance.core.pieces import IN_MEMORY, PIECES, Pieces, Read, StoredReads


def gathered(reads: list[Read], place: Path | None) -> Exchange:
    pieces = Pieces(place)
    for read in reads:
        pieces.append(read.at, read.data)
    assert pieces.size == sum(len(read.data) for read in reads)
    assert len(pieces) == len(reads)
    return Exchange("x", Request("GET", "/"), 0.0, End.COMPLETE, 9.0, 200, reads=pieces.reads())


@pytest.mark.parametrize(
    "reads",
    [
        [],
        [Read(0.5, b"a"), Read(0.75, b"bc")],
        [Read(0.5, b"a" * IN_MEMORY), Read(0.75, b"bc"), Read(1.0, b"d")],
        [Read(number / 100, bytes([number])) for number in range(PIECES + 1)],
    ],
)
def test_an_answer_is_the_same_wherever_it_lies(reads: list[Read], tmp_path: Path) -> None:
    here, there = gathered(reads, None), gathered(reads, tmp_path / "answers")
    large = sum(len(read.data) for read in reads) > IN_MEMORY or len(reads) > PIECES
    assert isinstance(there.reads, StoredReads) == large
    assert (there.body, there.size) == (here.body, here.size)
    assert there == here
    assert tuple(there.reads) == tuple(here.reads)
    assert list(there.arrivals) == list(here.arrivals)
    assert [there.arrived(offset) for offset in range(3)] == [here.arrived(offset) for offset in range(3)]
    assert there.reads[1:] == here.reads[1:]
    if reads:
        assert there.reads[-1] == reads[-1]
        assert there.reads[0] == reads[0]
    assert "body" not in vars(there)
