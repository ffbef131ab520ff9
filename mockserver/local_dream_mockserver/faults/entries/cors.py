"""Faults and quirks of the extension cors: what keeps pages of other origins out, or answers from them."""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

from starlette.types import Scope

from local_dream_mockserver.faults.effects import responses
from local_dream_mockserver.faults.effects.responses import Headers
from local_dream_mockserver.faults.middleware import Reply, value_of, without

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

refused = partial(responses.instead, methods=PREFLIGHT, extensions=CORS)
preflight = partial(responses.headers, everywhere=True, methods=PREFLIGHT, extensions=CORS)
answer = partial(responses.headers, everywhere=True, methods=OTHERS, extensions=CORS)
stream = partial(responses.headers, methods=OTHERS, extensions=CORS)
any_answer = partial(responses.headers, everywhere=True, extensions=CORS, quirk=True)


def having(headers: Headers, name: bytes, value: bytes) -> Headers:
    """The headers with another value of one that is there."""
    return (*without(headers, name), (name, value)) if value_of(headers, name) else headers


# Preflights


@refused("EXT-COR-01")
def preflights_405() -> Reply:
    """Preflights are answered with status 405; other answers are for all origins."""
    return Reply.of_error(405, "no method OPTIONS", (b"allow", b"POST"))


@refused("EXT-COR-02", "EXT-COR-03", on=GENERATE)
def preflight_wants_credentials() -> Reply:
    """The preflight of /generate is answered with status 401, since it has no credentials."""
    return Reply.of_error(401, "who are you?", (b"www-authenticate", b"Bearer"), (ORIGIN, b"*"))


@refused("EXT-COR-02", "EXT-COR-04", on=UPSCALE)
def preflight_of_upscale_404() -> Reply:
    """The preflight of /upscale is answered with status 404."""
    return Reply.of_error(404, "no such path")


@preflight("EXT-COR-02", on=UPSCALE)
def preflight_for_another_origin(status: int, headers: Headers) -> Head:
    """The preflight of /upscale lets another origin in."""
    return status, having(headers, ORIGIN, ELSEWHERE)


@preflight("EXT-COR-03", on=GENERATE)
def content_type_not_allowed(status: int, headers: Headers) -> Head:
    """The preflight of /generate does not allow Content-Type."""
    return status, having(headers, ALLOWED, b"X-Requested-With")


@preflight("EXT-COR-03", "EXT-COR-04")
def allowed_headers_missing(status: int, headers: Headers) -> Head:
    """Preflights come without Access-Control-Allow-Headers."""
    return status, without(headers, ALLOWED)


@preflight("EXT-COR-04")
def only_content_type_allowed(status: int, headers: Headers) -> Head:
    """Preflights allow Content-Type alone."""
    return status, having(headers, ALLOWED, b"Content-Type")


@preflight("EXT-COR-04")
def use_opencl_not_allowed(status: int, headers: Headers) -> Head:
    """Preflights do not allow X-Use-OpenCL."""
    return status, having(headers, ALLOWED, b"Content-Type, X-Image-Width, X-Image-Height, X-Upscaler-Path")


@preflight("EXT-COR-07")
def max_age_missing(status: int, headers: Headers) -> Head:
    """Preflights come without Access-Control-Max-Age."""
    return status, without(headers, AGE)


@preflight("EXT-COR-07")
def max_age_in_words(status: int, headers: Headers) -> Head:
    """Preflights are good for a day, in words."""
    return status, having(headers, AGE, b"1 day")


@responses.rewrite(methods=PREFLIGHT, statuses=(204,), extensions=CORS, quirk=True)
def preflights_with_200(reply: Reply) -> Reply:
    """Preflights are answered with status 200 and a body."""
    return Reply.of(200, "text/plain", b"OK", *reply.headers)


# Other answers


@answer("EXT-COR-05")
def errors_for_no_origin(status: int, headers: Headers) -> Head:
    """Error answers come without Access-Control-Allow-Origin."""
    return status, without(headers, ORIGIN) if status >= 400 else headers


@stream("EXT-COR-05")
def streams_for_no_origin(status: int, headers: Headers) -> Head:
    """Event streams come without Access-Control-Allow-Origin."""
    return status, without(headers, ORIGIN)


@answer("EXT-COR-05", on=("/health",))
def health_for_no_origin(status: int, headers: Headers) -> Head:
    """The answer of /health comes without Access-Control-Allow-Origin."""
    return status, without(headers, ORIGIN)


@answer("EXT-COR-05", statuses=(404,))
def not_found_for_no_origin(status: int, headers: Headers) -> Head:
    """Answers with 404 come without Access-Control-Allow-Origin."""
    return status, without(headers, ORIGIN)


@answer("EXT-COR-05")
def answers_for_another_origin(status: int, headers: Headers) -> Head:
    """All answers but those to preflights let another origin in."""
    return status, having(headers, ORIGIN, ELSEWHERE)


@answer("EXT-COR-05")
def answers_for_the_origin_twice(status: int, headers: Headers) -> Head:
    """All answers but those to preflights have Access-Control-Allow-Origin twice."""
    return status, (*headers, (ORIGIN, b"*")) if value_of(headers, ORIGIN) else headers


@answer("EXT-COR-06", on=UPSCALE)
def nothing_exposed(status: int, headers: Headers) -> Head:
    """Answers of /upscale come without Access-Control-Expose-Headers."""
    return status, without(headers, EXPOSED)


@answer("EXT-COR-06", on=UPSCALE)
def sizes_not_exposed(status: int, headers: Headers) -> Head:
    """Answers of /upscale expose X-Duration-Ms alone."""
    return status, having(headers, EXPOSED, b"X-Duration-Ms")


@any_answer()
def cors_headers_listed(status: int, headers: Headers) -> Head:
    """The headers that CORS speaks about are listed, in other letters and order."""
    names = b"x-use-opencl,x-upscaler-path ,  X-IMAGE-WIDTH,x-image-height,content-type"
    seen = b"x-duration-ms, X-OUTPUT-WIDTH,x-output-height"
    return status, having(having(headers, ALLOWED, names), EXPOSED, seen)


@any_answer()
def cors_exposes_all(status: int, headers: Headers) -> Head:
    """Answers expose all headers with a star."""
    return status, having(headers, EXPOSED, b"*")


@any_answer()
def origin_echoed(status: int, headers: Headers, scope: Scope) -> Head:
    """The origin of a request is let in by its name, in place of a star."""
    origin = value_of(scope["headers"], b"origin")
    return status, (*without(headers, ORIGIN), (ORIGIN, origin), (b"vary", b"Origin")) if origin else headers
