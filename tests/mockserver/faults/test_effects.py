"""Every fault and quirk of the mock really changes what is answered, and without any the server is the honest one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest
from starlette.applications import Starlette

from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.catalogue import Fault, Layer, Quirk, entries
from local_dream_mockserver.faults.entries import forms, overlooked, timing
from local_dream_mockserver.faults.hooks import HONEST, FaultHooks
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine, SyntheticPicture, SyntheticStep
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.engine import Cancelled, GenerationRequest
from tests.matrix.expectations import expected_of
from tests.matrix.standing import key_of
from tests.mockserver.faults import requests
from tests.mockserver.faults.direct import PATIENCE, Answer, Ask, alive, ask

SETTINGS = ServerSettings(seed=2)
"""The first seed that it picks is below 2^31."""
SHORT = 0.2
"""How long the client of a server waits that is known never to answer."""
TIMES = re.compile(rb'(_time_ms":)[0-9]{1,5}\b')
DURATION = (b"x-duration-ms",)

TWO_CLIENTS = {
    *(name for name, entry in entries().items() if "busy" in entry.extensions),
    "busy-409",
    "busy-429",
    "busy-503",
    "health-busy",
    "health-waits",
    "hang-up-breaks-the-engine",
    "hang-up-reaches-the-next",
    "hang-up-unnoticed",
    "hang-up-wedges",
    "hang-up-while-behind-wedges",
    "overlap-mixes-pictures",
    "overlap-refused-bare",
    "overlap-refused-with-500",
    "overlap-stops-the-first",
    "overlap-told-in-a-stream",
    "refusal-ends-the-generation",
    "third-never-served",
    "total-steps-of-the-latest",
    "waiting-client-stops-the-queue",
}
"""Seen only where a second client comes, or the first one goes: `test_company`."""
TIMING = {
    *("events-held-back", "events-buffered", "events-in-pairs", "events-in-fives", "queued-in-silence"),
    *("slow-to-refuse", "time-zero", "time-in-microseconds", "duration-zero", "every-second-event-flushed"),
}
"""Change when something is said, or times, which these tests do not compare."""
BEFORE_HTTP = {"garbage-gets-200", "torn-chunks-unread"}


def named_in(module: ModuleType) -> list[str]:
    """The names in a module of the catalogue: those in its tables, and those of its functions."""
    tables = re.findall(r'^    "([a-z0-9-]+)(?:[:@]| \()', Path(str(module.__file__)).read_text("utf-8"), re.MULTILINE)
    return [*tables, *(name.replace("_", "-") for name in vars(module))]


ELSEWHERE = {
    *(name for name, entry in entries().items() if {"control", "prompt_weights"} & {*entry.extensions}),
    *(name for name in entries() if name.startswith("dies-")),
    *("busy-after-a-hang-up", "eulera-is-dpm", "eulera-is-euler", "tokens-without-limit", "upscaler-path-ignored"),
    *(name for module in (forms, overlooked, timing) for name in named_in(module)),
}
"""Seen in odd forms of requests, in time, by the server's end, or at another port: the matrix fails where one was
never served."""

ENTRIES = {name: entry for name, entry in entries().items() if entry.layer is not Layer.WIRE}


def asked(layer: Layer) -> Iterator[Ask]:
    """The requests in which something of a layer shows."""
    if layer is Layer.UPSCALE:
        yield from requests.upscales()
        return
    if layer is Layer.EXTENSION:
        yield from requests.extensions()
        return
    yield from requests.generations()
    if layer is not Layer.PICTURE:
        yield from requests.refusals()
    if layer is Layer.REQUEST:
        yield from requests.upscales()
        yield from requests.others()
        yield requests.LAST


async def answers(app: Starlette, layer: Layer, patience: float = PATIENCE) -> list[Answer]:
    """What a server answers to them, without the times that vary from run to run."""
    async with alive(app):
        return [_timeless(await ask(app, request, patience)) for request in asked(layer)]


def _timeless(answer: Answer) -> Answer:
    headers = tuple((name, value if name not in DURATION else _short(value)) for name, value in answer.headers)
    return Answer(answer.status, headers, TIMES.sub(rb"\g<1>0", answer.body), answer.ended)


def _short(value: bytes) -> bytes:
    return b"0" if re.fullmatch(rb"[0-9]{1,5}", value) else value


class Remembering(SyntheticEngine):
    """Paints each picture once for all tests."""

    made: ClassVar[dict[tuple[object, ...], list[SyntheticStep | SyntheticPicture]]] = {}

    def generate(self, request: GenerationRequest, cancelled: Cancelled) -> Iterator[SyntheticStep | SyntheticPicture]:
        key = key_of(request)
        if key not in self.made:
            self.made[key] = list(super().generate(request, cancelled))
        yield from self.made[key]


def engine() -> SyntheticEngine:
    return Remembering(Pacing(first=0, step=0))


@pytest.fixture(scope="module")
def honest() -> dict[Layer, list[Answer]]:
    """The answers of the honest server."""
    layers = {entry.layer for entry in ENTRIES.values()}
    return {layer: asyncio.run(answers(create_app(engine(), SETTINGS), layer)) for layer in layers}


def altered(alteration: FaultHooks) -> Starlette:
    return create_faulty_app(engine(), SETTINGS, lambda scope: alteration)


@pytest.mark.parametrize("layer", sorted({entry.layer for entry in ENTRIES.values()}))
def test_without_faults_the_server_is_the_honest_one(layer: Layer, honest: dict[Layer, list[Answer]]) -> None:
    assert asyncio.run(answers(altered(HONEST), layer)) == honest[layer]


@pytest.mark.parametrize("name", sorted(ENTRIES.keys() - TWO_CLIENTS - BEFORE_HTTP - ELSEWHERE))
def test_it_changes_what_is_answered(name: str, honest: dict[Layer, list[Answer]]) -> None:
    entry = ENTRIES[name]
    alteration = entry.make(entry.place)
    assert isinstance(alteration, FaultHooks)
    never = "idle-timeout" in expected_of(name).options
    changed = asyncio.run(answers(altered(alteration), entry.layer, SHORT if never else PATIENCE))
    assert alteration.applied > 0
    assert changed != honest[entry.layer] or name in TIMING


def test_the_catalogue_is_as_large_as_it_says() -> None:
    assert sum(isinstance(entry, Fault) for entry in ENTRIES.values()) >= 340
    assert sum(isinstance(entry, Quirk) for entry in ENTRIES.values()) >= 70
