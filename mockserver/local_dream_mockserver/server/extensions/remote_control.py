"""Extension control: another device chooses what runs here, by an API on a port of its own.

The one model of the engine is what can be selected, or upscaling alone. What was stopped answers no generation until
something is selected again; nothing is unloaded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.server import clock
from local_dream_mockserver.server.access import expect_own_origin, expect_token
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.connection import read_body
from local_dream_mockserver.server.engine import Engine, GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.strict_json import read_object

NAME = "control"
KEY = "mockserver.control"
"""Where the scope of a request to the control port has the RemoteControl."""
UPSCALER = "__upscaler__"
"""What is selected for upscaling alone."""
MOST_BODY = 64 * 1024
"""Longest body of the control API, in bytes."""
SIDE = 512
"""Width and height of a selection that names none."""
INFO, MODELS, STATUS, SELECT, STOP = "/info", "/models", "/status", "/select", "/stop"
GENERATES = ("/generate", "/tokenize")
WORKS = (*GENERATES, "/upscale")


@dataclass(frozen=True, slots=True)
class Selected:
    """What runs, for pictures of this size in pixels."""

    model: str
    width: int
    height: int


class RemoteControl:
    """What is there, and what of it runs. In the event loop alone."""

    def __init__(self, engine: Engine, settings: ServerSettings) -> None:
        described = engine.describe()
        self.engine = engine
        self.model = described.name if settings.generate else None
        self._runs: Selected | None = Selected(self.model or UPSCALER, described.native_size, described.native_size)
        self._stops_at: float | None = None
        self.last: str | None = self._runs.model
        """What was selected last, None where it was stopped."""

    @property
    def runs(self) -> Selected | None:
        """What runs; None after it was stopped."""
        if self._stops_at is not None and clock.monotonic() >= self._stops_at:
            self._runs = self._stops_at = None
        return self._runs

    def has(self, model: str) -> bool:
        """Whether it can be selected."""
        return model in (UPSCALER, self.model)

    def select(self, model: str, width: int, height: int) -> None:
        """It runs from now on. To be asked whether it is there before."""
        self._runs, self._stops_at, self.last = Selected(model, width, height), None, model

    def stop(self, grace: float = 0.0) -> None:
        """What runs, runs for so many seconds more, where nothing is selected meanwhile."""
        self.last = None
        if self._runs is not None:
            self._stops_at = clock.monotonic() + grace

    def status(self) -> dict[str, Any]:
        """The answer of GET /status."""
        runs = self.runs
        return {
            "serving_model_id": runs and runs.model,
            "state": "idle" if runs is None else "running",
            "message": None,
            "error_model_id": None,
            "width": runs and runs.width,
            "height": runs and runs.height,
        }

    def models(self) -> dict[str, Any]:
        """The answer of GET /models."""
        upscalers = [{"id": one.name, "path": one.file or one.name} for one in self.engine.upscalers()]
        models = [] if self.model is None else [self._described(self.model)]
        return {"use_img2img": True, "models": models, "upscalers": upscalers}

    def _described(self, model: str) -> dict[str, Any]:
        described, usual = self.engine.describe(), GenerationRequest(prompt="", seed=0)
        return {
            "id": model,
            "name": model,
            "description": f"on {described.device}",
            "run_on_cpu": described.device.startswith("cpu"),
            "is_sdxl": False,
            "is_anima": False,
            "dit_kind": "",
            "is_custom": False,
            "generation_size": described.native_size,
            "defaults": {
                "prompt": usual.prompt,
                "negative_prompt": usual.negative_prompt,
                "steps": usual.steps,
                "cfg": usual.cfg,
                "scheduler": usual.scheduler,
            },
            "resolutions": [[described.native_size, described.native_size]],
        }


class ControlPort:
    """ASGI middleware that tells requests to the control port from others, by a mark in their scope, and lets nothing
    work on the other port that was not selected."""

    def __init__(self, app: ASGIApp, remote: RemoteControl, port: int) -> None:
        self.app = app
        self.remote = remote
        self.port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if (scope.get("server") or ("", None))[1] == self.port:
                scope[KEY] = self.remote
            elif scope["method"] == "POST" and scope["path"] in WORKS:
                expect_running(self.remote.runs, scope["path"])
        await self.app(scope, receive, send)


def expect_running(runs: Selected | None, path: str) -> None:
    """Raises APIError where what a path needs does not run."""
    if runs is None:
        raise APIError(
            503, "nothing is selected; POST /select to the control port", {"Retry-After": "5"}, code=Code.BUSY
        )
    if runs.model == UPSCALER and path in GENERATES:
        raise APIError(404, f"there is no {path} while {UPSCALER} is selected", code=Code.NO_SUCH_PATH)


def remote_of(scope: Scope) -> RemoteControl | None:
    """The control of a request to the control port, None for one to the other port."""
    remote: RemoteControl | None = scope.get(KEY)
    return remote


class ControlApi:
    """ASGI middleware that answers what comes to the control port, and lets everything else pass."""

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        remote = remote_of(scope)
        if remote is None:
            await self.app(scope, receive, send)
            return
        try:
            response = await self.answer(Request(scope, receive), remote)
        except APIError as refusal:
            response = answered({"error": refusal.message}, refusal.status, refusal.headers)
        await response(scope, receive, send)

    async def answer(self, request: Request, remote: RemoteControl) -> Response:
        """Raises APIError, ClientGone."""
        method, path = request.method, request.url.path
        if path == INFO:
            return answered(
                {
                    "app": "localdream",
                    "protocol": 1,
                    "version": own_version(),
                    "device": remote.engine.describe().device,
                }
            )
        if self.settings.token is not None:
            expect_token(request.headers, self.settings.token)
        if (method, path) == ("GET", MODELS):
            return answered(remote.models())
        if (method, path) == ("GET", STATUS):
            return answered(remote.status())
        if method != "POST" or path not in (SELECT, STOP):
            raise APIError(404, "not found", code=Code.NO_SUCH_PATH)
        expect_own_origin(request.headers, self.settings.hosts or ())
        body = await read_body(request, MOST_BODY, self.settings.body_idle, self.settings.body_whole)
        values = read_object(body, 'a JSON object with "model_id"')
        return self.select(values, remote) if path == SELECT else self.stop(values, remote)

    def select(self, values: Mapping[str, Any], remote: RemoteControl) -> Response:
        """Raises APIError."""
        model = model_of(values)
        width, height = (self._side(values, name, remote.engine) for name in ("width", "height"))
        if not remote.has(model):
            raise APIError(404, "model not found", code=Code.NO_SUCH_THING, field="model_id")
        remote.select(model, width, height)
        return answered({"ok": True})

    def stop(self, values: Mapping[str, Any], remote: RemoteControl) -> Response:
        """Raises APIError."""
        if model_of(values) != remote.last:
            return answered({"ok": True, "ignored": True})
        remote.stop()
        return answered({"ok": True})

    def _side(self, values: Mapping[str, Any], name: str, engine: Engine) -> int:
        limits, side = engine.limits(), values.get(name, SIDE)
        if isinstance(side, bool) or not isinstance(side, int):
            raise APIError(400, f"{name}: send an integer", code=Code.WRONG_TYPE, field=name)
        if side % 8 or not limits.min_side <= side <= limits.max_side:
            message = f"{name}: send a multiple of 8 from {limits.min_side} to {limits.max_side}"
            raise APIError(400, message, code=Code.OUT_OF_RANGE, field=name)
        return side


@cache
def own_version() -> str:
    """That of this project."""
    return version("local-dream-conformance")


def model_of(values: Mapping[str, Any]) -> str:
    """Raises APIError (400)."""
    model = values.get("model_id")
    if not isinstance(model, str) or not model:
        raise APIError(400, "model_id: send the id of a model", code=Code.MISSING, field="model_id")
    return model


def answered(values: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of the control API."""
    body = json.dumps(values, ensure_ascii=False)
    return Response(body.encode(), status, dict(headers or {}), media_type="application/json")
