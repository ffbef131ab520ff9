"""Faults and quirks of how pictures are coded, and of their size."""

from __future__ import annotations

import json

import numpy as np
from PIL import Image

from local_dream_mockserver.faults.catalogue import quirk
from local_dream_mockserver.faults.effects import pictures
from local_dream_mockserver.faults.effects.events import EVENTS, PROGRESS
from local_dream_mockserver.faults.effects.pictures import file_of, halved
from local_dream_mockserver.faults.hooks import FaultHooks, Reader
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.server.engine import GenerationRequest, Rgb

# The base64


def wrapped(text: str) -> str:
    """The text in lines of 76 characters."""
    return "\n".join(text[start : start + 76] for start in range(0, len(text), 76))


@pictures.text("GEN-PIC-01", at="complete")
def base64_wrapped(text: str) -> str:
    """The base64 of complete is wrapped after 76 characters."""
    return wrapped(text)


@pictures.text("GEN-PIC-01", at="progress:1")
def preview_base64_wrapped(text: str) -> str:
    """The base64 of previews is wrapped after 76 characters."""
    return wrapped(text)


@pictures.text("GEN-PIC-01", at="complete")
def base64_url_safe(text: str) -> str:
    """The base64 of complete is in the URL-safe alphabet."""
    return text.replace("+", "-").replace("/", "_")


@pictures.text("GEN-PIC-01", at="complete")
def base64_torn(text: str) -> str:
    """The base64 of complete ends in the middle of a group."""
    return text[: len(text) // 2 * 2 - 3]


@pictures.text("GEN-PIC-01", at="complete")
def image_as_data_url(text: str) -> str:
    """The image in complete is a data: URL."""
    return "data:image/png;base64," + text


# The format of complete


def as_file(message: Message, rgb: Rgb, format: str) -> Message:
    """The event with a picture in a format, and saying so."""
    return message.with_(format=format, image=file_of(rgb, format))


@pictures.coded("GEN-PIC-02")
def png_without_format(message: Message, rgb: Rgb) -> Message:
    """The complete event has a PNG, and no format."""
    return message.with_(image=file_of(rgb, "png"))


@pictures.coded("GEN-PIC-02")
def raw_rgba(message: Message, rgb: Rgb) -> Message:
    """The raw pixels of complete have four channels."""
    return message.with_(image=file_of(np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)]), "raw"))


@pictures.coded("GEN-PIC-02")
def raw_short_of_a_row(message: Message, rgb: Rgb) -> Message:
    """The last row of the raw pixels of complete is missing."""
    return message.with_(image=file_of(rgb[:-1], "raw"))


@pictures.coded("GEN-PIC-03")
def format_png_is_raw(message: Message) -> Message:
    """The complete event says that its raw pixels are a png."""
    return message.with_(format="png")


@pictures.coded("GEN-PIC-03")
def format_jpeg_is_png(message: Message, rgb: Rgb) -> Message:
    """The complete event says that its PNG is a jpeg."""
    return message.with_(format="jpeg", image=file_of(rgb, "png"))


@pictures.coded(quirk=True)
def complete_as_png(message: Message, rgb: Rgb) -> Message:
    """The complete event has a PNG, and says so."""
    return as_file(message, rgb, "png")


@pictures.coded(quirk=True)
def complete_as_jpeg(message: Message, rgb: Rgb) -> Message:
    """The complete event has a JPEG, and says so."""
    return as_file(message, rgb, "jpeg")


@pictures.coded(quirk=True)
def format_raw_named(message: Message) -> Message:
    """The complete event says that its format is raw."""
    return message.with_(format="raw")


# The size of complete


def of_its_size(message: Message, rgb: Rgb) -> Message:
    """The event with a picture and its size."""
    return message.with_(image=file_of(rgb, "raw"), width=rgb.shape[1], height=rgb.shape[0])


@pictures.coded("GEN-PIC-04")
def png_of_half_size(message: Message, rgb: Rgb) -> Message:
    """The PNG in complete is half as wide and high as complete says."""
    return as_file(message, halved(rgb), "png")


@pictures.coded("GEN-PIC-04")
def png_on_its_side(message: Message, rgb: Rgb) -> Message:
    """The PNG in complete lies on its side."""
    return as_file(message, np.rot90(rgb), "png")


@pictures.coded("GEN-PIC-05")
def picture_of_half_size(message: Message, rgb: Rgb) -> Message:
    """Pictures are half as wide and high as was asked for, and complete says so."""
    return of_its_size(message, halved(rgb))


@pictures.coded("GEN-PIC-05")
def picture_of_fixed_size(message: Message, rgb: Rgb) -> Message:
    """Pictures are always 128x128, and complete says so."""
    return of_its_size(message, np.asarray(Image.fromarray(rgb).resize((128, 128))))


@pictures.coded("GEN-PIC-05")
def size_swapped(message: Message) -> Message:
    """The complete event says width for height and height for width."""
    return message.with_(width=message.payload["height"], height=message.payload["width"])


@quirk(
    "model-of-fixed-size",
    "Pictures are always 256x256, as models for NPUs are made for one size.",
    layer=pictures.PICTURE,
)
class ModelOfFixedSize(FaultHooks):
    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        honest(body)  # a size that is not valid is refused all the same
        self.happened()
        return honest(json.dumps({**json.loads(body), "width": 256, "height": 256}).encode())


# Previews


@pictures.coded("GEN-PIC-06", kinds=PROGRESS, units=EVENTS)
def preview_of_half_size(message: Message, rgb: Rgb) -> Message:
    """Previews are half as wide and high as the picture."""
    return message.with_(image=file_of(halved(rgb), "raw"))


@pictures.coded("GEN-PIC-06", kinds=PROGRESS, units=EVENTS, at="progress:2")
def preview_short_of_a_row(message: Message, rgb: Rgb) -> Message:
    """The last row of a preview is missing."""
    return message.with_(image=file_of(rgb[:-1], "raw"))


@pictures.coded("GEN-PIC-06", kinds=PROGRESS, units=EVENTS)
def preview_format_lies(message: Message) -> Message:
    """Previews say that their raw pixels are a jpeg."""
    return message.with_(format="jpeg")


@pictures.coded(kinds=PROGRESS, quirk=True)
def previews_as_jpeg(message: Message, rgb: Rgb) -> Message:
    """Previews are JPEG, and say so."""
    return as_file(message, rgb, "jpeg")
