"""Refusals and failures, as the client sees them: a status and the error envelope."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

logger = logging.getLogger("mockserver")


class APIError(Exception):
    """An answer that is an error. Seed document, "Error Codes": request_error for the client's, server_error for ours.

    `message` names the field and the fix; it holds nothing that the client did not send itself.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})

    @property
    def kind(self) -> str:
        return "request_error" if self.status < 500 else "server_error"

    def body(self) -> bytes:
        """The envelope `{"error": {"message": ..., "type": ...}}`."""
        return json.dumps({"error": {"message": self.message, "type": self.kind}}).encode()

    def response(self) -> Response:
        return Response(self.body(), self.status, self.headers, media_type="application/json")


def as_api_error(error: BaseException) -> APIError:
    """What an engine's exception means to the client (see `engine.Engine` for the rule). Server errors are logged."""
    if isinstance(error, APIError):
        return error
    request_error = getattr(error, "request_error", None)
    if request_error is True:
        return APIError(400, str(error) or "the engine refused the request")
    log_failure(error)
    told = str(error) if request_error is False else ""
    return APIError(500, told or f"the engine failed ({type(error).__name__})")


def log_failure(error: BaseException) -> None:
    """Logs where an exception came from. Its text is left out: it may quote a prompt."""
    where = "".join(traceback.format_tb(error.__traceback__))
    logger.error("%s.%s\n%s", type(error).__module__, type(error).__qualname__, where.rstrip())


async def answer_api_error(request: Request, error: Exception) -> Response:
    """Starlette's handler for Problem."""
    assert isinstance(error, APIError)
    return error.response()


async def answer_http_exception(request: Request, error: Exception) -> Response:
    """Starlette's handler for what it refuses itself: no such path, no such method."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    path = request.url.path[:100]
    if error.status_code == 404:
        return APIError(404, f"there is no {path}").response()
    if error.status_code == 405:
        message = f"{path} has no method {request.method}; use {headers.get('Allow', 'another')}"
        return APIError(405, message, headers).response()
    return APIError(error.status_code, str(error.detail), headers).response()
