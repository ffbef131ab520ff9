"""The client at the other end: whether it is still there, and what it sends as a body."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import Request
from starlette.types import Receive

from local_dream_mockserver.server.errors import APIError, Code

T = TypeVar("T")


class ClientGone(Exception):
    """The client hung up; there is nobody to answer."""


async def while_connected(receive: Receive, work: Awaitable[T]) -> T:
    """Awaits `work`, and cancels it as soon as the client hangs up. The request's body must have been read.

    Raises ClientGone.
    """
    here = asyncio.current_task()
    assert here is not None
    has_left = over = False

    def leave(_: object) -> None:
        nonlocal has_left
        if not over:
            has_left = here.cancel()

    leaving = asyncio.ensure_future(gone(receive))
    leaving.add_done_callback(leave)
    try:
        return await work
    except asyncio.CancelledError:
        if has_left and not here.cancelling() > 1:
            raise ClientGone from None
        raise
    finally:
        over = True
        if has_left:
            here.uncancel()
        leaving.cancel()


async def gone(receive: Receive) -> None:
    """Returns when the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def read_body(request: Request, most: int, idle: float, whole: float = 600.0) -> bytes:
    """The whole body. Raises APIError: 413 beyond `most` bytes, 408 when it pauses for `idle` seconds or takes longer
    than `whole` seconds in all; or ClientGone.

    A body whose Content-Length is too large is refused before a byte of it is read.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        message = "Content-Encoding: the body must not be compressed; send it as it is"
        raise APIError(415, message, code=Code.COMPRESSED, field="Content-Encoding")
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most:
        raise _too_long(most)
    body = bytearray()
    until = asyncio.get_running_loop().time() + whole
    more = True
    try:
        while more:
            left = until - asyncio.get_running_loop().time()
            async with asyncio.timeout(min(idle, left)):  # not wait_for, see event_stream
                piece = await request.receive()
            if piece["type"] == "http.disconnect":
                raise ClientGone
            body += piece.get("body", b"")
            more = piece.get("more_body", False)
            if len(body) > most:
                raise _too_long(most)
        return bytes(body)
    except TimeoutError:
        if left < idle:
            message = f"the body took more than {whole:g} s; send it faster"
            raise APIError(408, message, code=Code.STALLED, field="body") from None
        message = f"the body paused for {idle:g} s; send it without pausing"
        raise APIError(408, message, code=Code.STALLED, field="body") from None
    finally:
        body.clear()  # the traceback of what is raised keeps this frame alive, for as long as somebody looks at it


def _too_long(most: int) -> APIError:
    message = f"the body is longer than this server's {most} bytes; send a smaller picture"
    return APIError(413, message, code=Code.OVER_LIMIT, field="body")
