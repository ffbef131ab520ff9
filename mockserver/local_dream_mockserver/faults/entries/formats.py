"""Faults and quirks of the extension formats: pictures that are not coded as the client asked, or changed by it."""

from __future__ import annotations

import base64
from collections.abc import Callable

import numpy as np
from PIL import Image

from local_dream_mockserver.faults.effects import pictures, requests
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.faults.effects.events import COMPLETE, PROGRESS
from local_dream_mockserver.faults.effects.pictures import file_of
from local_dream_mockserver.faults.effects.requests import with_status, without
from local_dream_mockserver.faults.effects.upscale import rgb_of, saved
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.server.engine import GenerationRequest, Rgb
from local_dream_mockserver.server.errors import APIError

FORMATS = ("formats",)
BOTH = (*PROGRESS, *COMPLETE)


# What events say


def asked(message: Message, request: GenerationRequest) -> str | None:
    """The format that was asked for the picture in an event."""
    return request.preview_format if message.kind == "progress" else request.output_format


def recoded(message: Message, rgb: Rgb, format: str) -> Message:
    """The picture in another format, which the event does not tell."""
    return message.with_(image=file_of(rgb, format))


several(pictures.coded, kinds=BOTH, extensions=("formats", "aspect_ratio"))(
    "raw-unsaid (EXT-FMT-02, EXT-FMT-03): Pictures that are asked for as raw do not say so.",
    lambda message, rgb, request: message.without("format") if asked(message, request) == "raw" else message,
)


@pictures.coded("EXT-FMT-02", extensions=FORMATS)
def output_format_misnamed(message: Message, rgb: Rgb, request: GenerationRequest) -> Message:
    """The complete event calls a PNG a jpeg, and a JPEG a png."""
    other = {"png": "jpeg", "jpeg": "png"}.get(request.output_format or "")
    return message.with_(format=other) if other else message


@pictures.coded("EXT-FMT-03", kinds=PROGRESS, extensions=FORMATS)
def preview_format_ignored(message: Message, rgb: Rgb, request: GenerationRequest) -> Message:
    """Previews are raw, and say so, whatever was asked for."""
    return recoded(message, rgb, "raw").with_(format="raw") if request.preview_format else message


def in_place_of_raw(message: Message, rgb: Rgb, other: str | None) -> Message:
    """A picture that is said to be raw in another format, which the event tells."""
    raw = message.payload.get("format") == "raw"
    return recoded(message, rgb, other).with_(format=other) if raw and other else message


several(pictures.coded, kinds=PROGRESS, extensions=FORMATS)(
    "preview-format-unsaid (EXT-FMT-03): Previews do not say the format that was asked for.",
    lambda message, rgb, request: message.without("format") if asked(message, request) else message,
    "output-format-for-both (EXT-FMT-04): Without preview_format previews have the output_format.",
    lambda message, rgb, request: in_place_of_raw(message, rgb, request.output_format),
)
several(pictures.coded, extensions=FORMATS)(
    "output-format-unsaid (EXT-FMT-02): The complete event does not say the format that was asked for.",
    lambda message, rgb, request: message.without("format") if asked(message, request) else message,
    "output-jpeg-for-png (EXT-FMT-02): Who asks for a PNG gets a JPEG that is called one.",
    lambda message, rgb, request: recoded(message, rgb, "jpeg") if request.output_format == "png" else message,
    "preview-format-for-both (EXT-FMT-04): Without output_format the complete event has the preview_format.",
    lambda message, rgb, request: in_place_of_raw(message, rgb, request.preview_format),
)
several(pictures.coded, kinds=BOTH, extensions=FORMATS, quirk=True)(
    "format-said-unasked: Every picture says its format, raw where nobody asked for another.",
    lambda message: message.with_(format=message.payload.get("format", "raw")),
)


# What PNG and JPEG show


def spoilt(rgb: Rgb) -> Rgb:
    """What a JPEG of so poor a quality leaves of a picture that it can no longer be called the same."""
    return rgb_of(saved(rgb, "JPEG", quality=4))


def small(rgb: Rgb) -> Rgb:
    """Half as wide and high."""
    image = Image.fromarray(rgb)
    return np.asarray(image.resize((max(1, image.width // 2), max(1, image.height // 2)), Image.Resampling.BOX))


def in_files(change: Callable[[Rgb], Rgb], *formats: str) -> Callable[[Message, Rgb, GenerationRequest], Message]:
    """Other pixels in pictures of these formats alone, as a mistake in the coding makes them."""

    def changed(message: Message, rgb: Rgb, request: GenerationRequest) -> Message:
        format = asked(message, request)
        return recoded(message, change(rgb), format) if format in formats else message

    return changed


for _kinds, _name, _sentence, _change in (
    (BOTH, "coded-bgr", "Red and blue of PNG and JPEG are swapped.", lambda rgb: rgb[:, :, ::-1]),
    (BOTH, "coded-upside-down", "PNG and JPEG are upside down.", lambda rgb: rgb[::-1]),
    (PROGRESS, "coded-previews-mirrored", "Previews as PNG and JPEG are mirrored.", lambda rgb: rgb[:, ::-1]),
    (
        PROGRESS,
        "coded-previews-shifted",
        "Previews as PNG and JPEG are shifted by half a block of 8 pixels.",
        lambda rgb: np.roll(rgb, 4, axis=(0, 1)),
    ),
):
    pictures.coded("EXT-FMT-05", kinds=_kinds, extensions=FORMATS, name=_name, sentence=_sentence)(
        in_files(_change, "png", "jpeg")
    )


several(pictures.coded, extensions=FORMATS)(
    "png-of-poor-quality (EXT-FMT-05): A PNG shows what a JPEG of poor quality has left of the picture.",
    lambda message, rgb, request: in_files(spoilt, "png")(message, rgb, request),
)
several(pictures.coded, kinds=PROGRESS, extensions=FORMATS, quirk=True)(
    "coded-previews-small: Previews as PNG and JPEG are half as wide and high as the picture.",
    lambda message, rgb, request: in_files(small, "png", "jpeg")(message, rgb, request),
)


@pictures.coded(kinds=BOTH, extensions=FORMATS, quirk=True)
def jpegs_of_low_quality(message: Message, rgb: Rgb, request: GenerationRequest) -> Message:
    """Pictures as JPEG have a low quality, and their colours half the resolution."""
    if asked(message, request) != "jpeg":
        return message
    return message.with_(image=base64.b64encode(saved(rgb, "JPEG", quality=50, subsampling=2)).decode("ascii"))


# Formats that there are not


def is_format(problem: APIError) -> bool:
    """Whether the field that is to blame is one of a format."""
    return problem.field in ("output_format", "preview_format")


several(requests.taken, extensions=FORMATS)(
    "other-formats-taken (EXT-FMT-06): A format that is not raw, jpeg or png is taken for none.",
    lambda body, problem: without(body, "output_format", "preview_format") if is_format(problem) else None,
)
several(requests.refusal, extensions=FORMATS)(
    "other-formats-500 (EXT-FMT-06): A format that is not raw, jpeg or png is answered with status 500.",
    lambda problem: with_status(problem, 500) if is_format(problem) else problem,
)
