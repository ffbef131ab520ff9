"""Weights in prompts: `(word:1.3)` weighs a part of the prompt 1.3 times, `(word)` 1.1 times, `[word]` 0.9 times; a
backslash before a bracket, a comma, a colon or a backslash makes it a plain character."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

ESCAPED = "()[]\\,:"
FACTORS = {"(": 1.1, "[": 0.9}
MARKS = frozenset("()[]\\")
WEIGHT = re.compile(r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
"""The number after the last colon of a group: its weight. What follows it is ignored."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a prompt without its marks. `places`: where each character of `text` stands in the prompt."""

    text: str
    weight: float
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unweighted:
    """A prompt without the marks of its weights. `places` says for each character, and for the end, where it stands in
    the prompt as it was sent."""

    text: str
    places: tuple[int, ...]

    @classmethod
    def of(cls, prompt: str) -> Unweighted:
        """The prompt as it is."""
        return cls(prompt, tuple(range(len(prompt) + 1)))

    def place(self, offset: int) -> int:
        """Where a character of the text stands in the prompt."""
        return self.places[min(offset, len(self.places) - 1)]


def without_weights(prompt: str) -> Unweighted:
    """The prompt as it is where it has no marks; else its parts, with the spaces between them."""
    if not set(prompt) & MARKS:
        return Unweighted.of(prompt)
    letters: list[str] = []
    places: list[int] = []
    end = 0
    for part in parts_of(prompt):
        between = prompt[end : part.places[0]]
        if letters and (space := next((place for place, one in enumerate(between, end) if one.isspace()), None)):
            letters.append(" ")
            places.append(space)
        letters.extend(part.text)
        places.extend(part.places)
        end = part.places[-1] + 1
    return Unweighted("".join(letters), (*places, len(prompt)))


class _Reading:
    """What was read so far: the parts of each open group, the outermost first, and the text since the last mark."""

    def __init__(self) -> None:
        self.groups: list[list[Part]] = [[]]
        self.letters: list[str] = []
        self.places: list[int] = []

    def add(self, letter: str, place: int) -> None:
        self.letters.append(letter)
        self.places.append(place)

    def end_part(self, length: int | None = None) -> None:
        """Ends the text, of which the first `length` characters count, where it has any but spaces."""
        text = "".join(self.letters)[:length]
        begin, end = len(text) - len(text.lstrip()), len(text.rstrip())
        if text[begin:end]:
            self.groups[-1].append(Part(text[begin:end], 1.0, tuple(self.places[begin:end])))
        self.letters.clear()
        self.places.clear()

    def begin_group(self) -> None:
        self.end_part()
        self.groups.append([])

    def end_group(self, factor: float) -> None:
        """Weighs the innermost group, if one is open."""
        if len(self.groups) > 1:
            group = self.groups.pop()
            self.groups[-1] += [replace(part, weight=part.weight * factor) for part in group]

    def written(self) -> tuple[float, int] | None:
        """The weight at the end of the text, and where its colon stands."""
        text = "".join(self.letters)
        colon = text.rfind(":")
        number = WEIGHT.match(text, colon + 1) if colon >= 0 and len(self.groups) > 1 else None
        return (float(number[1]), colon) if number else None


def parts_of(prompt: str) -> list[Part]:
    """The parts of a prompt between its brackets, in their order."""
    reading = _Reading()
    opened: list[str] = []
    places = iter(range(len(prompt)))
    for place in places:
        letter = prompt[place]
        if letter == "\\" and place + 1 < len(prompt) and prompt[place + 1] in ESCAPED:
            reading.add(prompt[place + 1], next(places))
        elif letter in FACTORS:
            reading.begin_group()
            opened.append(letter)
        elif letter in ")]":
            written = reading.written() if letter == ")" else None
            reading.end_part(written[1] if written else None)
            factor = FACTORS[opened.pop()] if opened else 1.0
            reading.end_group(written[0] if written else factor)
        else:
            reading.add(letter, place)
    reading.end_part()
    while opened:
        reading.end_group(FACTORS[opened.pop()])
    return reading.groups[0]
