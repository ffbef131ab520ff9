"""Faults of what pictures show: fields of the request that have no effect, another one, or an effect too many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from local_dream_mockserver.faults.catalogue import Layer, fault
from local_dream_mockserver.faults.changes import EachComplete
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.message import Message
from local_dream_mockserver.faults.pictures import size_of
from local_dream_mockserver.proxy.trigger import Trigger
from local_dream_mockserver.server.engine import GenerationRequest, Rgb

PICTURE = Layer.PICTURE
Ask = Callable[[GenerationRequest], GenerationRequest]


class Told(FaultHooks):
    """Has the engine paint something else than was asked for."""

    def __init__(self, place: Trigger | None, ask: Ask) -> None:
        super().__init__(place)
        self.ask = ask

    def asked(self, request: GenerationRequest) -> GenerationRequest:
        other = self.ask(request)
        if other is not request:
            self.happened()
        return other


def _asks(name: str, sentence: str, breaks: tuple[str, ...], ask: Ask) -> None:
    fault(name, sentence, layer=PICTURE, breaks=breaks)(partial(Told, ask=ask))


def _where(given: str, **other: object) -> Ask:
    """Other values where the request has a certain field."""
    return lambda r: r if getattr(r, given) is None else replace(r, **other)  # type: ignore[arg-type]


def _darkness(request: GenerationRequest) -> GenerationRequest:
    if request.mask is None:
        return request
    return replace(request, mask=255 - request.mask)


def _bgr(request: GenerationRequest) -> GenerationRequest:
    if request.image is None:
        return request
    return replace(request, image=np.ascontiguousarray(request.image[:, :, ::-1]))


def _upside_down(request: GenerationRequest) -> GenerationRequest:
    if request.image is None:
        return request
    return replace(request, image=np.ascontiguousarray(request.image[::-1]))


_asks(
    "strength-inverted",
    "A denoise_strength of 1 keeps the image, and 0 ignores it.",
    ("GEN-PIC-11",),
    lambda r: r if r.image is None else replace(r, denoise_strength=1 - r.denoise_strength),
)
_asks(
    "strength-ignored",
    "The denoise_strength has no effect.",
    ("GEN-PIC-11",),
    _where("image", denoise_strength=0.6),
)
_asks(
    "image-ignored",
    "The image has no effect.",
    ("GEN-PIC-11", "GEN-PIC-12"),
    _where("image", image=None, mask=None),
)
_asks("mask-ignored", "The mask has no effect.", ("GEN-PIC-12",), _where("mask", mask=None))
_asks(
    "mask-inverted", "Black parts of the mask are repainted, white ones kept.", ("GEN-PIC-12", "GEN-PIC-13"), _darkness
)
_asks(
    "inpainting-does-nothing",
    "With a mask the image comes back as it was.",
    ("GEN-PIC-13",),
    _where("mask", denoise_strength=0.0),
)
_asks("image-read-as-bgr", "Red and blue of the image are swapped.", ("GEN-PIC-12",), _bgr)
_asks("image-upside-down", "The image is read upside down.", ("GEN-PIC-12",), _upside_down)


class Redrawn(EachComplete):
    """Changes the pixels of complete. `change` gets the number of the picture, from 0, too."""

    def __init__(self, place: Trigger | None, change: Callable[[Rgb, int], Rgb]) -> None:
        super().__init__(place)
        self.redraw = change
        self.number = 0

    def changed(self, message: Message, request: GenerationRequest) -> Message:
        number = self.number
        self.number += 1
        return message.redrawn(size_of(message, request), lambda rgb: self.redraw(rgb, number))


def _redrawn(name: str, sentence: str, breaks: tuple[str, ...], change: Callable[[Rgb, int], Rgb]) -> None:
    fault(name, sentence, layer=PICTURE, breaks=breaks)(partial(Redrawn, change=change))


def noisy(strength: int) -> Callable[[Rgb, int], Rgb]:
    """Noise of up to `strength` of 255, another for each picture, the same in every run."""

    def changed(rgb: Rgb, number: int) -> Rgb:
        noise = np.random.default_rng(number).integers(-strength, strength + 1, rgb.shape)
        seen: Rgb = np.clip(rgb.astype(np.int16) + noise, 0, 255).astype(np.uint8)
        return seen

    return changed


def _flat(colour: int) -> Callable[[Rgb, int], Rgb]:
    return lambda rgb, number: np.full_like(rgb, colour)


def _moved(rgb: Rgb, number: int) -> Rgb:
    return np.roll(rgb, 16 * number, axis=1)


_redrawn("noise-in-pictures", "Every picture has noise of its own.", ("GEN-PIC-07",), noisy(30))
_redrawn(
    "pictures-shift",
    "Every picture is shifted by 16 pixels more than the one before.",
    ("GEN-PIC-07",),
    _moved,
)
_redrawn("last-bits-differ", "The last bits of a picture are not the same twice.", ("GEN-PIC-08",), noisy(1))
_redrawn("pictures-white", "All pictures are white.", ("GEN-PIC-14",), _flat(255))
_redrawn("pictures-black", "All pictures are black.", ("GEN-PIC-14",), _flat(0))


@fault(
    "seed-of-the-clock",
    "The seed of a request is not used, but another one for each picture.",
    layer=PICTURE,
    breaks=("GEN-PIC-07",),
)
class SeedOfTheClock(FaultHooks):
    def __init__(self, place: Trigger | None = None) -> None:
        super().__init__(place)
        self.number = 0

    def asked(self, request: GenerationRequest) -> GenerationRequest:
        self.number += 1
        self.happened()
        return replace(request, seed=self.number)


class Cached(FaultHooks):
    """Paints the request that first had the same key."""

    def __init__(self, place: Trigger | None, key: Callable[[GenerationRequest], object]) -> None:
        super().__init__(place)
        self.key = key
        self.seen: dict[object, GenerationRequest] = {}

    def asked(self, request: GenerationRequest) -> GenerationRequest:
        first = self.seen.setdefault(self.key(request), request)
        if (first.prompt, first.seed) != (request.prompt, request.seed):
            self.happened()
        return replace(request, prompt=first.prompt, seed=first.seed)


fault(
    "cache-without-seed",
    "A request gets the picture of the first one with the same prompt and size, whatever the seed.",
    layer=PICTURE,
    breaks=("GEN-PIC-09",),
)(partial(Cached, key=lambda r: (r.prompt, r.width, r.height)))
fault(
    "cache-without-prompt",
    "A request gets the picture of the first one with the same seed and size, whatever the prompt.",
    layer=PICTURE,
    breaks=("GEN-PIC-10",),
)(partial(Cached, key=lambda r: (r.seed, r.width, r.height)))
