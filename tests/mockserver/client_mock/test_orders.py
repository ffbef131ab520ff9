"""Orders without a server: the whole catalogue can be ordered, and what is refused changes nothing."""

from __future__ import annotations

import pytest

from local_dream_mockserver.faults.catalogue import Fault, Quirk, choose, entries
from local_dream_mockserver.mock.answers import faulty, ok
from local_dream_mockserver.mock.state import MockState
from local_dream_mockserver.proxy.unknown import Unknown


def test_all_of_the_catalogue_can_be_ordered() -> None:
    orders = MockState()
    for name, entry in entries().items():
        kind = Fault if isinstance(entry, Fault) else Quirk
        orders.order(kind, [name], more=True)
    assert len(orders.faults) + len(orders.quirks) == len(entries())
    orders.reset()
    assert (orders.faults, orders.quirks) == ([], [])


def test_what_needs_an_extension_that_is_off_changes_nothing() -> None:
    orders = MockState(without={"formats"})
    orders.order(Fault, ["overflow-null"], more=False)
    for order in (
        lambda: orders.order(Fault, ["coded-bgr"], more=True),
        lambda: orders.order(Quirk, ["coded-previews-small"], more=True),
        lambda: orders.script([faulty("coded-bgr")], more=False),
        lambda: MockState(always=[choose("coded-bgr")], without={"formats"}),
    ):
        with pytest.raises(Unknown, match="needs the extension formats, which is off"):
            order()
    assert (orders.faults, orders.quirks, orders.script_left) == (["overflow-null"], [], [])


def test_one_wrong_name_leaves_everything_as_it_was() -> None:
    orders = MockState()
    orders.order(Fault, ["terminal-missing"], more=False)
    orders.script([ok()], more=False)
    with pytest.raises(Unknown):
        orders.order(Fault, ["terminal-twice", "nothing"], more=False)
    with pytest.raises(Unknown):
        orders.script([ok(), faulty("nothing")], more=False)
    with pytest.raises(Unknown, match="at most"):
        orders.script([ok()] * 10_001, more=True)
    assert (orders.faults, orders.script_left) == (["terminal-missing"], ["ok"])
