"""Quirks of pictures: how they are coded, what size they have, and what models do to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from PIL import Image, ImageOps

from local_dream_mockserver.faults.bodies import Body, Changed, sent
from local_dream_mockserver.faults.catalogue import Layer, quirk
from local_dream_mockserver.faults.hooks import FaultHooks, Reader
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.faults.painting import Redrawn, Told, noisy
from local_dream_mockserver.faults.pictures import Complete, Preview, file_of
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import Cancelled, GenerationRequest, Mask, Picture, Rgb, Step
from local_dream_mockserver.server.generation import Generates
from local_dream_mockserver.server.image_input import decode_base64

PICTURE = Layer.PICTURE


def _complete(name: str, sentence: str, change: Callable[[Message, Rgb], Message]) -> None:
    quirk(name, sentence, layer=PICTURE)(partial(Complete, change=change))


_complete(
    "complete-as-png",
    "The complete event has a PNG, and says so.",
    lambda m, rgb: m.with_(format="png", image=file_of(rgb, "png")),
)
_complete(
    "complete-as-jpeg",
    "The complete event has a JPEG, and says so.",
    lambda m, rgb: m.with_(format="jpeg", image=file_of(rgb, "jpeg")),
)
_complete("format-raw-named", "The complete event says that its format is raw.", lambda m, rgb: m.with_(format="raw"))
quirk("previews-as-jpeg", "Previews are JPEG, and say so.", layer=PICTURE)(
    partial(Preview, change=lambda m, rgb: m.with_(format="jpeg", image=file_of(rgb, "jpeg")))
)


class NoPreviews(FaultHooks):
    """Sends no previews."""

    async def messages(self, messages: AsyncIterator[Message], request: GenerationRequest) -> AsyncIterator[Message]:
        async for message in messages:
            if message.kind == "progress" and "image" in message.payload:
                self.happened()
                message = message.without("image")
            yield message


quirk(
    "no-previews",
    "There are no previews, as on CPUs.",
    layer=PICTURE,
    discouraged=("GEN-EVT-10",),
)(NoPreviews)


class FixedSize(Changed):
    """Makes pictures of one size, whatever was asked for."""

    SIZE = 256

    def changed(self, body: Body) -> Body:
        return {**body, "width": self.SIZE, "height": self.SIZE} if body else body

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        asked = sent(body)
        honestly = honest(body)
        if asked.get("width") == asked.get("height") == self.SIZE:
            self.happened()
            return honestly
        return super().read(body, honest)


quirk(
    "model-of-fixed-size",
    "Pictures are always 256x256, as models for NPUs are made for one size.",
    layer=PICTURE,
)(FixedSize)


class OtherInput(FaultHooks):
    """Takes the image of a request in another way than the honest server."""

    def __init__(self, place: Trigger | None, fit: Callable[[Image.Image, tuple[int, int]], Image.Image]) -> None:
        super().__init__(place)
        self.fit = fit

    def read(self, body: bytes, honest: Reader) -> GenerationRequest:
        request = honest(body)
        text = sent(body).get("image")
        if not isinstance(text, str):
            return request
        import io

        with Image.open(io.BytesIO(decode_base64("image", text))) as file:
            image = self.fit(file.convert("RGB"), (request.width, request.height))
        self.happened()
        return replace(request, image=np.asarray(image))


quirk("images-stretched", "An image of another shape than the picture's is stretched to it.", layer=PICTURE)(
    partial(OtherInput, fit=lambda image, size: image.resize(size))
)
quirk("images-letterboxed", "An image of another shape than the picture's gets black bars.", layer=PICTURE)(
    partial(OtherInput, fit=lambda image, size: ImageOps.pad(image, size))
)


def _through_decoder(rgb: Rgb, number: int) -> Rgb:
    """What a model's own decoder does to every pixel, a little; the same for the same picture."""
    image = Image.fromarray(rgb)
    small = image.resize((max(1, image.width // 2), max(1, image.height // 2)), Image.Resampling.BICUBIC)
    soft = small.resize(image.size, Image.Resampling.BICUBIC)
    return np.asarray(Image.blend(image, soft, 0.7))


quirk("decoder-changes-all", "Every pixel is a little different, also where the mask keeps it.", layer=PICTURE)(
    partial(Redrawn, change=_through_decoder)
)


quirk(
    "not-bit-exact",
    "The same request gives nearly the same picture, as on GPUs.",
    layer=PICTURE,
    discouraged=("GEN-PIC-08",),
)(partial(Redrawn, change=noisy(1)))


def _soft(mask: Mask) -> Mask:
    """The mask as large cells of 8 pixels, as in the latents of a model."""
    height, width = mask.shape
    small = Image.fromarray(mask).resize((max(1, width // 8), max(1, height // 8)), Image.Resampling.BOX)
    return np.asarray(small.resize((width, height), Image.Resampling.NEAREST))


quirk("mask-in-cells", "The mask is applied in cells of 8 pixels.", layer=PICTURE)(
    partial(Told, ask=lambda r: r if r.mask is None else replace(r, mask=_soft(r.mask)))
)


@quirk(
    "all-steps-with-image", "With an image all steps are taken, and not only the share of its strength.", layer=PICTURE
)
class AllSteps(FaultHooks):
    def works(self, engine: Generates, request: GenerationRequest, cancelled: Cancelled) -> Iterator[Step | Picture]:
        if request.image is not None:
            self.happened()
        for made in engine.generate(request, cancelled):
            if isinstance(made, Picture) or request.image is None:
                yield made
                continue
            for step in range(_until(made.step - 1, made, request), _until(made.step, made, request)):
                yield replace(made, step=step + 1, total_steps=request.steps)  # type: ignore[type-var]


def _until(step: int, made: Step, request: GenerationRequest) -> int:
    """How many of all steps are done when so many of the engine's are."""
    return step * request.steps // made.total_steps
