"""Generated negative requests: made from the spec, by hypothesis, so that every one of them must be refused.

A request that a conformant server would accept is never made, so nothing is spent on one. What surrounds the mistake is
valid and small: a server that overlooks the mistake is not asked for a gigantic picture.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, given
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir, storage_directory

from local_dream_conformance.core import contract
from local_dream_conformance.core.exchange import ABSENT, End, Exchange, Request
from local_dream_conformance.core.fields import Field, documented

EACH = 3
"""So many requests are tried for each documented field of /generate."""
EACH_SIZE = 10
"""So many requests are tried for each way in which a size can be wrong."""
SHRINKING = 20
"""So many more are spent on making the first finding smaller."""
ACCEPTED = 4
"""After so many requests that were accepted, and may have cost work, no more are sent."""
SILENT = 2
"""After so many requests without an answer no more are sent: each may cost a whole idle time-out."""
SHRUNK = "shrunk"
"""Last part of the label of the smallest request that was not refused."""

SMALL_EDGE = 64
LONGEST_BODY = 600
NUMERAL = re.compile(r"[+-]?[0-9]+")
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


def bodies(plain: Mapping[str, Any]) -> list[st.SearchStrategy[dict[str, Any]]]:
    """Bodies for /generate, a strategy for each documented field: its type is wrong, the rest is as the spec allows.

    `plain` holds what a small request has.
    """
    valid = _surroundings()
    return [
        st.builds(lambda body, value, name=name: {**body, **plain, name: value}, valid, _wrong(field))
        for name, field in documented().items()
    ]


def _surroundings() -> st.SearchStrategy[dict[str, Any]]:
    """Valid objects: fields that the spec names, but for LEFT_OUT, and fields that nobody knows."""
    import schemathesis  # takes a second, which only runs that generate requests shall pay

    kept = {name: field.schema for name, field in documented().items() if name not in LEFT_OUT}
    content = {"application/json": {"schema": {"type": "object", "properties": kept}}}
    operation = {"requestBody": {"required": True, "content": content}, "responses": {"200": {"description": ""}}}
    document = {"openapi": "3.1.0", "info": {"title": "", "version": ""}, "paths": {"/generate": {"post": operation}}}
    loaded = schemathesis.openapi.from_dict(document)
    loaded.config.generation.codec = None  # hypothesis takes seconds to list the characters of a codec
    cases = loaded["/generate"]["POST"].as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE)
    bodies = cases.map(lambda case: case.body if isinstance(case.body, dict) else {})
    return bodies.map(lambda body: {name: value for name, value in body.items() if name not in LEFT_OUT})


def _wrong(field: Field) -> st.SearchStrategy[Any]:
    """JSON values of every type that the field must not have."""
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**40), 2**40),
        st.floats(allow_nan=False, allow_infinity=False, width=32),
        st.text(max_size=20),
    )
    values = st.one_of(leaves, st.lists(leaves, max_size=3), st.dictionaries(st.text(max_size=8), leaves, max_size=3))
    return values.filter(lambda value: not field.has_type(value))


def upscales(request: Callable[[str, str, bytes], Request]) -> list[st.SearchStrategy[Request]]:
    """Requests for /upscale, a strategy for each way in which their size can be wrong; none is zero or negative.

    `request` makes one of the values of the two headers and the body.
    """
    edge = contract.load().document["components"]["schemas"]["Edge"]
    small = st.integers(edge["minimum"], SMALL_EDGE).map(str)
    large = st.integers(edge["minimum"], edge["maximum"]).map(str)
    characters = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
    words = st.text(characters, max_size=8).filter(lambda word: not NUMERAL.fullmatch(word))
    lengths = st.integers(0, LONGEST_BODY)
    ways = [(words, small), (small, words), (small, small), (large, large)]
    return [
        st.builds(lambda width, height, length: request(width, height, bytes(length)), width, height, lengths).filter(
            lambda one: size_problem(one) != ""
        )
        for width, height in ways
    ]


class _NotRefused(Exception):
    """A generated request was not refused."""


def explore(
    ways: Sequence[st.SearchStrategy[Request]], each: int, send: Callable[[int, Request], Exchange], seed: int
) -> tuple[list[Exchange], Exchange | None]:
    """Sends `each` generated requests of every way until one is not refused, then smaller ones of its kind.

    Answers with all exchanges in order and with the one of the smallest request that was not refused. `send` gets the
    number of each. The same seed gives the same requests, as long as the answers are the same.
    """
    search = _Search(send, each * len(ways))
    with _without_traces(), suppress(_NotRefused):
        for way in ways:
            test = hypothesis.settings(
                max_examples=each,
                database=None,
                deadline=None,
                phases=(Phase.generate, Phase.shrink),
                suppress_health_check=list(HealthCheck),
                report_multiple_bugs=False,
                print_blob=False,
                verbosity=Verbosity.quiet,
            )(given(way)(search.attempt))
            hypothesis.seed(seed)(test)()
    return list(search.answers.values()), search.smallest


class _Search:
    """What was sent, what came back, and whether the search may go on."""

    def __init__(self, send: Callable[[int, Request], Exchange], limit: int) -> None:
        self.answers: dict[Request, Exchange] = {}
        self.smallest: Exchange | None = None
        self._send = send
        self._limit = limit

    def attempt(self, request: Request) -> None:
        """Sends a request, unless it was sent before or no more are to be sent. Raises _NotRefused."""
        if request not in self.answers:
            if self._is_over():
                return
            self.answers[request] = self._send(len(self.answers), request)
        exchange = self.answers[request]
        if refused(exchange) or exchange.end is End.UNREACHABLE:
            return
        if self.smallest is None:
            self._limit = len(self.answers) + SHRINKING
        elif exchange.status != self.smallest.status:
            return  # another fault than the one that is being made smaller
        self.smallest = exchange
        raise _NotRefused

    def _is_over(self) -> bool:
        seen = self.answers.values()
        accepted = sum(exchange.status == 200 for exchange in seen)
        silent = sum(exchange.status is None and exchange.end is not End.RESET for exchange in seen)
        absent = any(exchange.status in ABSENT for exchange in seen)
        return accepted >= ACCEPTED or silent >= SILENT or absent or len(seen) >= self._limit


@contextmanager
def _without_traces() -> Iterator[None]:
    """Keeps hypothesis from writing into the working directory."""
    before = storage_directory(intent_to_write=False).home_directory
    with tempfile.TemporaryDirectory(prefix="local-dream-") as folder:
        set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            set_hypothesis_home_dir(before)
