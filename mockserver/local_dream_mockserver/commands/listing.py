"""The catalogue as text, for --list-faults and the like."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from local_dream_mockserver.faults.catalogue import Fault, Quirk
from local_dream_mockserver.faults.emulated.release import EmulatedRelease

WIDTH = 100


def paragraph(text: str) -> str:
    """Text under a name, folded. Ids and option names stay whole, so that a search finds them."""
    return textwrap.fill(text, WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


def listing(entries: Iterable[Fault | Quirk]) -> str:
    """A paragraph for each entry: its name with the place that it has by default, its sentence, what it breaks."""
    return "\n".join(_lines(entry) for entry in entries)


def described(personality: EmulatedRelease) -> str:
    """A paragraph for a personality: its name, its sentence, what it breaks."""
    ids = ", ".join((*personality.breaks, *personality.discouraged))
    against = f"Against {ids}." if ids else ""
    return f"{personality.name}\n{paragraph(f'{personality.sentence} {against}'.rstrip())}"


def _lines(entry: Fault | Quirk) -> str:
    name = entry.name if entry.place is None else f"{entry.name}@{entry.place}"
    if isinstance(entry, Fault):
        kind = f"fault, {_where(entry)}"
        breaks = f"Breaks {', '.join(entry.breaks)}."
    else:
        kind = f"quirk, {_where(entry)}"
        breaks = f"Against {', '.join(entry.discouraged)}." if entry.discouraged else ""
    return f"{name}  ({kind})\n{paragraph(f'{entry.sentence} {breaks}'.rstrip())}"


def _where(entry: Fault | Quirk) -> str:
    return " ".join([entry.layer, *entry.extensions])
