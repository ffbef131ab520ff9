"""Names and places: what the catalogue says when asked for something, also for something that it does not have."""

from __future__ import annotations

import re

import pytest

from local_dream_mockserver.faults.catalogue import Fault, Layer, choose, entries, register
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.proxy.trigger import Relation, Trigger, Unit, parse_trigger
from local_dream_mockserver.proxy.unknown import Unknown
from local_dream_mockserver.server.extensions.catalogue import NAMES
from local_dream_mockserver.server.spec import load_spec
from tests.spec_ids import requirement_ids

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("bytes:2000", Trigger(Unit.BYTES, 2000)),
        ("event:3", Trigger(Unit.EVENT, 3, Relation.AFTER)),
        ("before:progress:2", Trigger(Unit.PROGRESS, 2, Relation.BEFORE)),
        ("inside:complete", Trigger(Unit.COMPLETE, 1, Relation.INSIDE)),
    ],
)
def test_places(text: str, place: Trigger) -> None:
    assert parse_trigger(text) == place
    assert parse_trigger(str(place)) == place


@pytest.mark.parametrize("text", ["", "bytes", "bytes:-1", "progress:0", "near:complete", "after:", "event:1:2"])
def test_no_places(text: str) -> None:
    with pytest.raises(Unknown, match=r"no place in an answer; use bytes:N, or"):
        parse_trigger(text)


def test_unknown_names_are_answered_with_near_ones() -> None:
    with pytest.raises(Unknown, match=r"--list-faults \(did you mean reset\?\)"):
        choose("rest")


def test_a_place_that_the_fault_does_not_have() -> None:
    with pytest.raises(Unknown, match="has no place"):
        choose("byte-order-mark@bytes:3")
    assert str(choose("reset@bytes:2000")) == "reset@bytes:2000"
    assert str(choose("reset")).startswith("reset@")


def test_a_name_is_given_once() -> None:
    entries()
    with pytest.raises(ValueError, match="two entries of the catalogue are named reset"):
        register(Fault(name="reset", sentence="x", layer=Layer.EVENT, make=FaultHooks, breaks=()))


def test_every_entry_is_well_formed() -> None:
    """Each has one sentence, requirement ids that exist and, where it has a place by default, one of its units."""
    known = requirement_ids(load_spec())
    for name, entry in entries().items():
        assert NAME.fullmatch(name), name
        assert re.fullmatch(r"[A-Z/].*\.", entry.sentence), name
        assert "\n" not in entry.sentence, name
        ids = entry.breaks if isinstance(entry, Fault) else entry.discouraged
        assert known.keys() >= set(ids), name
        assert len(set(ids)) == len(ids), name
        if isinstance(entry, Fault):
            assert entry.breaks, name
        else:
            assert all(known[id] == "SHOULD" for id in ids), name
        assert set(entry.extensions) <= {*NAMES, "busy", "upscaler-only", "control"}, name
        assert bool(entry.extensions) is (entry.layer is Layer.EXTENSION), name
        assert entry.place is None or entry.place.unit in entry.units, name
        entry.make(entry.place)
