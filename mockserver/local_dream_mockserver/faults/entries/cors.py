"""Faults and quirks of the extension cors: what keeps pages of other origins out, or answers from them."""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

from starlette.types import Scope

from local_dream_mockserver.faults.effects import responses
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.faults.middleware import Headers, Reply, value_of, without

CORS = ("cors",)
PREFLIGHT = ("OPTIONS",)
OTHERS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
"""The methods whose answers are no preflights."""
GENERATE, UPSCALE = ("/generate",), ("/upscale",)
ORIGIN, ALLOWED = b"access-control-allow-origin", b"access-control-allow-headers"
EXPOSED, AGE = b"access-control-expose-headers", b"access-control-max-age"
ELSEWHERE = b"https://elsewhere.example"
Head: TypeAlias = tuple[int, Headers]
"""Status and headers."""

refused = partial(responses.instead, methods=PREFLIGHT)
preflight = partial(responses.headers, everywhere=True, methods=PREFLIGHT)
answer = partial(responses.headers, everywhere=True, methods=OTHERS)
any_answer = partial(responses.headers, everywhere=True, extensions=CORS, quirk=True)


def having(headers: Headers, name: bytes, value: bytes) -> Headers:
    """The headers with another value of one that is there."""
    return (*without(headers, name), (name, value)) if value_of(headers, name) else headers


# Preflights

several(refused)(
    "preflights-405 (EXT-COR-01): Preflights are answered with status 405; other answers are for all origins.",
    lambda: Reply.of_error(405, "no method OPTIONS", (b"allow", b"POST")),
)
several(refused, on=GENERATE)(
    "preflight-wants-credentials (EXT-COR-02, EXT-COR-03): The preflight of /generate is answered with status 401,"
    " since it has no credentials.",
    lambda: Reply.of_error(401, "who are you?", (b"www-authenticate", b"Bearer"), (ORIGIN, b"*")),
)
several(refused, on=UPSCALE)(
    "preflight-of-upscale-404 (EXT-COR-02, EXT-COR-04): The preflight of /upscale is answered with status 404.",
    lambda: Reply.of_error(404, "no such path"),
)
several(preflight, on=UPSCALE)(
    "preflight-for-another-origin (EXT-COR-02): The preflight of /upscale lets another origin in.",
    lambda status, headers: (status, having(headers, ORIGIN, ELSEWHERE)),
)
several(preflight, on=GENERATE)(
    "content-type-not-allowed (EXT-COR-03): The preflight of /generate does not allow Content-Type.",
    lambda status, headers: (status, having(headers, ALLOWED, b"X-Requested-With")),
)


several(preflight)(
    "use-opencl-not-allowed (EXT-COR-04): Preflights do not allow X-Use-OpenCL.",
    lambda status, headers: (
        status,
        having(headers, ALLOWED, b"Content-Type, X-Image-Width, X-Image-Height, X-Upscaler-Path"),
    ),
    "allowed-headers-missing (EXT-COR-03, EXT-COR-04): Preflights come without Access-Control-Allow-Headers.",
    lambda status, headers: (status, without(headers, ALLOWED)),
    "only-content-type-allowed (EXT-COR-04): Preflights allow Content-Type alone.",
    lambda status, headers: (status, having(headers, ALLOWED, b"Content-Type")),
    "max-age-missing (EXT-COR-07): Preflights come without Access-Control-Max-Age.",
    lambda status, headers: (status, without(headers, AGE)),
    "max-age-in-words (EXT-COR-07): Preflights are good for a day, in words.",
    lambda status, headers: (status, having(headers, AGE, b"1 day")),
)
several(responses.rewrite, methods=PREFLIGHT, statuses=(204,), extensions=CORS)(
    "preflights-with-200 (quirk): Preflights are answered with status 200 and a body.",
    lambda reply: Reply.of(200, "text/plain", b"OK", *reply.headers),
)


# Other answers

several(responses.headers, methods=OTHERS)(
    "streams-for-no-origin (EXT-COR-05): Event streams come without Access-Control-Allow-Origin.",
    lambda status, headers: (status, without(headers, ORIGIN)),
)
several(answer, on=("/health",))(
    "health-for-no-origin (EXT-COR-05): The answer of /health comes without Access-Control-Allow-Origin.",
    lambda status, headers: (status, without(headers, ORIGIN)),
)
several(answer, statuses=(404,))(
    "not-found-for-no-origin (EXT-COR-05): Answers with 404 come without Access-Control-Allow-Origin.",
    lambda status, headers: (status, without(headers, ORIGIN)),
)
several(answer)(
    "errors-for-no-origin (EXT-COR-05): Error answers come without Access-Control-Allow-Origin.",
    lambda status, headers: (status, without(headers, ORIGIN) if status >= 400 else headers),
    "answers-for-another-origin (EXT-COR-05): All answers but those to preflights let another origin in.",
    lambda status, headers: (status, having(headers, ORIGIN, ELSEWHERE)),
    "answers-for-the-origin-twice (EXT-COR-05): All answers but those to preflights have Access-Control-Allow-Origin"
    " twice.",
    lambda status, headers: (status, (*headers, (ORIGIN, b"*")) if value_of(headers, ORIGIN) else headers),
)
several(answer, on=UPSCALE)(
    "nothing-exposed (EXT-COR-06): Answers of /upscale come without Access-Control-Expose-Headers.",
    lambda status, headers: (status, without(headers, EXPOSED)),
    "sizes-not-exposed (EXT-COR-06): Answers of /upscale expose X-Duration-Ms alone.",
    lambda status, headers: (status, having(headers, EXPOSED, b"X-Duration-Ms")),
)


@any_answer()
def cors_headers_listed(status: int, headers: Headers) -> Head:
    """The headers that CORS speaks about are listed, in other letters and order."""
    names = b"x-use-opencl,x-upscaler-path ,  X-IMAGE-WIDTH,x-image-height,content-type"
    seen = b"x-duration-ms, X-OUTPUT-WIDTH,x-output-height"
    return status, having(having(headers, ALLOWED, names), EXPOSED, seen)


several(any_answer)(
    "cors-exposes-all: Answers expose all headers with a star.",
    lambda status, headers: (status, having(headers, EXPOSED, b"*")),
)


@any_answer()
def origin_echoed(status: int, headers: Headers, scope: Scope) -> Head:
    """The origin of a request is let in by its name, in place of a star."""
    origin = value_of(scope["headers"], b"origin")
    return status, (*without(headers, ORIGIN), (ORIGIN, origin), (b"vary", b"Origin")) if origin else headers
