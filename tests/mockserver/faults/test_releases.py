"""The personalities of the recorded releases against the recordings: the same but for pixels and times."""

from __future__ import annotations

import asyncio
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.recordings import archive
from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.emulated.releases import personalities
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.engine import UnknownUpscaler
from tests.mockserver.faults.direct import Answer, Ask, alive, ask

RECORDED = {"2.4": "local-dream-2.4.3", "2.7": "local-dream-2.7"}
FOLDER = Path(__file__).parents[2] / "recordings"


@cache
def release(name: str) -> dict[str, Exchange]:
    """The exchanges of a recording by label."""
    transcripts = [archive.load(FOLDER / name, probe) for probe in archive.names(FOLDER / name)]
    return {exchange.label: exchange for transcript in transcripts for exchange in transcript.exchanges}


CASES = [(name, label) for name, folder in RECORDED.items() for label in release(folder)]
NOT_COMPARED = {"connection", "transfer-encoding", "content-length", "date", "keep-alive"}
"""Headers that the HTTP library of either side adds for a connection."""


class Phone(SyntheticEngine):
    """Has the upscaler that the recordings ask for."""

    def resolve_upscaler(self, path: str) -> str:
        if path == "up.mnn":
            return super().resolve_upscaler("default")
        raise UnknownUpscaler("no such model")


def answered(name: str, exchange: Exchange) -> Answer:
    """What the personality answers to a recorded request."""
    alteration = personalities()[name].make()
    app = create_faulty_app(Phone(Pacing(first=0, step=0)), None, lambda scope: alteration)
    headers = {key.lower(): value for key, value in exchange.request.headers if key.lower() != "connection"}
    request = Ask(exchange.request.method, exchange.request.target, exchange.request.body, headers)

    async def run() -> Answer:
        async with alive(app):
            return await ask(app, request)

    return asyncio.run(run())


def compared(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    kept = [(name.lower(), value) for name, value in headers if name.lower() not in NOT_COMPARED]
    return sorted((name, value if name != "x-duration-ms" else "?") for name, value in kept)


def events(body: bytes) -> list[tuple[str, list[str], dict[str, Any]]]:
    """Name, keys in their order and values of each event; pictures only by whether they are there."""
    found = []
    for block in body.decode().split("\n\n")[:-1]:
        name, data = re.fullmatch(r"event: (\w+)\ndata: (.*)", block).groups()  # type: ignore[union-attr]
        value = json.loads(data)
        for key in ("image", "generation_time_ms", "first_step_time_ms"):
            if key in value:
                value[key] = "?"
        found.append((name, list(value), value))
    return found


@pytest.mark.parametrize(("name", "label"), CASES, ids=[f"{name}:{label}" for name, label in CASES])
def test_a_personality_answers_as_recorded(name: str, label: str) -> None:
    recorded = release(RECORDED[name])[label]
    answer = answered(name, recorded)
    assert answer.status == recorded.status
    assert compared([(key.decode(), value.decode()) for key, value in answer.headers]) == compared(
        list(recorded.headers)
    )
    if recorded.media_type == "text/event-stream":
        theirs = events(recorded.body)
        if "seed" not in json.loads(recorded.request.body):
            theirs[-1][2]["seed"] = events(answer.body)[-1][2]["seed"]
        assert events(answer.body) == theirs
    elif recorded.media_type != "image/jpeg":
        assert answer.body == recorded.body


@pytest.mark.parametrize("name", RECORDED)
def test_the_pictures_are_coded_as_they_say(name: str) -> None:
    exchange = release(RECORDED[name])["formats/png"]
    last = answered(name, exchange).body.decode().split("\n\n")[-2]
    picture = json.loads(last.split("data: ")[1])
    begins = "iVBOR" if name == "2.7" else "" if "format" not in picture else "?"
    assert picture["image"].startswith(begins)
    assert picture.get("format") == ("png" if name == "2.7" else None)
