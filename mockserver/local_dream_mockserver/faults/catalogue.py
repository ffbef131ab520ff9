"""The catalogue: every fault and every quirk under its name, and how a name becomes something that can be done.

A fault breaks requirements and names them; a quirk is odd but legal and breaks none. Both live in a layer: those of the
wire are done by the proxy (`local_dream_mockserver.proxy`) before any server, all others by the mock server itself
(`local_dream_mockserver.faults.altered`).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

import local_dream_mockserver.faults
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.proxy.mutator import ResponseMutator
from local_dream_mockserver.proxy.trigger import Trigger, Unit, parse_trigger
from local_dream_mockserver.proxy.unknown import Unknown


class Layer(StrEnum):
    """Where something happens."""

    REQUEST = "request"
    """What is accepted, and how refusals look."""
    EVENT = "event"
    PICTURE = "picture"
    UPSCALE = "upscale"
    EXTENSION = "extension"
    """What an extension adds to requests, events and paths, and its own paths."""
    WIRE = "wire"
    """The bytes of HTTP; in the proxy."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A named thing that can be done.

    `make` builds it, for one server or one proxy at a time. `units` are what its place may be counted in (none: it has
    no place), `place` is where it happens unless something else is asked for. `extensions` are those of the contract
    that it is about: a server is judged with these alone, and said to have them.
    """

    name: str
    sentence: str
    layer: Layer
    make: Callable[[Trigger | None], FaultHooks | ResponseMutator]
    units: tuple[Unit, ...] = ()
    place: Trigger | None = None
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fault(Entry):
    """Breaks the requirements `breaks`."""

    breaks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Quirk(Entry):
    """Odd but legal: no MUST is broken by it. `discouraged` are the SHOULDs that speak about it."""

    discouraged: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chosen:
    """An entry of the catalogue with the place where it is to happen."""

    entry: Fault | Quirk
    place: Trigger | None

    def __str__(self) -> str:
        return self.entry.name if self.place is None else f"{self.entry.name}@{self.place}"

    def make(self) -> FaultHooks | ResponseMutator:
        return self.entry.make(self.place)


_ENTRIES: dict[str, Fault | Quirk] = {}


def register(entry: Fault | Quirk) -> None:
    """Adds to the catalogue. A name can be given once."""
    if entry.name in _ENTRIES:
        raise ValueError(f"two entries of the catalogue are named {entry.name}")
    _ENTRIES[entry.name] = entry


def entries() -> Mapping[str, Fault | Quirk]:
    """The whole catalogue by name, sorted. Every module of `local_dream_mockserver.faults` is imported for it."""
    folder = local_dream_mockserver.faults
    for module in pkgutil.walk_packages(folder.__path__, f"{folder.__name__}."):
        importlib.import_module(module.name)
    return dict(sorted(_ENTRIES.items()))


def choose(text: str) -> Chosen:
    """Reads `NAME[@PLACE]`. Raises Unknown."""
    name, at, where = text.strip().partition("@")
    known = entries()
    if name not in known:
        near = "".join(f" (did you mean {one}?)" for one in get_close_matches(name, known, n=1))
        raise Unknown(f"{name[:60]!r}: no such fault or quirk; see --list-faults{near}")
    entry = known[name]
    if not at:
        return Chosen(entry, entry.place)
    place = parse_trigger(where)
    if place.unit not in entry.units:
        units = ", ".join(entry.units)
        raise Unknown(f"{text[:80]}: {name} {f'can be placed by {units} only' if units else 'has no place'}")
    return Chosen(entry, place)
