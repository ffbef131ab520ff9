"""Faults of how pictures are coded, and of their size."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.changes import EVENTS, Each
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest, Rgb

PICTURE = Layer.PICTURE
Text = Callable[[str], str]


class Pictured(Each):
    """Changes events that carry a picture."""

    def changed(self, message: Message, request: GenerationRequest) -> Message:
        if not isinstance(message.payload.get("image"), str):
            return message
        return self.repictured(message, request)

    def repictured(self, message: Message, request: GenerationRequest) -> Message:
        """The event with another picture."""
        return super().changed(message, request)


def size_of(message: Message, request: GenerationRequest) -> tuple[int, int]:
    """Width and height of the picture in an event."""
    return message.payload.get("width", request.width), message.payload.get("height", request.height)


def file_of(rgb: Rgb, format: str) -> str:
    """The base64 of a picture as a file: PNG or JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, format.upper())
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def coded(rgb: Rgb) -> str:
    """The base64 of raw RGB."""
    return base64.b64encode(np.ascontiguousarray(rgb).tobytes()).decode("ascii")


def halved(rgb: Rgb) -> Rgb:
    """Half as wide and high."""
    return rgb[::2, ::2]


def _text(
    name: str, sentence: str, change: Text, *, breaks: tuple[str, ...] = ("GEN-PIC-01",), place: str = "complete"
) -> None:
    """Registers a fault of the base64 in the event at a place."""

    def changed(message: Message, request: GenerationRequest) -> Message:
        text = message.payload.get("image")
        return message.with_(image=change(text)) if isinstance(text, str) else message

    fault(name, sentence, layer=PICTURE, breaks=breaks, units=EVENTS, place=place)(partial(Pictured, change=changed))


def _wrapped(text: str) -> str:
    return "\n".join(text[start : start + 76] for start in range(0, len(text), 76))


_text("base64-wrapped", "The base64 of complete is wrapped after 76 characters.", _wrapped)
_text(
    "base64-url-safe",
    "The base64 of complete is in the URL-safe alphabet.",
    lambda t: t.replace("+", "-").replace("/", "_"),
)
_text(
    "base64-torn", "The base64 of complete ends in the middle of a group.", lambda text: text[: len(text) // 2 * 2 - 3]
)
_text("image-as-data-url", "The image in complete is a data: URL.", lambda text: "data:image/png;base64," + text)
_text("preview-base64-wrapped", "The base64 of previews is wrapped after 76 characters.", _wrapped, place="progress:1")


class Complete(Each):
    """Changes the picture of complete; the event may say another size or format then."""

    def __init__(self, place: Trigger | None, change: Callable[[Message, Rgb], Message]) -> None:
        super().__init__(place)
        self.redo = change

    def changed(self, message: Message, request: GenerationRequest) -> Message:
        if message.kind != "complete":
            return message
        rgb = message.picture(size_of(message, request))
        return message if rgb is None else self.redo(message, rgb)


def _complete(
    name: str,
    sentence: str,
    breaks: tuple[str, ...],
    change: Callable[[Message, Rgb], Message],
) -> None:
    fault(name, sentence, layer=PICTURE, breaks=breaks)(partial(Complete, change=change))


_complete(
    "format-png-is-raw",
    "The complete event says that its raw pixels are a png.",
    ("GEN-PIC-03",),
    lambda m, rgb: m.with_(format="png"),
)
_complete(
    "format-jpeg-is-png",
    "The complete event says that its PNG is a jpeg.",
    ("GEN-PIC-03",),
    lambda m, rgb: m.with_(format="jpeg", image=file_of(rgb, "png")),
)
_complete(
    "png-of-half-size",
    "The PNG in complete is half as wide and high as complete says.",
    ("GEN-PIC-04",),
    lambda m, rgb: m.with_(format="png", image=file_of(halved(rgb), "png")),
)
_complete(
    "png-on-its-side",
    "The PNG in complete lies on its side.",
    ("GEN-PIC-04",),
    lambda m, rgb: m.with_(format="png", image=file_of(np.ascontiguousarray(np.rot90(rgb)), "png")),
)


def _of_size(message: Message, rgb: Rgb) -> Message:
    """The event with this picture and its size."""
    return message.with_(image=coded(rgb), width=rgb.shape[1], height=rgb.shape[0])


def _square(rgb: Rgb) -> Rgb:
    side = 128
    return np.asarray(Image.fromarray(rgb).resize((side, side)))


_complete(
    "picture-of-half-size",
    "Pictures are half as wide and high as was asked for, and complete says so.",
    ("GEN-PIC-05",),
    lambda m, rgb: _of_size(m, halved(rgb)),
)
_complete(
    "picture-of-fixed-size",
    "Pictures are always 128x128, and complete says so.",
    ("GEN-PIC-05",),
    lambda m, rgb: _of_size(m, _square(rgb)),
)
_complete(
    "size-swapped",
    "The complete event says width for height and height for width.",
    ("GEN-PIC-05",),
    lambda m, rgb: m.with_(width=m.payload["height"], height=m.payload["width"]),
)


class Preview(Each):
    """Changes previews."""

    def __init__(self, place: Trigger | None, change: Callable[[Message, Rgb], Message]) -> None:
        super().__init__(place)
        self.redo = change

    def changed(self, message: Message, request: GenerationRequest) -> Message:
        if message.kind != "progress":
            return message
        rgb = message.picture((request.width, request.height))
        return message if rgb is None else self.redo(message, rgb)


def _preview(name: str, sentence: str, change: Callable[[Message, Rgb], Message], place: str = "") -> None:
    fault(name, sentence, layer=PICTURE, breaks=("GEN-PIC-06",), units=EVENTS, place=place)(
        partial(Preview, change=change)
    )


_preview(
    "preview-of-half-size",
    "Previews are half as wide and high as the picture.",
    lambda m, rgb: m.with_(image=coded(halved(rgb))),
)
_preview(
    "preview-short-of-a-row",
    "The last row of a preview is missing.",
    lambda m, rgb: m.with_(image=coded(rgb[:-1])),
    "progress:2",
)
_preview("preview-format-lies", "Previews say that their raw pixels are a jpeg.", lambda m, rgb: m.with_(format="jpeg"))
