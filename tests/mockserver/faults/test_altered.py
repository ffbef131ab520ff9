"""The hooks around the honest server, each seen from the client's side over a real port."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import numpy as np
from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.hooks import HONEST, FaultHooks, Reader, Stack
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError
from local_dream_mockserver.server.upscale import UpscaleAnswer, UpscaleRequest
from tests.mockserver.live_server import PATIENCE, events_of, running, small


class Everything(FaultHooks):
    """Uses every hook, and counts."""

    def wrap(self, app: ASGIApp) -> ASGIApp:
        async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] == "/health":
                self.happened()
                await APIError(503, "out of order").response()(scope, receive, send)
            else:
                await app(scope, receive, send)

        return refusing

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        self.happened()
        return honest(json.dumps({**json.loads(body), "steps": 2}).encode())

    def asked(self, request: GenerationRequest) -> GenerationRequest:
        self.happened()
        return replace(request, prompt="another")

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        async for message in messages:
            if message.kind == "complete":
                self.happened()
                yield message.with_(extra=request.steps)
            else:
                yield message

    async def pieces(self, pieces: AsyncIterator[bytes], request: GenerationRequest) -> AsyncIterator[bytes]:
        async for piece in pieces:
            yield piece
        self.happened()
        yield b"event: error\ndata: {}\n\n"

    def upscaled(self, answer: UpscaleAnswer, request: UpscaleRequest) -> UpscaleAnswer:
        self.happened()
        return replace(answer, width=request.width)


def ask(alteration: FaultHooks, body: dict[str, object]) -> list[dict[str, object]]:
    """The events of one generation."""
    engine = SyntheticEngine(Pacing(first=0, step=0))
    with running(create_faulty_app(engine, None, lambda scope: alteration)) as url:
        return events_of(httpx.post(f"{url}/generate", json=body, timeout=PATIENCE).text)


def test_every_hook_of_generate_is_used() -> None:
    alteration = Everything()
    asked = small("a house", seed=5, steps=7)
    events = ask(alteration, asked)
    honest = ask(HONEST, asked | {"steps": 2, "prompt": "another"})
    assert [event.get("type") for event in events] == ["progress", "progress", "complete", None]
    assert events[2]["extra"] == 2
    assert events[2]["image"] == honest[2]["image"]
    assert alteration.applied == 4


def test_door_and_upscale() -> None:
    alteration = Everything()
    rgb = np.zeros((2, 3, 3), np.uint8).tobytes()
    headers = {"X-Image-Width": "3", "X-Image-Height": "2", "X-Upscaler-Path": "default"}
    engine = SyntheticEngine()
    with running(create_faulty_app(engine, None, lambda scope: alteration)) as url:
        assert httpx.get(f"{url}/health").status_code == 503
        answer = httpx.post(f"{url}/upscale", content=rgb, headers=headers, timeout=PATIENCE)
    assert answer.headers["x-output-width"] == "3"
    assert answer.headers["x-output-height"] == "8"
    assert alteration.applied == 2


def test_a_stack_goes_from_the_server_outwards() -> None:
    class Adds(FaultHooks):
        def __init__(self, word: str) -> None:
            super().__init__()
            self.word = word

        async def messages(
            self, messages: AsyncIterator[Message], request: GenerationRequest
        ) -> AsyncIterator[Message]:
            async for message in messages:
                yield message.with_(words=message.payload.get("words", "") + self.word)

        def asked(self, request: GenerationRequest) -> GenerationRequest:
            return replace(request, prompt=request.prompt + self.word)

    events = ask(Stack([Adds("one"), Adds("two")]), small("x", seed=1))
    honest = ask(HONEST, small("xonetwo", seed=1))
    assert {event["words"] for event in events} == {"onetwo"}
    assert events[-1]["image"] == honest[-1]["image"]


def test_the_alteration_is_chosen_for_each_request() -> None:
    alteration = Everything()

    def choose(scope: Scope) -> FaultHooks:
        return alteration if (b"x-mock-fault", b"everything") in scope["headers"] else HONEST

    with running(create_faulty_app(SyntheticEngine(), None, choose)) as url:
        assert httpx.get(f"{url}/health").status_code == 200
        assert httpx.get(f"{url}/health", headers={"X-Mock-Fault": "everything"}).status_code == 503
        assert httpx.get(f"{url}/health").status_code == 200
