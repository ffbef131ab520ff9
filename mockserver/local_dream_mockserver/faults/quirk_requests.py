"""Quirks of requests and refusals, and of what a server has at all."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.faults.bodies import Body, Refused
from local_dream_mockserver.faults.catalogue import Layer, quirk
from local_dream_mockserver.faults.hooks import FaultHooks, Reader
from local_dream_mockserver.faults.middleware import Header, Reply, RequestMiddleware, RewriteHeaders, RewriteResponse
from local_dream_mockserver.faults.overlap import Busy
from local_dream_mockserver.faults.refusals import EmptyPrompt, Reworded
from local_dream_mockserver.faults.request import TakenFor, about, without
from local_dream_mockserver.faults.request_types import InRange
from local_dream_mockserver.faults.server import Health, NotFound, WrongMethod, refusal
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code

REQUEST = Layer.REQUEST

quirk(
    "wrong-method-404",
    "A method that a path does not have is answered with status 404.",
    layer=REQUEST,
    discouraged=("SRV-03",),
)(partial(WrongMethod, answer=refusal(404, "no such path")))
quirk(
    "bare-404",
    "Answers with 404 have no body.",
    layer=REQUEST,
    discouraged=("ERR-04",),
)(partial(NotFound, answer=Reply(404)))
quirk("health-says-ok", "The body of GET /health says OK.", layer=REQUEST)(
    partial(Health, answer=Reply.of(200, "text/plain", b"OK"))
)
quirk("health-says-json", "The body of GET /health is a JSON document about the server.", layer=REQUEST)(
    partial(Health, answer=Reply.of_json(200, {"status": "ok", "model": "m", "queue": 0}))
)


quirk(
    "empty-prompt-in-the-stream",
    "An empty prompt is refused by an error event.",
    layer=REQUEST,
    discouraged=("GEN-REQ-07",),
)(partial(EmptyPrompt, data='{"type":"error","message":"prompt empty"}'))
quirk(
    "lone-mask-ignored",
    "A mask without an image is ignored.",
    layer=REQUEST,
    discouraged=("GEN-REQ-16",),
)(partial(TakenFor, meant=about("image", Code.MISSING), body=without("mask")))
quirk(
    "values-clamped",
    "Values out of range are brought into it.",
    layer=REQUEST,
    discouraged=tuple(f"GEN-RNG-{number:02}" for number in range(2, 10)),
)(
    partial(
        InRange,
        fields={
            "steps": lambda steps: min(max(1, steps), 100),
            "width": lambda side: min(max(8, side // 8 * 8), 2048),
            "height": lambda side: min(max(8, side // 8 * 8), 2048),
            "denoise_strength": lambda strength: min(1.0, max(0.0, strength)),
            "seed": lambda seed: seed % 2**32,
            "show_diffusion_stride": lambda stride: max(1, stride),
            "scheduler": lambda name: "dpm",
        },
    )
)
for _status in (409, 429, 503):
    quirk(
        f"busy-{_status}",
        f"A second generation while one runs is refused with status {_status}.",
        layer=REQUEST,
    )(
        partial(
            Busy, answer=APIError(_status, "busy with another request", {} if _status == 409 else {"Retry-After": "1"})
        )
    )


def _words(reply: Reply) -> Reply:
    """The envelope with a message in Korean, as UTF-8, and with more keys."""
    error = reply.json["error"]
    value = {
        "error": {"message": f"잘못된 요청: {error['message']}", "type": error["type"], "param": None},
        "ok": False,
    }
    body = json.dumps(value, ensure_ascii=False, indent=1).encode()
    return Reply.of(reply.status, "application/json; charset=utf-8", body)


quirk("wordy-errors", "Error answers have further keys, line ends and a message in Korean.", layer=REQUEST)(
    partial(Reworded, change=_words)
)


class NoImages(Refused):
    """Takes no image and no mask. It counts every request that it looked at: a suite that is told sends it no image."""

    def why(self, body: Body, request: GenerationRequest) -> APIError | None:
        if body.get("image") is None and body.get("mask") is None:
            self.happened()
            return None
        return APIError(400, "image: this model makes pictures from text alone; leave it out")


quirk(
    "text-to-image-only",
    "Images and masks are refused.",
    layer=REQUEST,
)(NoImages)


class NoPath(RequestMiddleware):
    """Does not have an operation at all."""

    methods: tuple[str, ...] = ("GET", "POST", "HEAD", "DELETE", "PUT", "PATCH")

    def __init__(self, place: Trigger | None, path: str) -> None:
        super().__init__(place)
        self.path = path

    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == self.path:
            self.happened()
            scope = {**scope, "path": f"{self.path}/"}
        await app(scope, receive, send)


quirk("upscaler-only", "There is no /generate.", layer=REQUEST)(partial(NoPath, path="/generate"))
quirk("generator-only", "There is no /upscale.", layer=REQUEST)(partial(NoPath, path="/upscale"))


@quirk("seeds-above-31-bits", "The seeds that the server picks are all above 2147483647.", layer=REQUEST)
class LargeSeeds(FaultHooks):
    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        if b'"seed"' in body:
            return request
        self.happened()
        return replace(request, seed=request.seed | 2**31)


@quirk("slow-to-refuse", "Refusals come a tenth of a second late.", layer=REQUEST)
class SlowToRefuse(FaultHooks):
    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        try:
            return honest(body)
        except APIError:
            self.happened()
            time.sleep(0.1)
            raise


@quirk("errors-close", "Error answers close the connection, and say so.", layer=REQUEST)
class ErrorsClose(RewriteResponse):
    statuses: tuple[int, ...] = (400, 404, 405, 413, 415, 500, 503)

    def rewritten(self, reply: Reply, scope: Scope) -> Reply:
        return reply.plus((b"connection", b"close"))


@quirk("cors-everywhere", "Every answer carries CORS headers.", layer=REQUEST)
class CorsEverywhere(RewriteHeaders):
    def concerns(self, status: int, headers: Sequence[Header]) -> bool:
        return True

    def headed(self, status: int, headers: tuple[Header, ...]) -> tuple[int, tuple[Header, ...]]:
        exposed = b"X-Output-Width,X-Output-Height,X-Duration-Ms"
        return status, (
            *headers,
            (b"access-control-allow-origin", b"*"),
            (b"access-control-expose-headers", exposed),
        )
