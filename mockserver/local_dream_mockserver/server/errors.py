"""Refusals and failures, as the client sees them: a status and the error envelope."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping
from enum import StrEnum

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

logger = logging.getLogger("mockserver")


class Code(StrEnum):
    """Why a request is not answered as asked: for programs inside the server. Clients get the message alone."""

    MISSING = "missing"
    EMPTY = "empty"
    REPEATED = "repeated"
    WRONG_TYPE = "wrong-type"
    WRONG_FORM = "wrong-form"
    """A text that is not spelt as it must be, such as an aspect ratio or a number in a header."""
    OUT_OF_RANGE = "out-of-range"
    """Of the right type, and a value that the contract does not have."""
    OVER_LIMIT = "over-limit"
    """More than this server takes, though the contract allows it."""
    NOT_TEXT = "not-text"
    """Half a surrogate pair, which is no character."""
    NOT_BASE64 = "not-base64"
    NOT_A_PICTURE = "not-a-picture"
    BROKEN_PICTURE = "broken-picture"
    NOT_UTF8 = "not-utf8"
    MALFORMED_JSON = "malformed-json"
    JSON_TAIL = "json-tail"
    """Something follows the JSON document."""
    JSON_CONSTANT = "json-constant"
    """NaN or an infinity, which JSON does not have."""
    JSON_TOO_DEEP = "json-too-deep"
    NOT_AN_OBJECT = "not-an-object"
    WRONG_LENGTH = "wrong-length"
    COMPRESSED = "compressed"
    STALLED = "stalled"
    """The client stopped sending, or has gone."""
    BAD_HTTP = "bad-http"
    NO_SUCH_PATH = "no-such-path"
    NO_SUCH_METHOD = "no-such-method"
    NO_SUCH_THING = "no-such-thing"
    """A sampler, a picture or a model that a request refers to."""
    FORBIDDEN = "forbidden"
    """A host, an origin or a token that is not let in."""
    BUSY = "busy"
    ENGINE = "engine"
    """The engine refused the request."""
    FAILED = "failed"
    OTHER = "other"


class APIError(Exception):
    """An answer that is an error. Seed document, "Error Codes": request_error for the client's, server_error for ours.

    `message` names the field and the fix; it holds nothing that the client did not send itself. `code` and `field` say
    the same to programs, and are not part of the answer: `field` is a field of the JSON body, a header by its name in
    the contract, "body" for the body as a whole, or "" where none is to blame.
    """

    def __init__(
        self,
        status: int,
        message: str,
        headers: Mapping[str, str] | None = None,
        *,
        code: Code = Code.OTHER,
        field: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        self.code = code
        self.field = field

    @property
    def kind(self) -> str:
        return "request_error" if self.status < 500 else "server_error"

    def body(self) -> bytes:
        """The envelope `{"error": {"message": ..., "type": ...}}`."""
        return json.dumps({"error": {"message": self.message, "type": self.kind}}).encode()

    def response(self) -> Response:
        return Response(self.body(), self.status, self.headers, media_type="application/json")


def as_api_error(error: BaseException, field: str = "") -> APIError:
    """What an engine's exception means to the client (see `engine.Engine` for the rule). Server errors are logged.

    `field` is what the engine was asked about, where that was one field alone.
    """
    if isinstance(error, APIError):
        return error
    request_error = getattr(error, "request_error", None)
    if request_error is True:
        return APIError(400, str(error) or "the engine refused the request", code=Code.ENGINE, field=field)
    log_failure(error)
    told = str(error) if request_error is False else ""
    return APIError(500, told or f"the engine failed ({type(error).__name__})", code=Code.FAILED, field=field)


def log_failure(error: BaseException) -> None:
    """Logs where an exception came from. Its text is left out: it may quote a prompt."""
    where = "".join(traceback.format_tb(error.__traceback__))
    logger.error("%s.%s\n%s", type(error).__module__, type(error).__qualname__, where.rstrip())


async def answer_api_error(request: Request, error: Exception) -> Response:
    """Starlette's handler for APIError. `request.state.refusal` tells middleware around the application about it."""
    assert isinstance(error, APIError)
    request.state.refusal = error
    return error.response()


async def answer_http_exception(request: Request, error: Exception) -> Response:
    """Starlette's handler for what it refuses itself: no such path, no such method."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    path = request.url.path[:100]
    if error.status_code == 404:
        return APIError(404, f"there is no {path}", code=Code.NO_SUCH_PATH).response()
    if error.status_code == 405:
        message = f"{path} has no method {request.method}; use {headers.get('Allow', 'another')}"
        return APIError(405, message, headers, code=Code.NO_SUCH_METHOD).response()
    return APIError(error.status_code, str(error.detail), headers, code=Code.BAD_HTTP).response()
