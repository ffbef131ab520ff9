"""Faults of the extension formats: pictures that are not coded as the client asked, or changed by it."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from functools import partial

import numpy as np

from local_dream_mockserver.faults.bodies import OtherStatus
from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.effects.pictures import file_of, size_of
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.faults.request import TakenFor, without
from local_dream_mockserver.faults.upscale import rgb_of, saved
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest, Rgb
from local_dream_mockserver.server.errors import APIError

OUTPUT, PREVIEW = "output_format", "preview_format"
EXTENSIONS = ("formats",)
OTHER = {"png": "jpeg", "jpeg": "png"}


Change = Callable[[Message, GenerationRequest], Message]


class Each(FaultHooks):
    """Changes each event."""

    def __init__(self, place: Trigger | None, change: Change = lambda message, request: message) -> None:
        super().__init__(place)
        self._change = change

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        async for message in messages:
            changed = self.changed(message, request)
            if changed is not message and changed.encoded() != message.encoded():
                self.happened()
            yield changed

    def changed(self, message: Message, request: GenerationRequest) -> Message:
        """The event that is sent."""
        return self._change(message, request)


class Coded(Each):
    """Changes the pictures of complete, of previews, or of both, where the request asks for a format.

    `change` gets the event, its picture, and the format that was asked for.
    """

    def __init__(self, place: Trigger | None, kinds: tuple[str, ...], change: Callable[[Message, Rgb, str], Message]):
        super().__init__(place)
        self.wanted = kinds
        self.recode = change

    def changed(self, message: Message, request: GenerationRequest) -> Message:
        asked = request.preview_format if message.kind == "progress" else request.output_format
        rgb = message.picture(size_of(message, request)) if message.kind in self.wanted else None
        return message if asked is None or rgb is None else self.recode(message, rgb, asked)


BOTH = ("progress", "complete")


def _coded(
    name: str,
    sentence: str,
    id: str,
    kinds: tuple[str, ...],
    change: Callable[[Message, Rgb, str], Message],
) -> None:
    fault(
        name,
        sentence,
        layer=Layer.EXTENSION,
        breaks=(id,),
        extensions=EXTENSIONS,
    )(partial(Coded, kinds=kinds, change=change))


def recoded(message: Message, rgb: Rgb, format: str) -> Message:
    """The picture in another format, which the event does not tell."""
    return message.with_(image=file_of(rgb, format))


def _drawn(change: Callable[[Rgb], Rgb]) -> Callable[[Message, Rgb, str], Message]:
    """Other pixels in PNG and JPEG alone, as a mistake in the coding makes them."""
    return lambda message, rgb, asked: message if asked == "raw" else recoded(message, change(rgb), asked)


def poor(rgb: Rgb, quality: int) -> str:
    """The base64 of a JPEG of low quality, with its colours at half the resolution."""
    return base64.b64encode(saved(rgb, "JPEG", quality=quality, subsampling=2)).decode("ascii")


def _spoilt(rgb: Rgb) -> Rgb:
    """What a JPEG of so poor a quality leaves of a picture that it can no longer be called the same."""
    return rgb_of(saved(rgb, "JPEG", quality=4))


_coded(
    "output-format-unsaid",
    "The complete event does not say the format that was asked for.",
    "EXT-FMT-02",
    ("complete",),
    lambda m, rgb, asked: m.without("format"),
)
_coded(
    "output-format-misnamed",
    "The complete event calls a PNG a jpeg, and a JPEG a png.",
    "EXT-FMT-02",
    ("complete",),
    lambda m, rgb, asked: m.with_(format=OTHER.get(asked, asked)),
)
_coded(
    "output-jpeg-for-png",
    "Who asks for a PNG gets a JPEG that is called one.",
    "EXT-FMT-02",
    ("complete",),
    lambda m, rgb, asked: recoded(m, rgb, "jpeg") if asked == "png" else m,
)
_coded(
    "preview-format-ignored",
    "Previews are raw, and say so, whatever was asked for.",
    "EXT-FMT-03",
    ("progress",),
    lambda m, rgb, asked: recoded(m, rgb, "raw").with_(format="raw"),
)
_coded(
    "preview-format-unsaid",
    "Previews do not say the format that was asked for.",
    "EXT-FMT-03",
    ("progress",),
    lambda m, rgb, asked: m.without("format"),
)
_coded(
    "coded-bgr", "Red and blue of PNG and JPEG are swapped.", "EXT-FMT-05", BOTH, _drawn(lambda rgb: rgb[:, :, ::-1])
)
_coded("coded-upside-down", "PNG and JPEG are upside down.", "EXT-FMT-05", BOTH, _drawn(lambda rgb: rgb[::-1]))
_coded(
    "coded-previews-mirrored",
    "Previews as PNG and JPEG are mirrored.",
    "EXT-FMT-05",
    ("progress",),
    _drawn(lambda rgb: rgb[:, ::-1]),
)
_coded(
    "coded-previews-shifted",
    "Previews as PNG and JPEG are shifted by half a block of 8 pixels.",
    "EXT-FMT-05",
    ("progress",),
    _drawn(lambda rgb: np.roll(rgb, 4, axis=(0, 1))),
)
_coded(
    "png-of-poor-quality",
    "A PNG shows what a JPEG of poor quality has left of the picture.",
    "EXT-FMT-05",
    ("complete",),
    lambda m, rgb, asked: recoded(m, _spoilt(rgb), "png") if asked == "png" else m,
)


fault(
    "raw-unsaid",
    "Pictures that are asked for as raw do not say so.",
    layer=Layer.EXTENSION,
    breaks=("EXT-FMT-02", "EXT-FMT-03"),
    extensions=("formats", "aspect_ratio"),
)(partial(Coded, kinds=BOTH, change=lambda m, rgb, asked: m.without("format") if asked == "raw" else m))


def _for_both(given: str, kind: str) -> Change:
    """One of the two fields stands for both where the other one is left out: pictures of this kind get its format."""

    def changed(message: Message, request: GenerationRequest) -> Message:
        asked = getattr(request, given)
        rgb = message.picture(size_of(message, request)) if message.kind == kind else None
        if asked is None or rgb is None or message.payload.get("format") != "raw":
            return message
        return recoded(message, rgb, asked).with_(format=asked)

    return changed


fault(
    "output-format-for-both",
    "Without preview_format previews have the output_format.",
    layer=Layer.EXTENSION,
    breaks=("EXT-FMT-04",),
    extensions=EXTENSIONS,
)(partial(Each, change=_for_both(OUTPUT, "progress")))
fault(
    "preview-format-for-both",
    "Without output_format the complete event has the preview_format.",
    layer=Layer.EXTENSION,
    breaks=("EXT-FMT-04",),
    extensions=EXTENSIONS,
)(partial(Each, change=_for_both(PREVIEW, "complete")))


def _other_format(problem: APIError) -> bool:
    return problem.field in (OUTPUT, PREVIEW)


fault(
    "other-formats-taken",
    "A format that is not raw, jpeg or png is taken for none.",
    layer=Layer.EXTENSION,
    breaks=("EXT-FMT-06",),
    extensions=EXTENSIONS,
)(partial(TakenFor, meant=_other_format, body=without(OUTPUT, PREVIEW)))
fault(
    "other-formats-500",
    "A format that is not raw, jpeg or png is answered with status 500.",
    layer=Layer.EXTENSION,
    breaks=("EXT-FMT-06",),
    extensions=EXTENSIONS,
)(partial(OtherStatus, status=500, meant=_other_format))
