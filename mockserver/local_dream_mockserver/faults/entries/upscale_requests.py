"""Faults and quirks of which requests POST /upscale takes, and how it refuses the others."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from starlette.types import Scope

import local_dream_mockserver.faults
from local_dream_mockserver.faults.effects import upscale
from local_dream_mockserver.faults.effects.requests import Incoming
from local_dream_mockserver.faults.effects.responses import with_status
from local_dream_mockserver.faults.middleware import Reply, value_of
from local_dream_mockserver.server import upscale as server
from local_dream_mockserver.server.errors import APIError, Code

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


@upscale.received("UPS-REQ-01")
def width_guessed(request: Incoming) -> Incoming:
    """Without X-Image-Width it is reckoned from the body."""
    return request if WIDTH in request.headers else request.with_headers({WIDTH: edge(request, HEIGHT)})


@upscale.received("UPS-REQ-02")
def height_guessed(request: Incoming) -> Incoming:
    """Without X-Image-Height it is reckoned from the body."""
    return request if HEIGHT in request.headers else request.with_headers({HEIGHT: edge(request, WIDTH)})


@upscale.received("UPS-REQ-03")
def upscaler_by_default(request: Incoming) -> Incoming:
    """Without X-Upscaler-Path the default model is taken."""
    return request if PATH in request.headers else request.with_headers({PATH: "default"})


@upscale.refusal("UPS-REQ-01", "UPS-REQ-02", "UPS-REQ-03", codes=(Code.MISSING,))
def upscale_headers_missing_500(reply: Reply) -> Reply:
    """An upscale without one of its headers is answered with status 500."""
    return with_status(reply, 500)


# Sizes


@upscale.received("UPS-REQ-04")
def size_that_is_no_number_guessed(request: Incoming) -> Incoming:
    """An X-Image-Width or X-Image-Height of letters is reckoned from the body."""
    for name, other in ((WIDTH, HEIGHT), (HEIGHT, WIDTH)):
        if request.header(name) == "abc":
            return request.with_headers({name: edge(request, other)})
    return request


@upscale.received("UPS-REQ-12")
def zero_size_taken(request: Incoming) -> Incoming:
    """An X-Image-Width or X-Image-Height of 0 is taken for 1."""
    return of_one_pixel(request) if "0" in (request.header(WIDTH), request.header(HEIGHT)) else request


@upscale.received("UPS-REQ-13")
def negative_size_taken(request: Incoming) -> Incoming:
    """Of a negative size the sign is not looked at."""
    return read_as(request, lambda text: text[1:] if re.fullmatch("-[0-9]{1,4}", text) else text, WIDTH, HEIGHT)


@upscale.received("UPS-REQ-14")
def size_read_to_the_first_letter(request: Incoming) -> Incoming:
    """Of X-Image-Width and X-Image-Height the digits at the beginning are read, as std::stoi does."""
    return read_as(request, lambda text: re.sub("^([0-9]{1,9})[^0-9].*", r"\1", text), WIDTH, HEIGHT)


@upscale.received("UPS-REQ-15")
def size_cut_to_32_bits(request: Incoming) -> Incoming:
    """Of X-Image-Width and X-Image-Height the lower 32 bits are read."""
    return read_as(
        request, lambda text: str(int(text) % 2**32) if re.fullmatch("[0-9]{10,20}", text) else text, WIDTH, HEIGHT
    )


@upscale.refusal("UPS-REQ-04", "UPS-REQ-12", "UPS-REQ-14", "UPS-REQ-15", "UPS-REQ-16", codes=(Code.WRONG_FORM,))
def upscale_size_500(reply: Reply, problem: APIError) -> Reply:
    """An X-Image-Width or X-Image-Height that is no number is answered with status 500."""
    return with_status(reply, 500) if problem.field in (server.WIDTH, server.HEIGHT) else reply


# Lengths


@upscale.received("UPS-REQ-05")
def short_body_filled(request: Incoming) -> Incoming:
    """A body that is too short is filled with zeros."""
    return fitted(request) if 0 < len(request.body) < length(request) < SMALL else request


@upscale.received("UPS-REQ-06")
def long_body_cut(request: Incoming) -> Incoming:
    """Of a body that is too long the rest is not looked at."""
    return fitted(request) if len(request.body) > length(request) > 0 else request


@upscale.received("UPS-REQ-07")
def empty_body_is_black(request: Incoming) -> Incoming:
    """An empty body is taken for a black picture."""
    return fitted(request) if not request.body and length(request) < SMALL else request


@upscale.received("UPS-REQ-16")
def body_length_unlooked(request: Incoming) -> Incoming:
    """The length of the body is looked at only for pictures up to 12 pixels wide."""
    return fitted(request) if number(request, WIDTH) > 12 and length(request) < 3_000_000 else request


@upscale.received("UPS-REQ-16")
def size_overflows(request: Incoming) -> Incoming:
    """The length of a body is reckoned in 32 bits: an empty one does for 65536x65536."""
    fits = length(request) >= 2**32 and length(request) % 2**32 == len(request.body)
    return of_one_pixel(request) if fits else request


@upscale.refusal("UPS-REQ-05", "UPS-REQ-06", "UPS-REQ-07", "UPS-REQ-16", codes=(Code.WRONG_LENGTH,))
def upscale_length_413(reply: Reply) -> Reply:
    """A body of the wrong length is answered with status 413."""
    return with_status(reply, 413)


# Models that there are not. An engine refuses their names.


@upscale.refusal("UPS-REQ-09", codes=(Code.ENGINE,), field=server.PATH)
def unknown_upscaler_bare() -> Reply:
    """An unknown X-Upscaler-Path is answered with status 404 and no body."""
    return Reply(404)


@upscale.refusal("UPS-REQ-10", codes=(Code.ENGINE,), field=server.PATH)
def unknown_upscaler_500(reply: Reply) -> Reply:
    """An unknown X-Upscaler-Path is answered with status 500."""
    return with_status(reply, 500)


@upscale.refusal(codes=(Code.ENGINE,), field=server.PATH, quirk=True)
def unknown_upscaler_404(reply: Reply) -> Reply:
    """An unknown X-Upscaler-Path is answered with status 404."""
    return with_status(reply, 404)


@upscale.refusal("UPS-REQ-10", codes=(Code.ENGINE,), field=server.PATH, quirk=True)
def upscaler_cannot_load() -> Reply:
    """An unknown X-Upscaler-Path is answered with status 500, as engines that only then try to load it."""
    return Reply.of_error(500, "the model cannot be loaded")


@upscale.received("UPS-REQ-09")
def unknown_upscaler_taken(request: Incoming) -> Incoming:
    """An unknown X-Upscaler-Path that is no path is taken for the default model."""
    return read_as(request, lambda path: path if "/" in path or not path else "default", PATH)


@upscale.received("UPS-REQ-11")
def any_upscaler_file_taken(request: Incoming) -> Incoming:
    """An X-Upscaler-Path anywhere in the file system is taken for the default model."""
    return read_as(request, lambda path: "default" if "/" in path else path, PATH)


@upscale.refused("UPS-REQ-11")
def upscaler_file_quoted(scope: Scope) -> Reply | None:
    """The refusal of an X-Upscaler-Path quotes the file (here: a harmless one of this package)."""
    path = value_of(scope["headers"], PATH.encode()).decode("latin-1")
    file = STAND_IN / Path(path).name
    if "/" not in path or not file.is_file():
        return None
    return Reply.of_error(400, f"X-Upscaler-Path: no model begins with {file.read_text(encoding='ascii')[:40]!r}")


# X-Use-OpenCL

for _name, _values, _sentence in (
    ("opencl-as-digit-refused", (b"1", b"0"), "X-Use-OpenCL is refused as 1 and 0."),
    ("opencl-as-word-refused", (b"true", b"false"), "X-Use-OpenCL is refused as true and false."),
):

    def flagged(scope: Scope, values: tuple[bytes, ...] = _values) -> Reply | None:
        refused = value_of(scope["headers"], FLAG.encode()) in values
        known = value_of(scope["headers"], PATH.encode()) == b"default"
        return Reply.of_error(400, "X-Use-OpenCL: not a boolean") if refused and known else None

    upscale.refused("UPS-REQ-08", name=_name, sentence=_sentence)(flagged)
