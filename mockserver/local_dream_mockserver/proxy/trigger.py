"""Where in an answer something happens: counted in bytes, or in events of the stream."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from local_dream_mockserver.proxy.unknown import Unknown

FORM = re.compile(
    r"(?:(?P<relation>before|inside|after):)?(?P<event>event|progress|complete|error)(?::(?P<number>\d{1,9}))?"
)
BYTES = re.compile(r"bytes:(?P<number>\d{1,12})")
HELP = "bytes:N, or [before:|inside:|after:] and event[:N], progress[:N], complete or error, such as after:progress:3"


class Relation(StrEnum):
    """On which side of an event."""

    BEFORE = "before"
    INSIDE = "inside"
    """In the middle of its longest value: for complete and previews that is the base64 of the picture."""
    AFTER = "after"


class Unit(StrEnum):
    """What is counted."""

    BYTES = "bytes"
    EVENT = "event"
    """Events of any kind."""
    PROGRESS = "progress"
    COMPLETE = "complete"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Trigger:
    """A place in the body of an answer.

    With BYTES: after so many bytes of the body (the relation means nothing). With an event: before, inside or after the
    `number`-th event of that kind, counted from 1.
    """

    unit: Unit
    number: int = 1
    relation: Relation = Relation.AFTER

    def __str__(self) -> str:
        if self.unit is Unit.BYTES:
            return f"bytes:{self.number}"
        number = "" if self.unit in (Unit.COMPLETE, Unit.ERROR) else f":{self.number}"
        return f"{self.relation}:{self.unit}{number}"

    def counts(self, kind: str) -> bool:
        """Whether an event of this kind ("progress", "complete", "error") is counted."""
        return self.unit is Unit.EVENT or self.unit == kind


def parse_trigger(text: str) -> Trigger:
    """Reads a place as it stands behind the @ of a fault. Raises Unknown."""
    if found := BYTES.fullmatch(text):
        return Trigger(Unit.BYTES, int(found["number"]))
    found = FORM.fullmatch(text)
    if not found or found["number"] == "0":
        raise Unknown(f"@{text[:60]}: no place in an answer; use {HELP}")
    return Trigger(Unit(found["event"]), int(found["number"] or 1), Relation(found["relation"] or "after"))
