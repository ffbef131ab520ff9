"""Weights in prompts: `(word:1.3)` weighs a part of the prompt 1.3 times, `(word)` 1.1 times, `[word]` 0.9 times; a
backslash before a bracket, a comma, a colon or a backslash makes it a plain character."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

ESCAPED = "()[]\\,:"
FACTORS = {"(": 1.1, "[": 0.9}
WEIGHT = re.compile(r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
"""The number after the last colon of a group. What follows it is ignored."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a prompt without its marks. `places`: where each character of `text` stands in the prompt."""

    text: str
    weight: float
    places: tuple[int, ...]


@dataclass
class _Reading:
    """What was read of a part so far."""

    letters: list[str] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    factors: list[float] = field(default_factory=list)

    def add(self, letter: str, place: int) -> None:
        self.letters.append(letter)
        self.places.append(place)

    def ended(self, factor: float = 1.0, length: int | None = None) -> Iterator[Part]:
        """The part, if it has any text, of its first `length` characters."""
        text = "".join(self.letters)[:length]
        begin, end = len(text) - len(text.lstrip()), len(text.rstrip())
        if text[begin:end]:
            weight = factor
            for one in self.factors:
                weight *= one
            yield Part(text[begin:end], weight, tuple(self.places[begin:end]))
        self.letters.clear()
        self.places.clear()


def parts_of(prompt: str) -> list[Part]:
    """The parts of a prompt in their order; commas are parts of their own, of weight 1 times that around them."""
    return list(_parts(prompt))


def _parts(prompt: str) -> Iterator[Part]:
    reading = _Reading()
    places = iter(range(len(prompt)))
    for place in places:
        letter = prompt[place]
        if letter == "\\" and prompt[place + 1 : place + 2] in ESCAPED and place + 1 < len(prompt):
            reading.add(prompt[place + 1], next(places))
        elif letter in FACTORS:
            yield from reading.ended()
            reading.factors.append(FACTORS[letter])
        elif letter == ")":
            yield from _group(reading)
        elif letter == "]":
            yield from reading.ended()
            if reading.factors:
                reading.factors.pop()
        elif letter == ",":
            yield from reading.ended()
            reading.add(letter, place)
            yield from reading.ended()
        else:
            reading.add(letter, place)
    yield from reading.ended()


def _group(reading: _Reading) -> Iterator[Part]:
    """The last part of a group that ends with a round bracket: a number after its last colon is its weight."""
    text = "".join(reading.letters)
    colon = text.rfind(":")
    number = WEIGHT.match(text, colon + 1) if colon >= 0 and reading.factors else None
    if number is None:
        yield from reading.ended()
    else:
        yield from reading.ended(float(number[1]), colon)
    if reading.factors:
        reading.factors.pop()
