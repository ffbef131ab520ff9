"""Faults and quirks of how pictures are coded, and of their size; those of the extension formats, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from local_dream_mockserver.faults.effects import pictures, requests
from local_dream_mockserver.faults.effects.declare import several, where
from local_dream_mockserver.faults.effects.events import COMPLETE, EVENTS, PROGRESS
from local_dream_mockserver.faults.effects.pictures import base64_of, file_of, halved
from local_dream_mockserver.faults.effects.upscale import rgb_of, saved
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.server.engine import GenerationRequest, Rgb

FORMATS = ("formats",)
OTHER = {"png": "jpeg", "jpeg": "png"}
BOTH = (*PROGRESS, *COMPLETE)


def recoded(message: Message, rgb: Rgb, format: str) -> Message:
    """The event with a picture in a format, which it does not tell."""
    return message.with_(image=file_of(rgb, format))


def as_file(message: Message, rgb: Rgb, format: str) -> Message:
    """The event with a picture in a format, and saying so."""
    return recoded(message, rgb, format).with_(format=format)


def of_its_size(message: Message, rgb: Rgb) -> Message:
    """The event with a raw picture and its size."""
    return recoded(message, rgb, "raw").with_(width=rgb.shape[1], height=rgb.shape[0])


def wrapped(text: str) -> str:
    """The text in lines of 76 characters."""
    return "\n".join(text[start : start + 76] for start in range(0, len(text), 76))


# The base64

several(pictures.text)(
    "preview-base64-wrapped@progress:1 (GEN-PIC-01): The base64 of previews is wrapped after 76 characters.",
    wrapped,
    "base64-wrapped@complete (GEN-PIC-01): The base64 of complete is wrapped after 76 characters.",
    wrapped,
    "base64-url-safe@complete (GEN-PIC-01): The base64 of complete is in the URL-safe alphabet.",
    lambda text: text.replace("+", "-").replace("/", "_"),
    "base64-torn@complete (GEN-PIC-01): The base64 of complete ends in the middle of a group.",
    lambda text: text[: len(text) // 2 * 2 - 3],
    "image-as-data-url@complete (GEN-PIC-01): The image in complete is a data: URL.",
    lambda text: "data:image/png;base64," + text,
)


several(pictures.coded, kinds=PROGRESS)(
    "previews-as-numbers (GEN-PIC-01): Previews are objects with a list of numbers, as JSON makes them of buffers.",
    lambda message, rgb: message.with_(image={"type": "Buffer", "data": rgb.reshape(-1).tolist()}),
    "previews-with-latents (quirk): Beside a preview stand 21,000 numbers under a key that the contract does not name.",
    lambda message: message.with_(latents=[0] * 21_000),
)


# The format and the size of complete

several(pictures.coded)(
    "png-without-format (GEN-PIC-02): The complete event has a PNG, and no format.",
    lambda message, rgb: recoded(message, rgb, "png"),
    "raw-rgba (GEN-PIC-02): The raw pixels of complete have four channels.",
    lambda message, rgb: recoded(message, np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)]), "raw"),
    "raw-short-of-a-row (GEN-PIC-02): The last row of the raw pixels of complete is missing.",
    lambda message, rgb: recoded(message, rgb[:-1], "raw"),
    "format-png-is-raw (GEN-PIC-03): The complete event says that its raw pixels are a png.",
    lambda message: message.with_(format="png"),
    "format-jpeg-is-png (GEN-PIC-03): The complete event says that its PNG is a jpeg.",
    lambda message, rgb: recoded(message, rgb, "png").with_(format="jpeg"),
    "cfg-zero-black (GEN-PIC-14): With a cfg of 0 the picture is black.",
    lambda message, rgb, request: message if request.cfg else recoded(message, np.zeros_like(rgb), "raw"),
    "complete-as-png (quirk): The complete event has a PNG, and says so.",
    lambda message, rgb: as_file(message, rgb, "png"),
    "complete-as-jpeg (quirk): The complete event has a JPEG, and says so.",
    lambda message, rgb: as_file(message, rgb, "jpeg"),
    "format-raw-named (quirk): The complete event says that its format is raw.",
    lambda message: message.with_(format="raw"),
    "png-of-half-size (GEN-PIC-04): The PNG in complete is half as wide and high as complete says.",
    lambda message, rgb: as_file(message, halved(rgb), "png"),
    "png-on-its-side (GEN-PIC-04): The PNG in complete lies on its side.",
    lambda message, rgb: as_file(message, np.rot90(rgb), "png"),
    "picture-of-half-size (GEN-PIC-05): Pictures are half as wide and high as was asked for, and complete says so.",
    lambda message, rgb: of_its_size(message, halved(rgb)),
    "picture-of-fixed-size (GEN-PIC-05): Pictures are always 128x128, and complete says so.",
    lambda message, rgb: of_its_size(message, np.asarray(Image.fromarray(rgb).resize((128, 128)))),
    "size-swapped (GEN-PIC-05): The complete event says width for height and height for width.",
    lambda message: message.with_(width=message.payload["height"], height=message.payload["width"]),
)


@requests.values(quirk=True, layer=pictures.PICTURE)
def model_of_fixed_size(values: dict[str, Any]) -> dict[str, Any]:
    """Pictures are always 256x256, as models for NPUs are made for one size."""
    sides = [side for name in ("width", "height") if (side := values.get(name)) is not None]
    valid = all(isinstance(side, int) and side > 0 and side % 8 == 0 for side in sides)
    return {**values, "width": 256, "height": 256} if values and valid else values


# Previews

several(pictures.coded, kinds=PROGRESS)(
    "preview-short-of-a-row@progress:2 (GEN-PIC-06): The last row of a preview is missing.",
    where(lambda message, rgb: recoded(message, rgb[:-1], "raw"), units=EVENTS),
    "preview-of-half-size (GEN-PIC-06): Previews are half as wide and high as the picture.",
    where(lambda message, rgb: recoded(message, halved(rgb), "raw"), units=EVENTS),
    "preview-format-lies (GEN-PIC-06): Previews say that their raw pixels are a jpeg.",
    where(lambda message: message.with_(format="jpeg"), units=EVENTS),
    "previews-as-jpeg (quirk): Previews are JPEG, and say so.",
    lambda message, rgb: as_file(message, rgb, "jpeg"),
)


# What events say


def asked(message: Message, request: GenerationRequest) -> str | None:
    """The format that was asked for the picture in an event."""
    return request.preview_format if message.kind == "progress" else request.output_format


def unsaid(message: Message, rgb: Rgb, request: GenerationRequest) -> Message:
    """The event without the format that was asked for."""
    return message.without("format") if asked(message, request) else message


def in_place_of_raw(message: Message, rgb: Rgb, other: str | None) -> Message:
    """A picture that is said to be raw in another format, which the event tells."""
    return as_file(message, rgb, other) if other and message.payload.get("format") == "raw" else message


several(pictures.coded)(
    "output-format-misnamed (EXT-FMT-02): The complete event calls a PNG a jpeg, and a JPEG a png.",
    lambda message, rgb, request: (
        message.with_(format=OTHER[request.output_format]) if request.output_format in OTHER else message
    ),
    "output-format-unsaid (EXT-FMT-02): The complete event does not say the format that was asked for.",
    unsaid,
    "output-jpeg-for-png (EXT-FMT-02): Who asks for a PNG gets a JPEG that is called one.",
    lambda message, rgb, request: recoded(message, rgb, "jpeg") if request.output_format == "png" else message,
    "preview-format-for-both (EXT-FMT-04): Without output_format the complete event has the preview_format.",
    lambda message, rgb, request: in_place_of_raw(message, rgb, request.preview_format),
)
several(pictures.coded, kinds=PROGRESS)(
    "preview-format-unsaid (EXT-FMT-03): Previews do not say the format that was asked for.",
    unsaid,
    "preview-format-ignored (EXT-FMT-03): Previews are raw, and say so, whatever was asked for.",
    lambda message, rgb, request: as_file(message, rgb, "raw") if request.preview_format else message,
    "output-format-for-both (EXT-FMT-04): Without preview_format previews have the output_format.",
    lambda message, rgb, request: in_place_of_raw(message, rgb, request.output_format),
)
several(pictures.coded, kinds=BOTH)(
    "raw-unsaid (EXT-FMT-02, EXT-FMT-03): Pictures that are asked for as raw do not say so.",
    where(
        lambda message, rgb, request: message.without("format") if asked(message, request) == "raw" else message,
        extensions=("formats", "aspect_ratio"),
    ),
    "format-said-unasked (quirk): Every picture says its format, raw where nobody asked for another.",
    where(lambda message: message.with_(format=message.payload.get("format", "raw")), extensions=FORMATS),
)


# What PNG and JPEG show


def in_files(change: Callable[[Rgb], Rgb], *formats: str) -> Callable[[Message, Rgb, GenerationRequest], Message]:
    """Other pixels in pictures of these formats alone (none: PNG and JPEG), as a mistake in the coding makes them."""

    def changed(message: Message, rgb: Rgb, request: GenerationRequest) -> Message:
        format = asked(message, request)
        return recoded(message, change(rgb), format) if format in (formats or ("png", "jpeg")) else message

    return changed


several(pictures.coded)(
    "coded-bgr (EXT-FMT-05): Red and blue of PNG and JPEG are swapped.",
    where(in_files(lambda rgb: rgb[:, :, ::-1]), kinds=BOTH),
    "coded-upside-down (EXT-FMT-05): PNG and JPEG are upside down.",
    where(in_files(lambda rgb: rgb[::-1]), kinds=BOTH),
    "png-of-poor-quality (EXT-FMT-05): A PNG shows what a JPEG of poor quality has left of the picture.",
    in_files(lambda rgb: rgb_of(saved(rgb, "JPEG", quality=4)), "png"),
)
several(pictures.coded, kinds=PROGRESS, extensions=FORMATS)(
    "coded-previews-mirrored (EXT-FMT-05): Previews as PNG and JPEG are mirrored.",
    in_files(lambda rgb: rgb[:, ::-1]),
    "coded-previews-shifted (EXT-FMT-05): Previews as PNG and JPEG are shifted by half a block of 8 pixels.",
    in_files(lambda rgb: np.roll(rgb, 4, axis=(0, 1))),
    "coded-previews-small (quirk): Previews as PNG and JPEG are half as wide and high as the picture.",
    in_files(lambda rgb: np.asarray(ImageOps.scale(Image.fromarray(rgb), 0.5, Image.Resampling.BOX))),
)


@pictures.coded(kinds=BOTH, extensions=FORMATS, quirk=True)
def jpegs_of_low_quality(message: Message, rgb: Rgb, request: GenerationRequest) -> Message:
    """Pictures as JPEG have a low quality, and their colours half the resolution."""
    poor = asked(message, request) == "jpeg"
    return message.with_(image=base64_of(saved(rgb, "JPEG", quality=50, subsampling=2))) if poor else message
