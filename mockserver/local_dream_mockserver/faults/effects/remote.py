"""Faults of what runs, by the control API, as functions."""

from __future__ import annotations

from typing import Unpack

from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.faults.effects.declare import Decorator, Function, Options, called, visiting
from local_dream_mockserver.faults.effects.requests import sent
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.middleware import noted
from local_dream_mockserver.server.extensions.remote_control import remote_of


def after(*ids: str, on: str, **options: Unpack[Options]) -> Decorator:
    """`(remote, values) -> None`: changes what runs once a POST to the path `on` of the control API was answered.

    `values` is the JSON object of the request, empty where there is none. A hit is counted where something else runs
    then, or is about to.
    """

    async def visit(
        function: Function, self: FaultHooks, app: ASGIApp, scope: Scope, receive: Receive, send: Send
    ) -> None:
        asked = bytearray()
        await app(scope, noted(receive, asked), send)
        remote = remote_of(scope)
        if remote is None:
            return
        before = remote.runs, remote.last
        called(function, remote, sent(bytes(asked)))
        if (remote.runs, remote.last) != before:
            self.happened()

    return visiting(visit, ids, options, (on,), ("POST",))
