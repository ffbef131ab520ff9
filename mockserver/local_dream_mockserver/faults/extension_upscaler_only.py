"""Faults of the extension upscaler-only: a server without /generate, or without more than that."""

from __future__ import annotations

from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.middleware import ReplaceResponse, Reply, RequestMiddleware
from local_dream_mockserver.faults.server import refusal
from local_dream_mockserver.proxy.trigger import Trigger


class NoOperation(ReplaceResponse):
    """Answers POST to a path as if there were no such operation, and everything else there with 404."""

    def __init__(self, place: Trigger | None, status: int) -> None:
        super().__init__(place)
        self.status = status

    paths: tuple[str, ...] = ("/generate",)

    def reply(self, scope: Scope) -> Reply | None:
        return refusal(self.status if scope["method"] == "POST" else 404, "there is no /generate")


for _status in (405, 501):
    fault(
        f"no-generate-{_status}",
        f"There is no /generate, and POST to it is answered with status {_status}.",
        layer=Layer.EXTENSION,
        breaks=("EXT-UPO-02",),
        extensions=("upscaler-only",),
    )(partial(NoOperation, status=_status))


class Lacking(RequestMiddleware):
    """Does not have some paths at all, nor preflights of them."""

    def __init__(self, place: Trigger | None, lacks: tuple[str, ...]) -> None:
        super().__init__(place)
        self.lacks = lacks

    async def visit(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] not in self.lacks:
            await app(scope, receive, send)
            return
        self.happened()
        if scope["method"] == "OPTIONS":
            await refusal(404, f"there is no {scope['path']}").send(send)
        else:
            await app({**scope, "path": f"{scope['path']}/"}, receive, send)


fault(
    "neither-generate-nor-upscale",
    "There is neither /generate nor /upscale.",
    layer=Layer.EXTENSION,
    breaks=("EXT-UPO-01",),
    extensions=("upscaler-only",),
)(partial(Lacking, lacks=("/generate", "/upscale")))
