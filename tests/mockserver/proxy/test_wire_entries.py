"""Every fault and quirk of the wire before the real mock server."""

from __future__ import annotations

import re

import httpx
import numpy as np
import pytest

from local_dream_mockserver.faults.catalogue import Fault, Layer, Quirk, entries
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.proxy.mutator import ResponseMutator
from local_dream_mockserver.server.app import create_app
from tests.matrix.standing import proxying, serving
from tests.mockserver.live_server import events_of, small

WIRE = [entry for entry in entries().values() if entry.layer is Layer.WIRE]
FAULTS = [entry for entry in WIRE if isinstance(entry, Fault)]
QUIRKS = [entry for entry in WIRE if isinstance(entry, Quirk)]
SIZE = {"X-Image-Width": "5", "X-Image-Height": "3", "X-Upscaler-Path": "default"}
RGB = np.arange(45, dtype=np.uint8).tobytes()
LONG = httpx.Timeout(20)
SOON = httpx.Timeout(20, read=1)
"""Faults that keep silent are told by a time-out; on a slow machine others may be too, and are broken all the same."""
ELSEWHERE = ("held-back", "closed-after-refusal", "refusal-longer-than-announced")
"""Faults that show in the time of an answer, or on a connection that is kept."""
ASKED = small("a house", seed=4, steps=4, show_diffusion_process=True)


def ask(url: str, patience: httpx.Timeout) -> list[tuple[int, bytes, httpx.Headers] | str]:
    """What an ordinary client gets of a refusal, a generation, an upscale and /health, each on a connection of its own:
    an answer, or an exception's name."""
    told: list[tuple[int, bytes, httpx.Headers] | str] = []
    with httpx.Client(base_url=url, timeout=patience, limits=httpx.Limits(max_keepalive_connections=0)) as client:
        for request in (
            client.build_request("POST", "/generate", json={}),
            client.build_request("POST", "/generate", json=ASKED),
            client.build_request("POST", "/upscale", content=RGB, headers=SIZE),
            client.build_request("GET", "/health"),
        ):
            try:
                answer = client.send(request)
                told.append((answer.status_code, answer.content, answer.headers))
            except httpx.HTTPError as error:
                told.append(type(error).__name__)
    return told


def stripped(told: tuple[int, bytes, httpx.Headers] | str) -> object:
    """Without what differs between two honest answers: times."""
    if isinstance(told, str):
        return told
    status, body, headers = told
    kept = sorted((name, value) for name, value in headers.items() if name not in ("date", "x-duration-ms"))
    if headers.get("content-type", "").startswith("text/event-stream"):
        pieces = [piece for piece in body.split(b"\n\n") if b"generation_time_ms" not in piece]
        return status, pieces, re.findall(b'"image":"([^"]*)', body), kept, body[-3:]
    return status, body, kept


@pytest.fixture(scope="module")
def upstream() -> object:
    with serving(create_app(SyntheticEngine(Pacing(first=0, step=0)))) as url:
        yield url


@pytest.mark.parametrize("entry", FAULTS, ids=lambda entry: entry.name)
def test_a_fault_changes_what_a_client_gets(entry: Fault, upstream: str) -> None:
    made = entry.make(entry.place)
    assert isinstance(made, ResponseMutator)
    honest = ask(upstream, LONG)
    with proxying(upstream, made) as url:
        bent = ask(url, SOON)
    assert made.applied > 0
    if entry.name not in ELSEWHERE:
        assert [stripped(one) for one in bent] != [stripped(one) for one in honest]
    if "/health" not in made.paths:
        assert not isinstance(bent[3], str)
        assert bent[3][0] == 200


@pytest.mark.parametrize("entry", QUIRKS, ids=lambda entry: entry.name)
def test_a_quirk_changes_nothing_that_is_said(entry: Quirk, upstream: str) -> None:
    made = entry.make(entry.place)
    assert isinstance(made, ResponseMutator)
    honest = ask(upstream, LONG)
    with proxying(upstream, made) as url:
        bent = ask(url, LONG)
    assert made.applied > 0
    for one, other in zip(honest, bent, strict=True):
        assert not isinstance(one, str)
        assert not isinstance(other, str)
        assert one[0] == other[0]
    assert bent[2][1] == honest[2][1]
    assert pictures(bent[1]) == pictures(honest[1])


def pictures(told: tuple[int, bytes, httpx.Headers] | str) -> list[object]:
    """The pictures of a stream, comments taken out."""
    assert not isinstance(told, str)
    lines = told[1].decode().split("\n")
    return [event.get("image") for event in events_of("\n".join(line for line in lines if not line.startswith(":")))]
