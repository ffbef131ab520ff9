"""Faults of servers that are narrow: they refuse one valid form of a value, a picture, a header or of the JSON."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image
from starlette.types import ASGIApp, Receive, Scope, Send

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects import death, requests, upscale
from local_dream_mockserver.faults.effects.declare import several, whole
from local_dream_mockserver.faults.effects.requests import Body, Incoming
from local_dream_mockserver.faults.hooks import FaultHooks, hooked
from local_dream_mockserver.faults.middleware import value_of
from local_dream_mockserver.server.engine import GenerationRequest, Rgb
from local_dream_mockserver.server.image_input import decode_base64

WORDS = 60
MEGABYTE = 1 << 20
IMAGE = b'"image"'
WIDTH, HEIGHT = "x-image-width", "x-image-height"
JPEG, JFIF = b"\xff\xd8", b"\xff\xd8\xff\xe0"
"""With what the files begin of all JPEG pictures, and of those with a JFIF header."""
EXPONENT = re.compile(rb'"cfg": *[0-9.]+[eE]')


def _opened(values: Body, field: str) -> Image.Image | None:
    text = values.get(field)
    return Image.open(io.BytesIO(decode_base64(field, text))) if isinstance(text, str) and text else None


def _mode(values: Body, field: str) -> str:
    image = _opened(values, field)
    return image.mode if image else ""


def _depth(values: Body, field: str) -> int:
    """Bits a channel of a PNG, 0 of anything else."""
    text = values.get(field)
    data = decode_base64(field, text) if isinstance(text, str) and text else b""
    return data[24] if data.startswith(b"\x89PNG") else 0


def _begins(values: Body, field: str, bytes_: bytes) -> bool:
    """Whether a picture was sent whose file begins so."""
    text = values.get(field)
    return isinstance(text, str) and bool(text) and decode_base64(field, text).startswith(bytes_)


def _unread(incoming: Incoming, narrow: bool) -> Incoming:
    """The request with an empty body where the server does not read it."""
    return replace(incoming, body=b"") if narrow else incoming


several(requests.refused)(
    "seed-beyond-31-bits-refused (GEN-REQ-23): A seed of 2147483648 or more is refused.",
    lambda values: (values.get("seed") or 0) >= 2**31 and "seed: too large",
    "cfg-integer-refused (GEN-REQ-23): The cfg has to be sent with a fraction.",
    lambda values: isinstance(values.get("cfg"), int) and "cfg: must be a float",
    "cfg-below-one-refused (GEN-REQ-23): A cfg below 1 is refused.",
    lambda values: values.get("cfg") is not None and values["cfg"] < 1 and "cfg: must be at least 1",
    "strength-zero-refused (GEN-REQ-23): A denoise_strength of 0 is refused.",
    lambda values: values.get("image") and values.get("denoise_strength") == 0 and "denoise_strength: must be above 0",
    "strength-one-refused (GEN-REQ-23): A denoise_strength of 1 is refused.",
    lambda values: values.get("image") and values.get("denoise_strength") == 1 and "denoise_strength: must be below 1",
    "single-step-refused (GEN-REQ-23): One step is refused.",
    lambda values: values.get("steps") == 1 and "steps: must be 2 or more",
    "steps-beyond-100-refused (GEN-REQ-23): More than 100 steps are refused.",
    lambda values: (values.get("steps") or 0) > 100 and "steps: at most 100",
    "sixty-fours-only (GEN-REQ-23): A width or height that is no multiple of 64 is refused.",
    lambda values, request: (request.width % 64 or request.height % 64) and "width, height: multiples of 64",
    "portraits-refused (GEN-REQ-23): A picture that is higher than wide is refused.",
    lambda values, request: request.height > request.width and "height: must not be greater than width",
    "opencl-refused (GEN-REQ-23): A use_opencl of true is refused.",
    lambda values: values.get("use_opencl") is True and "use_opencl: there is none",
    "stride-beyond-steps-refused (GEN-REQ-23): A stride that is greater than the number of steps is refused.",
    lambda values: (
        (values.get("show_diffusion_stride") or 1) > (values.get("steps") or 20) and "show_diffusion_stride: too large"
    ),
    "long-prompts-refused (GEN-REQ-26): A prompt of more words than the model reads is refused.",
    lambda values: WORDS < len(values["prompt"].split()) < 1000 and "prompt: too long",
    "quotes-refused (GEN-REQ-26): A prompt with quotes is refused.",
    lambda values: '"' in values["prompt"] and "prompt: no quotes",
    "line-ends-refused (GEN-REQ-26): A prompt of several lines is refused.",
    lambda values: "\n" in values["prompt"] and "prompt: one line",
    "brackets-refused (GEN-REQ-26): A prompt with brackets is refused.",
    lambda values: "[" in values["prompt"] and "prompt: no brackets",
    "paths-refused (GEN-REQ-26): A prompt with a slash within its first 50 characters, but as the first, is refused.",
    lambda values: "/" in values["prompt"][1:50] and "prompt: no file name",
    "other-scripts-refused (GEN-REQ-26): A prompt with letters beyond Latin-1 is refused.",
    lambda values: max(map(ord, values["prompt"])) > 255 and "prompt: not latin-1",
    "long-negative-prompts-refused (GEN-REQ-26): A negative_prompt of more words than the model reads is refused.",
    lambda values: len((values.get("negative_prompt") or "").split()) > WORDS and "negative_prompt: too long",
    "negative-prompts-of-1000 (GEN-REQ-26): A negative_prompt of more than 1000 characters is refused.",
    lambda values: len(values.get("negative_prompt") or "") > 1000 and "negative_prompt: at most 1000 characters",
    "image-with-alpha-refused (GEN-REQ-27): An image with alpha is refused.",
    lambda values: _mode(values, "image") in ("RGBA", "LA") and "image: no alpha",
    "image-with-palette-refused (GEN-REQ-27): An image with a palette is refused.",
    lambda values: _mode(values, "image") == "P" and "image: no palette",
    "grey-image-refused (GEN-REQ-27): A grey image is refused.",
    lambda values: _mode(values, "image") in ("L", "LA", "1") and "image: not grey",
    "deep-image-refused (GEN-REQ-27): An image of 16 bits a channel is refused.",
    lambda values: _depth(values, "image") == 16 and "image: 8 bits",
    "progressive-image-refused (GEN-REQ-27): A progressive JPEG is refused as image.",
    lambda values: (image := _opened(values, "image")) and image.info.get("progressive") and "image: no progressive",
    "camera-images-refused (GEN-REQ-27): A JPEG without a JFIF header, as cameras write it, is refused as image.",
    lambda values: _begins(values, "image", JPEG) and not _begins(values, "image", JFIF) and "image: no PNG, no JPEG",
    "mask-in-colour-refused (GEN-REQ-28): A mask as RGB picture is refused.",
    lambda values: _mode(values, "mask") == "RGB" and "mask: must be grey",
    "mask-with-alpha-refused (GEN-REQ-28): A mask with alpha is refused.",
    lambda values: _mode(values, "mask") == "RGBA" and "mask: no alpha",
    "grey-mask-refused (GEN-REQ-28): A grey mask is refused.",
    lambda values: _mode(values, "mask") == "L" and "mask: must be RGB",
    "mask-of-another-size-refused (GEN-REQ-28): A mask of another size than the picture is refused.",
    lambda values, request: (
        (mask := _opened(values, "mask")) and mask.size != (request.width, request.height) and "mask: of another size"
    ),
    "large-images-refused (GEN-REQ-18): An image of more than 1024 pixels a side is refused.",
    lambda values: (image := _opened(values, "image")) and max(image.size) > 1024 and "image: at most 1024 pixels",
    "black-masks-refused (GEN-REQ-28): A mask that is white nowhere is refused.",
    lambda values: (mask := _opened(values, "mask")) and not mask.convert("L").getbbox() and "mask: nothing to repaint",
    "tiny-masks-refused (GEN-REQ-28): A mask of fewer than 16 pixels a side is refused.",
    lambda values: (mask := _opened(values, "mask")) and min(mask.size) < 16 and "mask: at least 16 pixels",
)
several(requests.received, on=("/generate",), methods=("POST",))(
    "content-type-with-charset-unread (GEN-REQ-24): A body whose Content-Type has a parameter is not read.",
    lambda incoming: _unread(incoming, "charset" in incoming.header("content-type").partition("json")[2].lower()),
    "content-type-in-capitals-unread (GEN-REQ-24): A body whose Content-Type is not in lower case is not read.",
    lambda incoming: _unread(incoming, "Application" in incoming.header("content-type")),
    "no-content-type-unread (GEN-REQ-24): A body without Content-Type is not read.",
    lambda incoming: _unread(incoming, not incoming.header("content-type")),
    "text-plain-unread (GEN-REQ-25): A body of media type text/plain is not read.",
    lambda incoming: _unread(incoming, incoming.header("content-type").startswith("text/plain")),
    "escaped-slashes-unread (GEN-REQ-29): JSON in which a slash is escaped is not read.",
    lambda incoming: _unread(incoming, b"\\/" in incoming.body),
    "white-space-before-unread (GEN-REQ-29): JSON after white space is not read.",
    lambda incoming: _unread(incoming, incoming.body[:1].isspace()),
    "fields-in-order-only (GEN-REQ-29): A body whose first field is not the prompt is not read.",
    lambda incoming: _unread(incoming, next(iter(incoming.fields), "") == "mask"),
    "exponents-unread (GEN-REQ-29): A body in which a number has an exponent is not read.",
    lambda incoming: _unread(incoming, EXPONENT.search(incoming.body) is not None),
    "raw-utf8-unread (GEN-REQ-29): A body with characters beyond ASCII is not read.",
    lambda incoming: _unread(
        incoming, not incoming.body.isascii() and incoming.body == incoming.body.decode("utf-8", "ignore").encode()
    ),
    "browsers-refused (ROB-11): A request with the headers of a browser is not read.",
    lambda incoming: _unread(incoming, bool(incoming.header("sec-fetch-mode"))),
    "apps-refused (ROB-11): A request whose User-Agent is that of an HTTP library is not read.",
    lambda incoming: _unread(incoming, "okhttp" in incoming.header("user-agent")),
    "gzip-refused (ROB-11): A request whose sender takes gzip is not read.",
    lambda incoming: _unread(incoming, "gzip" in incoming.header("accept-encoding")),
    "body-of-a-megabyte-refused (ROB-12): A body of more than a megabyte is not read.",
    lambda incoming: _unread(incoming, MEGABYTE < len(incoming.body) < 20 * MEGABYTE and IMAGE in incoming.body),
    "body-of-four-megabytes-refused (ROB-12): A body of more than four megabytes is not read.",
    lambda incoming: _unread(incoming, len(incoming.body) > 4 * MEGABYTE and IMAGE in incoming.body),
)


@whole("UPS-REQ-17", layer=Layer.UPSCALE)
def thin_pictures_crash() -> FaultHooks:
    """A picture of one row that is sent to /upscale ends the connection without an answer."""

    def wrap(hooks: FaultHooks, app: ASGIApp) -> ASGIApp:
        async def around(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] == "/upscale" and value_of(scope["headers"], HEIGHT.encode()) == b"1":
                hooks.happened()
                death.reset()
            else:
                await app(scope, receive, send)

        return around

    return hooked(None, wrap=wrap)


several(upscale.received)(
    "odd-sides-unread (UPS-REQ-17): A picture whose width is odd is not read by /upscale.",
    lambda incoming: _unread(incoming, incoming.number(WIDTH) % 2 == 1),
    "thin-pictures-unread (UPS-REQ-17): A picture of one row is not read by /upscale.",
    lambda incoming: _unread(incoming, incoming.number(HEIGHT) == 1),
    "wide-pictures-unread (UPS-REQ-17): A picture more than 256 pixels wide is not read by /upscale.",
    lambda incoming: _unread(incoming, 256 < incoming.number(WIDTH) <= 512),
    "tall-pictures-unread (UPS-REQ-17): A picture higher than wide is not read by /upscale.",
    lambda incoming: _unread(incoming, 0 < incoming.number(WIDTH) < incoming.number(HEIGHT)),
    "upscale-without-type-unread (UPS-REQ-18): A picture without Content-Type is not read by /upscale.",
    lambda incoming: _unread(incoming, not incoming.header("content-type")),
    "upscale-chunked-unread (UPS-REQ-18): A picture in chunked transfer coding is not read by /upscale.",
    lambda incoming: _unread(incoming, incoming.header("transfer-encoding") == "chunked"),
    "upscale-for-apps-unread (UPS-REQ-18): A picture is not read by /upscale where User-Agent is that of an HTTP"
    " library.",
    lambda incoming: _unread(incoming, "okhttp" in incoming.header("user-agent")),
)


def where_deep(request: GenerationRequest, values: Body, change: Callable[[Rgb], Rgb]) -> GenerationRequest:
    """The request with other pixels of its image, where that has 16 bits a channel."""
    if request.image is None or _depth(values, "image") != 16:
        return request
    return replace(request, image=change(request.image))


several(requests.accepted, layer=Layer.PICTURE)(
    "deep-image-brighter (GEN-REQ-27): An image of 16 bits a channel is read a little brighter than one of 8.",
    lambda request, values: where_deep(
        request, values, lambda rgb: np.where(rgb > 245, 255, rgb + 10).astype(np.uint8)
    ),
    "deep-image-clipped (GEN-PIC-12, GEN-REQ-27): An image of 16 bits a channel is read as if it had 8.",
    lambda request, values: where_deep(request, values, lambda rgb: np.where(rgb > 0, 255, 0).astype(np.uint8)),
)
several(requests.refused, "GEN-REQ-17", status=500)(
    "jpeg-images-500: An image as JPEG is answered with status 500.",
    lambda values: (image := _opened(values, "image")) and image.format == "JPEG" and "the decoder failed",
)
