"""The catalogue as text, for --list-faults."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from local_dream_mockserver.faults.catalogue import Fault, Quirk

WIDTH = 100


def listing(entries: Iterable[Fault | Quirk]) -> str:
    """A paragraph for each entry: its name with the place that it has by default, its sentence, what it breaks."""
    return "\n".join(_lines(entry) for entry in entries)


def _lines(entry: Fault | Quirk) -> str:
    name = entry.name if entry.place is None else f"{entry.name}@{entry.place}"
    if isinstance(entry, Fault):
        kind = f"fault, {_where(entry)}"
        breaks = f"Breaks {', '.join(entry.breaks)}."
    else:
        kind = f"quirk, {_where(entry)}"
        breaks = f"Against {', '.join(entry.discouraged)}." if entry.discouraged else ""
    text = textwrap.fill(f"{entry.sentence} {breaks}".rstrip(), WIDTH, initial_indent="    ", subsequent_indent="    ")
    return f"{name}  ({kind})\n{text}"


def _where(entry: Fault | Quirk) -> str:
    return " ".join([entry.layer, *entry.extensions])
