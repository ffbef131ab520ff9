"""The client at the other end: whether it is still there, and what it sends as a body."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from local_dream_mockserver.server.errors import APIError, Code

T = TypeVar("T")


class ClientGone(Exception):
    """The client hung up; there is nobody to answer."""


async def while_connected(receive: Receive, work: Awaitable[T]) -> T:
    """Awaits `work`, and cancels it as soon as the client hangs up. The request's body must have been read.

    Raises ClientGone.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(gone(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait({working, leaving})  # a generator that still runs cannot be closed


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
    stream = request.stream().__aiter__()
    until = asyncio.get_running_loop().time() + whole
    try:
        while True:
            left = until - asyncio.get_running_loop().time()
            async with asyncio.timeout(min(idle, left)):  # not wait_for, see event_stream
                body += await anext(stream)
            if len(body) > most:
                raise _too_long(most)
    except StopAsyncIteration:
        return bytes(body)
    except ClientDisconnect:
        raise ClientGone from None
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
