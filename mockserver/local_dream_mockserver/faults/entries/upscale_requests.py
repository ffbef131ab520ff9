"""Faults and quirks of which requests POST /upscale takes, and how it refuses the others."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from starlette.types import Scope

import local_dream_mockserver.faults
from local_dream_mockserver.faults.effects import upscale
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.faults.effects.requests import Incoming
from local_dream_mockserver.faults.effects.responses import with_status
from local_dream_mockserver.faults.middleware import Reply, value_of
from local_dream_mockserver.server import upscale as server
from local_dream_mockserver.server.errors import Code

STAND_IN = Path(local_dream_mockserver.faults.__path__[0]) / "stand_in"
"""What a path traversal reads: files of this package, which look like those that must not be read."""
WIDTH, HEIGHT, PATH, FLAG = "x-image-width", "x-image-height", "x-upscaler-path", "x-use-opencl"
SMALL = 10_000
"""Bytes of a body that a fault fills with zeros, at most."""


def number(request: Incoming, name: str) -> int:
    """A header as a number, 0 where it is none."""
    text = request.header(name)
    return int(text) if re.fullmatch(r"[0-9]{1,20}", text) else 0


def length(request: Incoming) -> int:
    """How long the body should be, in bytes."""
    return number(request, WIDTH) * number(request, HEIGHT) * 3


def edge(request: Incoming, other: str) -> str:
    """The edge with which the body fits the other one."""
    return str(len(request.body) // 3 // max(1, number(request, other)))


def fitted(request: Incoming) -> Incoming:
    """With the body cut, or filled with zeros."""
    return replace(request, body=request.body[: length(request)].ljust(length(request), b"\0"))


def of_one_pixel(request: Incoming) -> Incoming:
    """With a picture of one black pixel."""
    return replace(request.with_headers({WIDTH: "1", HEIGHT: "1"}), body=b"\0\0\0")


def read_as(request: Incoming, change: Callable[[str], str], *names: str) -> Incoming:
    """With other values of headers, where they were sent."""
    return request.with_headers({name: change(request.headers[name]) for name in names if name in request.headers})


# Headers that are missing

several(upscale.received)(
    "width-guessed (UPS-REQ-01): Without X-Image-Width it is reckoned from the body.",
    lambda request: request if WIDTH in request.headers else request.with_headers({WIDTH: edge(request, HEIGHT)}),
    "height-guessed (UPS-REQ-02): Without X-Image-Height it is reckoned from the body.",
    lambda request: request if HEIGHT in request.headers else request.with_headers({HEIGHT: edge(request, WIDTH)}),
    "upscaler-by-default (UPS-REQ-03): Without X-Upscaler-Path the default model is taken.",
    lambda request: request if PATH in request.headers else request.with_headers({PATH: "default"}),
)
several(upscale.refusal, codes=(Code.MISSING,))(
    "upscale-headers-missing-500 (UPS-REQ-01, UPS-REQ-02, UPS-REQ-03): An upscale without one of its headers is"
    " answered with status 500.",
    lambda reply: with_status(reply, 500),
)


# Sizes


@upscale.received("UPS-REQ-04")
def size_that_is_no_number_guessed(request: Incoming) -> Incoming:
    """An X-Image-Width or X-Image-Height of letters is reckoned from the body."""
    for name, other in ((WIDTH, HEIGHT), (HEIGHT, WIDTH)):
        if request.header(name) == "abc":
            return request.with_headers({name: edge(request, other)})
    return request


several(upscale.received)(
    "negative-size-taken (UPS-REQ-13): Of a negative size the sign is not looked at.",
    lambda request: read_as(
        request, lambda text: text[1:] if re.fullmatch("-[0-9]{1,4}", text) else text, WIDTH, HEIGHT
    ),
    "zero-size-taken (UPS-REQ-12): An X-Image-Width or X-Image-Height of 0 is taken for 1.",
    lambda request: of_one_pixel(request) if "0" in (request.header(WIDTH), request.header(HEIGHT)) else request,
    "size-read-to-the-first-letter (UPS-REQ-14): Of X-Image-Width and X-Image-Height the digits at the beginning are"
    " read, as std::stoi does.",
    lambda request: read_as(request, lambda text: re.sub("^([0-9]{1,9})[^0-9].*", r"\1", text), WIDTH, HEIGHT),
    "size-cut-to-32-bits (UPS-REQ-15): Of X-Image-Width and X-Image-Height the lower 32 bits are read.",
    lambda request: read_as(
        request, lambda text: str(int(text) % 2**32) if re.fullmatch("[0-9]{10,20}", text) else text, WIDTH, HEIGHT
    ),
)


several(upscale.refusal, codes=(Code.WRONG_FORM,))(
    "upscale-size-500 (UPS-REQ-04, UPS-REQ-12, UPS-REQ-14, UPS-REQ-15, UPS-REQ-16): An X-Image-Width or X-Image-Height"
    " that is no number is answered with status 500.",
    lambda reply, problem: with_status(reply, 500) if problem.field in (server.WIDTH, server.HEIGHT) else reply,
)


# Lengths

several(upscale.received)(
    "short-body-filled (UPS-REQ-05): A body that is too short is filled with zeros.",
    lambda request: fitted(request) if 0 < len(request.body) < length(request) < SMALL else request,
    "long-body-cut (UPS-REQ-06): Of a body that is too long the rest is not looked at.",
    lambda request: fitted(request) if len(request.body) > length(request) > 0 else request,
    "empty-body-is-black (UPS-REQ-07): An empty body is taken for a black picture.",
    lambda request: fitted(request) if not request.body and length(request) < SMALL else request,
    "body-length-unlooked (UPS-REQ-16): The length of the body is looked at only for pictures up to 24 pixels wide.",
    lambda request: fitted(request) if number(request, WIDTH) > 24 and length(request) < 3_000_000 else request,
)


@upscale.received("UPS-REQ-16")
def size_overflows(request: Incoming) -> Incoming:
    """The length of a body is reckoned in 32 bits: an empty one does for 65536x65536."""
    fits = length(request) >= 2**32 and length(request) % 2**32 == len(request.body)
    return of_one_pixel(request) if fits else request


several(upscale.refusal, codes=(Code.WRONG_LENGTH,))(
    "upscale-length-413 (UPS-REQ-05, UPS-REQ-06, UPS-REQ-07, UPS-REQ-16): A body of the wrong length is answered with"
    " status 413.",
    lambda reply: with_status(reply, 413),
)


# Models that there are not. An engine refuses their names.

several(upscale.refusal, codes=(Code.ENGINE,), field=server.PATH)(
    "unknown-upscaler-bare (UPS-REQ-09): An unknown X-Upscaler-Path is answered with status 404 and no body.",
    lambda: Reply(404),
    "unknown-upscaler-500 (UPS-REQ-10): An unknown X-Upscaler-Path is answered with status 500.",
    lambda reply: with_status(reply, 500),
    "unknown-upscaler-404 (quirk): An unknown X-Upscaler-Path is answered with status 404.",
    lambda reply: with_status(reply, 404),
    "upscaler-cannot-load (quirk, UPS-REQ-10): An unknown X-Upscaler-Path is answered with status 500, as engines that"
    " only then try to load it.",
    lambda: Reply.of_error(500, "the model cannot be loaded"),
)
several(upscale.received)(
    "unknown-upscaler-taken (UPS-REQ-09): An unknown X-Upscaler-Path that is no path is taken for the default model.",
    lambda request: read_as(request, lambda path: path if "/" in path or not path else "default", PATH),
    "upscaler-path-ignored (UPS-REQ-09): Whatever X-Upscaler-Path names, the default model is taken.",
    lambda request: read_as(request, lambda path: "default", PATH),
    "any-upscaler-file-taken (UPS-REQ-11): An X-Upscaler-Path anywhere in the file system is taken for the default"
    " model.",
    lambda request: read_as(request, lambda path: "default" if "/" in path else path, PATH),
)


@upscale.refused("UPS-REQ-11")
def upscaler_file_quoted(scope: Scope) -> Reply | None:
    """The refusal of an X-Upscaler-Path quotes the file (here: a harmless one of this package)."""
    path = value_of(scope["headers"], PATH.encode()).decode("latin-1")
    file = STAND_IN / Path(path).name
    if "/" not in path or not file.is_file():
        return None
    return Reply.of_error(400, f"X-Upscaler-Path: no model begins with {file.read_text(encoding='ascii')[:40]!r}")


# X-Use-OpenCL


def unlike_a_boolean(*refused: bytes) -> Callable[[Scope], Reply | None]:
    """Refuses these values, where the model is known."""

    def reply(scope: Scope) -> Reply | None:
        flag, path = (value_of(scope["headers"], name.encode()) for name in (FLAG, PATH))
        return Reply.of_error(400, "X-Use-OpenCL: not a boolean") if flag in refused and path == b"default" else None

    return reply


several(upscale.refused)(
    "opencl-as-digit-refused (UPS-REQ-08): X-Use-OpenCL is refused as 1 and 0.",
    unlike_a_boolean(b"1", b"0"),
    "opencl-as-word-refused (UPS-REQ-08): X-Use-OpenCL is refused as true and false.",
    unlike_a_boolean(b"true", b"false"),
)
