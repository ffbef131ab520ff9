"""Faults and quirks of POST /upscale: which requests it takes, how it refuses the others, and what it answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import local_dream_mockserver.faults
from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects import upscale
from local_dream_mockserver.faults.effects.declare import several, where, whole
from local_dream_mockserver.faults.effects.requests import Incoming
from local_dream_mockserver.faults.effects.responses import having, lacking, with_status
from local_dream_mockserver.faults.effects.upscale import rgb_of, saved
from local_dream_mockserver.faults.hooks import FaultHooks, hooked
from local_dream_mockserver.faults.middleware import Reply, value_of, without
from local_dream_mockserver.server import upscale as server
from local_dream_mockserver.server.connection import gone
from local_dream_mockserver.server.engine import Rgb
from local_dream_mockserver.server.errors import Code

STAND_IN = Path(local_dream_mockserver.faults.__path__[0]) / "stand_in"
"""What a path traversal reads: files of this package, which look like those that must not be read."""
WIDTH, HEIGHT, PATH, FLAG = "x-image-width", "x-image-height", "x-upscaler-path", "x-use-opencl"
SMALL = 10_000
"""Bytes of a body that a fault fills with zeros, at most."""


def length(request: Incoming) -> int:
    """How long the body should be, in bytes."""
    return request.number(WIDTH) * request.number(HEIGHT) * 3


def edge(request: Incoming, other: str) -> str:
    """The edge with which the body fits the other one."""
    return str(len(request.body) // 3 // max(1, request.number(other)))


def fitted(request: Incoming) -> Incoming:
    """With the body cut, or filled with zeros."""
    return replace(request, body=request.body[: length(request)].ljust(length(request), b"\0"))


def of_one_pixel(request: Incoming) -> Incoming:
    """With a picture of one black pixel."""
    return replace(request.with_headers({WIDTH: "1", HEIGHT: "1"}), body=b"\0\0\0")


def read_as(request: Incoming, change: Callable[[str], str], *names: str) -> Incoming:
    """With other values of headers, where they were sent."""
    return request.with_headers({name: change(request.headers[name]) for name in names if name in request.headers})


# What is taken for another request: headers that are missing, sizes, lengths, models that there are not


@upscale.received("UPS-REQ-04")
def size_that_is_no_number_guessed(request: Incoming) -> Incoming:
    """An X-Image-Width or X-Image-Height of letters is reckoned from the body."""
    for name, other in ((WIDTH, HEIGHT), (HEIGHT, WIDTH)):
        if request.header(name) == "abc":
            return request.with_headers({name: edge(request, other)})
    return request


@upscale.received("ERR-06", state=set)
def bad_upscale_spoils_the_next(before: set[str], request: Incoming) -> Incoming:
    """The first right upscale after a body of a wrong length is refused as that was."""
    if len(request.body) != length(request):
        before.add(request.path)
        return request
    if not before:
        return request
    before.clear()
    return replace(request, body=request.body[1:])


@whole("ERR-06", layer=Layer.UPSCALE)
def upscale_refusal_keeps_the_lock() -> FaultHooks:
    """After an upscale that was refused nothing that is sent to /upscale is answered."""

    def wrap(hooks: FaultHooks, app: ASGIApp) -> ASGIApp:
        async def around(scope: Scope, receive: Receive, send: Send) -> None:
            async def sending(message: Message) -> None:
                hooks.remembered = hooks.remembered or message.get("status", 0) >= 400
                await send(message)

            if scope["path"] != "/upscale" or scope["method"] != "POST":
                await app(scope, receive, send)
            elif hooks.remembered:
                hooks.happened()
                await gone(receive)
            else:
                await app(scope, receive, sending)

        return around

    return hooked(None, wrap=wrap)


several(upscale.received)(
    "width-guessed (UPS-REQ-01): Without X-Image-Width it is reckoned from the body.",
    lambda request: request if WIDTH in request.headers else request.with_headers({WIDTH: edge(request, HEIGHT)}),
    "height-guessed (UPS-REQ-02): Without X-Image-Height it is reckoned from the body.",
    lambda request: request if HEIGHT in request.headers else request.with_headers({HEIGHT: edge(request, WIDTH)}),
    "upscaler-by-default (UPS-REQ-03): Without X-Upscaler-Path the default model is taken.",
    lambda request: request if PATH in request.headers else request.with_headers({PATH: "default"}),
    "negative-size-taken (UPS-REQ-13): Of a negative size the sign is not looked at.",
    lambda request: read_as(request, lambda text: re.sub("^-([0-9]{1,4})$", r"\1", text), WIDTH, HEIGHT),
    "zero-size-taken (UPS-REQ-12): An X-Image-Width or X-Image-Height of 0 is taken for 1.",
    lambda request: of_one_pixel(request) if "0" in (request.header(WIDTH), request.header(HEIGHT)) else request,
    "size-read-to-the-first-letter (UPS-REQ-14): Of X-Image-Width and X-Image-Height the digits at the beginning are"
    " read, as std::stoi does.",
    lambda request: read_as(request, lambda text: re.sub("^([0-9]{1,9})[^0-9].*", r"\1", text), WIDTH, HEIGHT),
    "size-cut-to-32-bits (UPS-REQ-15): Of X-Image-Width and X-Image-Height the lower 32 bits are read.",
    lambda request: read_as(
        request, lambda text: str(int(text) % 2**32) if re.fullmatch("[0-9]{10,20}", text) else text, WIDTH, HEIGHT
    ),
    "size-overflows (UPS-REQ-16): The length of a body is reckoned in 32 bits: an empty one does for 65536x65536.",
    lambda request: (
        of_one_pixel(request) if length(request) > length(request) % 2**32 == len(request.body) else request
    ),
    "size-with-underscores (UPS-REQ-16): Underscores between the digits of X-Image-Width and X-Image-Height are passed"
    " over, as Python's int() does.",
    lambda request: read_as(
        request, lambda text: text.replace("_", "") if re.fullmatch("[0-9]+(_[0-9]+)+", text) else text, WIDTH, HEIGHT
    ),
    "short-body-filled (UPS-REQ-05): A body that is too short is filled with zeros.",
    lambda request: fitted(request) if 0 < len(request.body) < length(request) < SMALL else request,
    "long-body-cut (UPS-REQ-06): Of a body that is too long the rest is not looked at.",
    lambda request: fitted(request) if len(request.body) > length(request) > 0 else request,
    "empty-body-is-black (UPS-REQ-07): An empty body is taken for a black picture.",
    lambda request: fitted(request) if not request.body and length(request) < SMALL else request,
    "body-length-unlooked (UPS-REQ-16): The length of the body is looked at only for pictures up to 24 pixels wide.",
    lambda request: fitted(request) if request.number(WIDTH) > 24 and length(request) < 3_000_000 else request,
    "unknown-upscaler-taken (UPS-REQ-09): An unknown X-Upscaler-Path that is no path is taken for the default model.",
    lambda request: read_as(request, lambda path: path if "/" in path or not path else "default", PATH),
    "upscaler-path-ignored (UPS-REQ-09): Whatever X-Upscaler-Path names, the default model is taken.",
    lambda request: read_as(request, lambda path: "default", PATH),
    "any-upscaler-file-taken (UPS-REQ-11): An X-Upscaler-Path anywhere in the file system is taken for the default"
    " model.",
    lambda request: read_as(request, lambda path: "default" if "/" in path else path, PATH),
)


# What is refused otherwise, or although it is in order. An engine refuses the names of models that there are not.

several(upscale.refusal)(
    "upscale-headers-missing-500 (UPS-REQ-01, UPS-REQ-02, UPS-REQ-03): An upscale without one of its headers is"
    " answered with status 500.",
    where(with_status(500), codes=(Code.MISSING,)),
    "upscale-size-500 (UPS-REQ-04, UPS-REQ-12, UPS-REQ-14, UPS-REQ-15, UPS-REQ-16): An X-Image-Width or X-Image-Height"
    " that is no number is answered with status 500.",
    where(with_status(500), codes=(Code.WRONG_FORM,), fields=(server.WIDTH, server.HEIGHT)),
    "upscale-length-413 (UPS-REQ-05, UPS-REQ-06, UPS-REQ-07, UPS-REQ-16): A body of the wrong length is answered with"
    " status 413.",
    where(with_status(413), codes=(Code.WRONG_LENGTH,)),
)
several(upscale.refusal, codes=(Code.ENGINE,), fields=(server.PATH,))(
    "unknown-upscaler-bare (UPS-REQ-09): An unknown X-Upscaler-Path is answered with status 404 and no body.",
    lambda: Reply(404),
    "unknown-upscaler-500 (UPS-REQ-10): An unknown X-Upscaler-Path is answered with status 500.",
    with_status(500),
    "unknown-upscaler-404 (quirk): An unknown X-Upscaler-Path is answered with status 404.",
    with_status(404),
    "upscaler-cannot-load (quirk, UPS-REQ-10): An unknown X-Upscaler-Path is answered with status 500, as engines that"
    " only then try to load it.",
    lambda: Reply.of_error(500, "the model cannot be loaded"),
)


@upscale.refused("UPS-REQ-11")
def upscaler_file_quoted(scope: Scope) -> Reply | None:
    """The refusal of an X-Upscaler-Path quotes the file (here: a harmless one of this package)."""
    path = value_of(scope["headers"], PATH.encode()).decode("latin-1")
    file = STAND_IN / Path(path).name
    if "/" not in path or not file.is_file():
        return None
    return Reply.of_error(400, f"X-Upscaler-Path: no model begins with {file.read_text(encoding='ascii')[:40]!r}")


@upscale.refused("UPS-ANS-01")
def known_upscaler_404(scope: Scope) -> Reply | None:
    """An upscale that is in order is answered with status 404, as if there were no such model."""
    names = WIDTH, HEIGHT, PATH, "content-length"
    width, height, path, length = (value_of(scope["headers"], name.encode()).decode("latin-1") for name in names)
    if path != "default" or not (width.isdecimal() and height.isdecimal()) or "0" in (width, height):
        return None
    fits = length in ("", str(int(width) * int(height) * 3))  # in chunks there is none
    return Reply.of_error(404, "X-Upscaler-Path: no such model") if fits else None


def unlike_a_boolean(*refused: bytes) -> Callable[[Scope], Reply | None]:
    """Refuses these values, where the model is known."""

    def reply(scope: Scope) -> Reply | None:
        flag, path = (value_of(scope["headers"], name.encode()) for name in (FLAG, PATH))
        return Reply.of_error(400, "X-Use-OpenCL: not a boolean") if flag in refused and path == b"default" else None

    return reply


@upscale.refused("UPS-REQ-16")
def opencl_other_500(scope: Scope) -> Reply | None:
    """An X-Use-OpenCL other than true, false, 1 and 0 is answered with status 500."""
    if value_of(scope["headers"], FLAG.encode()) in (b"", b"true", b"false", b"1", b"0"):
        return None
    return Reply.of_error(500, "X-Use-OpenCL: not a boolean")


several(upscale.refused)(
    "opencl-as-digit-refused (UPS-REQ-08): X-Use-OpenCL is refused as 1 and 0.",
    unlike_a_boolean(b"1", b"0"),
    "opencl-as-word-refused (UPS-REQ-08): X-Use-OpenCL is refused as true and false.",
    unlike_a_boolean(b"true", b"false"),
)


DURATION = b"x-duration-ms"

# The file


def again(rgb: Rgb, method: Image.Resampling) -> bytes:
    """Enlarged once more from the size of the original, in another way."""
    small = ImageOps.scale(Image.fromarray(rgb), 0.25, Image.Resampling.BOX)
    return saved(np.asarray(ImageOps.scale(small, 4, method)), "JPEG", quality=95)


several(upscale.file)(
    "upscale-smooth (quirk): Pictures are enlarged smoothly.",
    lambda rgb: again(rgb, Image.Resampling.BICUBIC),
    "upscale-in-blocks (quirk): Pictures are enlarged in blocks of 4x4 pixels.",
    lambda rgb: again(rgb, Image.Resampling.NEAREST),
    "upscale-grey (UPS-ANS-02): The JPEG is grey.",
    lambda rgb: saved(rgb.mean(axis=2).astype(np.uint8), "JPEG"),
    "upscale-small-file (quirk): The JPEG has a low quality, and its colours half the resolution.",
    lambda rgb: saved(rgb, "JPEG", quality=60, subsampling=2),
    "upscale-progressive (quirk): The JPEG is progressive.",
    lambda rgb: saved(rgb, "JPEG", quality=90, progressive=True),
    "upscale-with-comment (quirk): The JPEG carries a comment and a resolution.",
    lambda rgb: saved(rgb, "JPEG", quality=90, comment=b"made by a mock", dpi=(300, 300)),
)


# The size of the picture, and what it shows


@upscale.pixels("UPS-ANS-07")
def upscale_another_picture(rgb: Rgb) -> Rgb:
    """The picture is always the same one."""
    rows, columns = np.mgrid[0 : rgb.shape[0], 0 : rgb.shape[1]]
    return np.dstack([(rows * 3) % 256, (columns * 5) % 256, (rows + columns) % 256]).astype(np.uint8)


several(upscale.pixels)(
    "upscale-cropped (UPS-ANS-03): Pictures are cropped to whole tiles.",
    lambda rgb: rgb[: max(4, rgb.shape[0] // 32 * 32), : max(4, rgb.shape[1] // 32 * 32)],
    "upscale-three-times (UPS-ANS-03): Pictures become three times as wide and high.",
    lambda rgb: np.asarray(ImageOps.scale(Image.fromarray(rgb), 0.75)),
    "upscale-padded (UPS-ANS-03): Pictures are padded to whole tiles.",
    lambda rgb: np.pad(rgb, ((0, -rgb.shape[0] % 32), (0, -rgb.shape[1] % 32), (0, 0)), "edge"),
    "upscale-on-its-side (UPS-ANS-03): Width and height of pictures are swapped.",
    lambda rgb: rgb.transpose(1, 0, 2),
    "upscale-bgr (UPS-ANS-07): Red and blue are swapped.",
    lambda rgb: rgb[:, :, ::-1],
    "upscale-upside-down (UPS-ANS-07): Pictures are upside down.",
    lambda rgb: rgb[::-1],
    "upscale-mirrored (UPS-ANS-07): Pictures are mirrored.",
    lambda rgb: rgb[:, ::-1],
    "upscale-planes (UPS-ANS-07): The planes of the three channels are taken for rows of pixels.",
    lambda rgb: np.ascontiguousarray(rgb.transpose(2, 0, 1)).reshape(rgb.shape),
    "upscale-shifted (UPS-ANS-07): Pictures are shifted by 12 pixels.",
    lambda rgb: np.roll(rgb, 12, axis=1),
)


# Headers, and what they are made of


several(upscale.headers)(
    "upscale-with-201 (UPS-ANS-01): Enlarged pictures come with status 201.",
    lambda status, headers: (201, headers),
    "upscale-as-bytes (UPS-ANS-01): Enlarged pictures say that they are application/octet-stream.",
    having(b"content-type", b"application/octet-stream"),
    "output-size-missing (UPS-ANS-04): There is no X-Output-Width and no X-Output-Height.",
    lacking(b"x-output-width", b"x-output-height"),
    "duration-missing (UPS-ANS-05): There is no X-Duration-Ms.",
    lacking(DURATION),
    "duration-a-fraction (UPS-ANS-05): X-Duration-Ms is a fraction.",
    lambda status, headers: (status, (*without(headers, DURATION), (DURATION, value_of(headers, DURATION) + b".25"))),
)
several(upscale.enlarged)(
    "upscale-png-as-jpeg (UPS-ANS-02): The file is a PNG.",
    lambda answer: replace(answer, jpeg=saved(rgb_of(answer.jpeg), "PNG")),
    "upscale-empty (UPS-ANS-02): The body is empty.",
    lambda answer: replace(answer, jpeg=b""),
    "output-size-of-input (UPS-ANS-04): X-Output-Width and X-Output-Height are the size of what was sent.",
    lambda answer, request: replace(answer, width=request.width, height=request.height),
    "output-size-swapped (UPS-ANS-04): X-Output-Width is the height, and X-Output-Height the width.",
    lambda answer: replace(answer, width=answer.height, height=answer.width),
    "duration-in-microseconds (UPS-ANS-06): X-Duration-Ms is in microseconds, with the time of loading the model.",
    lambda answer: replace(answer, seconds=answer.seconds * 1000 + 600),
    "duration-of-an-hour (UPS-ANS-06): X-Duration-Ms is always 3600000.",
    lambda answer: replace(answer, seconds=3600),
    "duration-zero (quirk): X-Duration-Ms is 0.",
    lambda answer: replace(answer, seconds=0.0),
)
