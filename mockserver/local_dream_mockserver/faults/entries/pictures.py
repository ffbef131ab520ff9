"""Faults and quirks of how pictures are coded, and of their size."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from local_dream_mockserver.faults.effects import pictures, requests
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.faults.effects.events import EVENTS, PROGRESS
from local_dream_mockserver.faults.effects.pictures import file_of, halved
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.server.engine import Rgb

# The base64


def wrapped(text: str) -> str:
    """The text in lines of 76 characters."""
    return "\n".join(text[start : start + 76] for start in range(0, len(text), 76))


several(pictures.text, at="progress:1")(
    "preview-base64-wrapped (GEN-PIC-01): The base64 of previews is wrapped after 76 characters.",
    wrapped,
)
several(pictures.text, at="complete")(
    "base64-wrapped (GEN-PIC-01): The base64 of complete is wrapped after 76 characters.",
    wrapped,
    "base64-url-safe (GEN-PIC-01): The base64 of complete is in the URL-safe alphabet.",
    lambda text: text.replace("+", "-").replace("/", "_"),
    "base64-torn (GEN-PIC-01): The base64 of complete ends in the middle of a group.",
    lambda text: text[: len(text) // 2 * 2 - 3],
    "image-as-data-url (GEN-PIC-01): The image in complete is a data: URL.",
    lambda text: "data:image/png;base64," + text,
)


# The format of complete


def as_file(message: Message, rgb: Rgb, format: str) -> Message:
    """The event with a picture in a format, and saying so."""
    return message.with_(format=format, image=file_of(rgb, format))


several(pictures.coded)(
    "png-without-format (GEN-PIC-02): The complete event has a PNG, and no format.",
    lambda message, rgb: message.with_(image=file_of(rgb, "png")),
    "raw-rgba (GEN-PIC-02): The raw pixels of complete have four channels.",
    lambda message, rgb: message.with_(image=file_of(np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)]), "raw")),
    "raw-short-of-a-row (GEN-PIC-02): The last row of the raw pixels of complete is missing.",
    lambda message, rgb: message.with_(image=file_of(rgb[:-1], "raw")),
    "format-png-is-raw (GEN-PIC-03): The complete event says that its raw pixels are a png.",
    lambda message: message.with_(format="png"),
    "format-jpeg-is-png (GEN-PIC-03): The complete event says that its PNG is a jpeg.",
    lambda message, rgb: message.with_(format="jpeg", image=file_of(rgb, "png")),
)
several(pictures.coded, quirk=True)(
    "complete-as-png: The complete event has a PNG, and says so.",
    lambda message, rgb: as_file(message, rgb, "png"),
    "complete-as-jpeg: The complete event has a JPEG, and says so.",
    lambda message, rgb: as_file(message, rgb, "jpeg"),
    "format-raw-named: The complete event says that its format is raw.",
    lambda message: message.with_(format="raw"),
)


# The size of complete


def of_its_size(message: Message, rgb: Rgb) -> Message:
    """The event with a picture and its size."""
    return message.with_(image=file_of(rgb, "raw"), width=rgb.shape[1], height=rgb.shape[0])


several(pictures.coded)(
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

several(pictures.coded, kinds=PROGRESS, units=EVENTS, at="progress:2")(
    "preview-short-of-a-row (GEN-PIC-06): The last row of a preview is missing.",
    lambda message, rgb: message.with_(image=file_of(rgb[:-1], "raw")),
)
several(pictures.coded, kinds=PROGRESS, units=EVENTS)(
    "preview-of-half-size (GEN-PIC-06): Previews are half as wide and high as the picture.",
    lambda message, rgb: message.with_(image=file_of(halved(rgb), "raw")),
    "preview-format-lies (GEN-PIC-06): Previews say that their raw pixels are a jpeg.",
    lambda message: message.with_(format="jpeg"),
)
several(pictures.coded, kinds=PROGRESS, quirk=True)(
    "previews-as-jpeg: Previews are JPEG, and say so.",
    lambda message, rgb: as_file(message, rgb, "jpeg"),
)
