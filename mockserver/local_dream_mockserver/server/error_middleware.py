"""The outermost layer of the application: nothing that goes wrong inside ends without an answer or in a full log."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_dream_mockserver.server.connection import ClientGone
from local_dream_mockserver.server.errors import APIError, Code, log_failure, logger


class ErrorMiddleware:
    """Answers an unexpected exception with 500 server_error, and lets a client that has gone be gone."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except asyncio.CancelledError:
            logger.warning("stopped before an answer was complete")
        except APIError as refusal:
            if not started:
                await refusal.response()(scope, receive, send)
        except ClientGone:
            if not started:
                await APIError(408, "the client hung up", code=Code.STALLED).response()(scope, receive, send)
        except Exception as error:  # this is the last place that can still answer
            log_failure(error)
            if started:
                raise
            failure = APIError(500, f"the server failed ({type(error).__name__})", code=Code.FAILED)
            await failure.response()(scope, receive, send)
