"""Generated negative requests: drawn at random from the spec, so that every one of them must be refused.

A request that a conformant server would accept is never made, so nothing is spent on one. What surrounds the mistake is
valid and small: a server that overlooks the mistake is not asked for a gigantic picture, nor for one without a pixel.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from local_dream_conformance.core import contract
from local_dream_conformance.core.exchange import ABSENT, End, Exchange, Request
from local_dream_conformance.core.fields import documented
from local_dream_conformance.scenarios import json_values
from local_dream_conformance.scenarios.destructive import LARGEST_SAFE, is_safe_edge, is_safe_size

EACH = 3
"""So many requests are tried for each documented field of /generate."""
EACH_SIZE = 10
"""So many requests are tried for each way in which a size can be wrong."""
SHRINKING = 20
"""So many more are spent on making the first finding smaller."""
ACCEPTED = 2
"""After so many requests that were accepted, and may have cost work, no more are sent."""
SILENT = 2
"""After so many requests without an answer no more are sent: each may cost a whole idle time-out."""
SHRUNK = "shrunk"
"""Last part of the label of the smallest request that was not refused."""

MOST_STEPS = 8
"""A server that reads any number as a number of steps is not kept busy for longer."""
SMALL_EDGE = 64
LONGEST_BODY = 600
NUMERAL = re.compile(r"[+-]?[0-9]+")
SIMPLEST: tuple[Any, ...] = ("", 0, [], {}, None, True, 0.5)
"""Short values of every type, the shortest first."""
LEFT_OUT = ("steps", "width", "height", "image", "mask", "show_diffusion_stride")
"""Fields that decide how much work a request is, or could be refused for another reason: not left to chance."""


def refused(exchange: Exchange) -> bool:
    """Whether a generated request was answered as all of them must be: with status 400."""
    return exchange.status == 400


def wrongly_typed(body: Mapping[str, Any]) -> list[str]:
    """The documented fields of a request whose JSON type is wrong; null is right wherever the spec has it."""
    return [name for name, field in documented().items() if name in body and not field.has_type(body[name])]


def size_problem(request: Request) -> str:
    """Why an upscale must be refused: a size that is no integer, or does not fit the body. "" where it need not."""
    sizes: list[int] = []
    for name in ("X-Image-Width", "X-Image-Height"):
        text = request.header(name) or ""
        if not NUMERAL.fullmatch(text):
            return f"{name}: {text!r} is not an integer"
        sizes.append(int(text))
    wanted = sizes[0] * sizes[1] * 3
    if wanted != len(request.body):
        return f"{sizes[0]} * {sizes[1]} * 3 is {wanted}, and the body has {len(request.body)} bytes"
    return ""


@dataclass(frozen=True)
class Way:
    """One way in which requests are wrong: how one is drawn, and what is tried to make it smaller."""

    draw: Callable[[Random], Request]
    smaller: Callable[[Request], Iterator[Request]]


def bodies(plain: Mapping[str, Any], request: Callable[[dict[str, Any]], Request]) -> list[Way]:
    """Requests for /generate, a way for each documented field: its type is wrong, the rest is as the spec allows.

    `plain` holds what a small request has; `request` makes one of a body.
    """

    def way(field: str) -> Way:
        def draw(random: Random) -> Request:
            return request({**_surroundings(random), **plain, field: _wrong(random, field)})

        def smaller(one: Request) -> Iterator[Request]:
            return (request(body) for body in _smaller_bodies(one.json, field, {*plain, field}))

        return Way(draw, smaller)

    return [way(field) for field in documented()]


def _surroundings(random: Random) -> dict[str, Any]:
    """A valid object: fields that the spec names, but for LEFT_OUT, and fields that nobody knows."""
    kept = {name: field.schema for name, field in documented().items() if name not in LEFT_OUT}
    return {name: value for name, value in json_values.fields(random, kept).items() if name not in LEFT_OUT}


def _wrong(random: Random, field: str) -> Any:
    """A JSON value of a type that the field must not have."""
    while True:
        value = json_values.anything(random)
        if _may_be_sent(field, value):
            return value


def _may_be_sent(field: str, value: Any) -> bool:
    """Whether a value is of a wrong type, and no more dangerous for that than it would be of the right one."""
    if documented()[field].has_type(value):
        return False
    if field in ("width", "height"):
        return is_safe_size(value)
    return field != "steps" or not isinstance(value, int | float) or value <= MOST_STEPS


def _smaller_bodies(body: dict[str, Any], field: str, needed: set[str]) -> Iterator[dict[str, Any]]:
    """The body without what it does not need, at once and one by one; and with a shorter wrong value."""
    yield {name: value for name, value in body.items() if name in needed}
    for name in [name for name in body if name not in needed]:
        yield {other: value for other, value in body.items() if other != name}
    for value in SIMPLEST:
        if _may_be_sent(field, value):
            yield {**body, field: value}


def upscales(request: Callable[[str, str, bytes], Request]) -> list[Way]:
    """Requests for /upscale, a way for each way in which their size can be wrong; none is zero, negative, or too large
    for a phone's memory.

    `request` makes one of the values of the two headers and the body.
    """
    edge = contract.load().document["components"]["schemas"]["Edge"]

    def small(random: Random) -> str:
        return str(random.randint(edge["minimum"], SMALL_EDGE))

    def large(random: Random) -> str:
        return str(random.randint(edge["minimum"], LARGEST_SAFE))

    def word(random: Random) -> str:
        """No numeral, of visible ASCII."""
        while True:
            text = "".join(chr(random.randint(0x21, 0x7E)) for _ in range(random.randrange(9)))
            if not NUMERAL.fullmatch(text) and is_safe_edge(text):
                return text

    def way(width: Callable[[Random], str], height: Callable[[Random], str]) -> Way:
        def draw(random: Random) -> Request:
            while True:
                one = request(width(random), height(random), bytes(random.randint(0, LONGEST_BODY)))
                if size_problem(one):
                    return one

        return Way(draw, smaller)

    def smaller(one: Request) -> Iterator[Request]:
        width, height = one.header("X-Image-Width") or "", one.header("X-Image-Height") or ""
        tried = [
            request(width, height, b""),
            *(request(shorter, height, one.body) for shorter in _shorter(width)),
            *(request(width, shorter, one.body) for shorter in _shorter(height)),
        ]
        return (candidate for candidate in tried if size_problem(candidate))

    return [way(word, small), way(small, word), way(small, small), way(large, large)]


def _shorter(size: str) -> tuple[str, ...]:
    """What a header's value may become, so that it is wrong for the same reason."""
    if NUMERAL.fullmatch(size):
        return ("1",)
    return tuple(word for word in ("", size[:1]) if not NUMERAL.fullmatch(word))


def explore(
    ways: Sequence[Way], each: int, send: Callable[[int, Request], Exchange], seed: int
) -> tuple[list[Exchange], Exchange | None]:
    """Sends `each` generated requests of every way until one is not refused, then smaller ones of its kind.

    Answers with all exchanges in order and with the one of the smallest request that was not refused. `send` gets the
    number of each. The same seed gives the same requests, as long as the answers are the same.
    """
    search = _Search(send)
    for number, way in enumerate(ways):
        random = Random(f"{seed}/{number}")
        for _ in range(each):
            if search.is_over():
                break
            request = way.draw(random)
            if not _is_settled(search.answer(request)):
                smallest = search.shrunk(request, way)
                return list(search.answers.values()), smallest
    return list(search.answers.values()), None


def _is_settled(exchange: Exchange) -> bool:
    """Whether an answer gives no reason to look closer."""
    return refused(exchange) or exchange.end is End.UNREACHABLE


class _Search:
    """What was sent, what came back, and whether the search may go on."""

    def __init__(self, send: Callable[[int, Request], Exchange]) -> None:
        self.answers: dict[Request, Exchange] = {}
        self._send = send

    def answer(self, request: Request) -> Exchange:
        """The answer to a request, which is sent once."""
        if request not in self.answers:
            self.answers[request] = self._send(len(self.answers), request)
        return self.answers[request]

    def shrunk(self, request: Request, way: Way) -> Exchange:
        """The answer to the smallest request found that is answered like this one, after SHRINKING more at most."""
        found = self.answers[request]
        limit = len(self.answers) + SHRINKING
        shrinks = True
        while shrinks:
            shrinks = False
            for candidate in way.smaller(request):
                if _length(candidate) >= _length(request):
                    continue
                if self.is_over() or len(self.answers) >= limit:
                    return found
                exchange = self.answer(candidate)
                if not _is_settled(exchange) and exchange.status == found.status:  # else it is another fault
                    request, found, shrinks = candidate, exchange, True
                    break
        return found

    def is_over(self) -> bool:
        seen = self.answers.values()
        accepted = sum(exchange.status == 200 for exchange in seen)
        silent = sum(exchange.status is None and exchange.end is not End.RESET for exchange in seen)
        absent = any(exchange.status in ABSENT for exchange in seen)
        return accepted >= ACCEPTED or silent >= SILENT or absent


def _length(request: Request) -> int:
    return len(request.body) + sum(len(value) for _, value in request.headers)
