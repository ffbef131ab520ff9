"""JSON that is too large to be read as a whole: what it has beside its large parts.

A part is an array or an object that is a member of the text's object. A text whose large parts are left out is read as
any other, so that a picture that is sent as numbers is told as that, and not as bad JSON.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

from local_dream_conformance.core.strict_json import DEEP, DEPTH, Parsed, count, parse

FEW = 100
"""Values of a part that is read in any case."""
MARKS = 25
"""Strings and brackets that may be looked at for each value that may be read: they are not kept."""
_STRING = r'"(?:[^"\\]|\\.)*+"'
_MARK = re.compile(rf"{_STRING}|[\[\]{{}}]", re.DOTALL)
_LIKE_JSON = re.compile(rf"(?:[-+0-9.eE,:\s\[\]{{}}]++|{_STRING}|true|false|null)*+", re.DOTALL)


@dataclass(frozen=True)
class Unread:
    """Stands for an array or an object that is too large to be read, of about so many values."""

    kind: str
    values: int

    def __repr__(self) -> str:
        return f"{self.kind} of about {self.values} values"


def parse_large(text: str, most: int) -> Parsed:
    """As `parse`, where a text has more than it reads: Unread stands for an array, and for large parts of an object.

    Of what is left out only the characters are judged. It counts among the values by its strings and brackets; a text
    that cannot be read without its large parts either counts as many as may be read.
    """
    parsed = parse(text, most)
    if parsed.values <= most and parsed.problem != DEEP:  # read, or of strings too long to be looked at again
        return parsed
    begun = text.lstrip(" \t\r\n")[:1]
    if begun == "[":
        return Parsed(Unread("an array", count(text)))
    return _outline(text, most, parsed) if begun == "{" else parsed


def _outline(text: str, most: int, unread: Parsed) -> Parsed:
    """The object in a text without its large parts; `unread` where it has too many others."""
    kept: list[str] = []
    parts: dict[str, Unread] = {}
    key, after, start, depth, deepest, marks = "", 0, 0, 0, 0, 0
    for found in _MARK.finditer(text):
        marks += 1
        if marks > MARKS * most:
            return replace(unread, values=most)
        mark = text[found.start()]
        if mark == '"':
            key = found[0] if depth == 1 else key
        elif mark in "[{":
            depth, deepest = depth + 1, max(deepest, depth + 1)
            start = found.start() if depth == 2 else start
            deepest = depth if depth == 2 else deepest
        else:
            depth -= 1
            if depth == 1 and (part := _part(text, start, found.end(), deepest)):
                if odd := part.odd:
                    return Parsed(None, odd, values=marks // MARKS)
                kept += text[after:start], "null"
                parts[key], after = Unread("an object" if mark == "}" else "an array", part.values), found.end()
    parsed = parse("".join((*kept, text[after:])), most)
    if parsed.unread:  # a long string, or too many small parts
        return replace(parsed, values=most)
    if isinstance(parsed.value, dict):
        parsed.value.update({json.loads(name): part for name, part in parts.items()})
    problem = f"{parsed.problem}, large parts left out" if parsed.problem and parts else parsed.problem
    return replace(parsed, problem=problem, values=parsed.values + marks // MARKS)


@dataclass(frozen=True)
class _Part:
    """A large part: how many values it has, and what in it cannot be JSON, "" where nothing is seen."""

    values: int
    odd: str


def _part(text: str, start: int, end: int, deepest: int) -> _Part | None:
    """The part between two characters of a text; None where it is small."""
    part = text[start:end]
    values = count(part)
    if values <= FEW and deepest <= DEPTH:
        return None
    like = _LIKE_JSON.match(part)
    stop = start + (like.end() if like else 0)
    return _Part(values, "" if stop == end else f"what is not JSON stands at character {stop}")
