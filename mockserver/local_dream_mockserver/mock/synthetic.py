"""The synthetic engine: no model, yet every parameter of a request has its effect on the picture.

It stands in for a real engine wherever the talk over HTTP matters and the picture's beauty does not: it starts at once,
takes a few milliseconds for a small picture, and gives the same bytes for the same request.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
from PIL import Image

from local_dream_mockserver.mock.painting import UNSEEN, latent_noise, paint, unfinished
from local_dream_mockserver.mock.synthetic_tokens import SyntheticTokenCount, count_tokens
from local_dream_mockserver.server import clock
from local_dream_mockserver.server.engine import (
    Cancelled,
    EngineError,
    GenerationRequest,
    RequestRefused,
    Rgb,
    UnknownUpscaler,
)
from local_dream_mockserver.server.spec import schedulers

SCHEDULERS = schedulers()
SEEN = tuple(field.name for field in fields(GenerationRequest) if field.name not in UNSEEN)
KEPT_PIXELS = 256 * 256
"""Greatest width x height of a picture that is kept for the next request that asks for the same one."""
KEPT = 32
"""Pictures that are kept: 6 MB at most."""
NAP = 0.02
"""Longest sleep in seconds between two looks at whether anybody still waits."""


@dataclass(frozen=True, slots=True)
class SyntheticDescription:
    """See `engine.Description`."""

    name: str = "synthetic"
    device: str = "cpu"
    schedulers: Sequence[str] = SCHEDULERS
    native_size: int = 512


@dataclass(frozen=True, slots=True)
class SyntheticLimits:
    """See `engine.Limits`."""

    min_side: int = 8
    max_side: int = 4096
    max_pixels: int = 2048 * 2048
    max_steps: int = 1000
    max_upscale_side: int = 4096
    max_upscale_pixels: int = 2048 * 2048


@dataclass(frozen=True, slots=True)
class SyntheticUpscaler:
    """See `engine.Upscaler`."""

    name: str = "lanczos"
    file: str = "lanczos-x4.bin"
    scale: int = 4
    architecture: str = "resampling"


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticStep:
    """See `engine.Step`."""

    step: int
    total_steps: int
    preview: Rgb | None


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticPicture:
    """See `engine.Picture`."""

    rgb: Rgb
    first_step_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing:
    """How slow the engine plays, in seconds: before the first step, and each step. 0 is as fast as it can."""

    first: float = 0.02
    step: float = 0.012
    upscale: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            seconds = getattr(self, field.name)
            if not 0 <= seconds <= 3600:  # of whole numbers of any length, too, which are no float
                raise EngineError(f"pace {field.name}: {seconds} is not a number of seconds from 0 to 3600")


class SyntheticEngine:
    """See the module's text, and `engine.Engine` for the meaning of the methods."""

    weighs_prompts: ClassVar[bool] = True
    refines: ClassVar[bool] = True
    follows_pictures: ClassVar[bool] = True

    def __init__(self, pacing: Pacing | None = None, *, any_upscaler: bool = False) -> None:
        self._pacing = pacing or Pacing()
        self._any_upscaler = any_upscaler
        self._kept: dict[tuple[object, ...], Rgb] = {}

    @property
    def pacing(self) -> Pacing:
        """How slow it plays now."""
        return self._pacing

    def describe(self) -> SyntheticDescription:
        return SyntheticDescription()

    def limits(self) -> SyntheticLimits:
        return SyntheticLimits()

    def generate(self, request: GenerationRequest, cancelled: Cancelled) -> Iterator[SyntheticStep | SyntheticPicture]:
        if request.scheduler not in SCHEDULERS:
            raise RequestRefused(f"scheduler: there is no {request.scheduler!r}; use one of {', '.join(SCHEDULERS)}")
        started = clock.monotonic()
        pacing = self.pacing
        rest(pacing.first, cancelled)
        result = self._painted(request)
        chaos = latent_noise(request) if request.previews else None
        total = denoising_steps(request)
        first = 0.0
        for step in range(1, total + 1):
            if cancelled():
                return
            rest(pacing.step, cancelled)
            first = first or clock.monotonic() - started
            preview = None
            if chaos is not None and request.previews_at(step):
                preview = unfinished(request, result, chaos, step / total)
            yield SyntheticStep(step, total, preview)
        yield SyntheticPicture(result, first)

    def _painted(self, request: GenerationRequest) -> Rgb:
        """The finished picture, which tests of clients ask for again and again."""
        pictures = request.image is not None or request.reference_images
        if pictures or request.width * request.height > KEPT_PIXELS:
            return paint(request)
        key = tuple(getattr(request, name) for name in SEEN)
        if key not in self._kept:
            if len(self._kept) == KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = paint(request)
            self._kept[key].setflags(write=False)
        return self._kept[key]

    def tokenize(self, prompt: str) -> SyntheticTokenCount:
        return count_tokens(prompt)

    def upscalers(self) -> Sequence[SyntheticUpscaler]:
        return (SyntheticUpscaler(),)

    def resolve_upscaler(self, path: str) -> str:
        known = SyntheticUpscaler()
        if path in {"default", known.name, known.file} or self._any_upscaler:
            return known.name
        raise UnknownUpscaler(f"X-Upscaler-Path: no such model; use one of default, {known.name}, {known.file}")

    def upscale(self, rgb: Rgb, upscaler: str, use_opencl: bool, cancelled: Cancelled) -> Rgb:
        rest(self.pacing.upscale, cancelled)
        height, width = rgb.shape[:2]
        image = Image.fromarray(rgb).resize((width * 4, height * 4), Image.Resampling.LANCZOS)
        return np.asarray(image)


def create(options: Mapping[str, str]) -> SyntheticEngine:
    """The entry point. Options: `pace_first`, `pace_step`, `pace_upscale` in seconds; `any_upscaler` and `generate`
    "true"/"false" (without a model there is nothing that `generate` could save)."""
    known = {f"pace_{field.name}": field.name for field in fields(Pacing)}
    paces: dict[str, float] = {}
    any_upscaler = False
    for name, text in options.items():
        if name in known:
            try:
                paces[known[name]] = float(text)
            except ValueError:
                raise EngineError(f"option {name}: {text!r} is not a number of seconds") from None
        elif name == "any_upscaler" and text in {"true", "false"}:
            any_upscaler = text == "true"
        elif name == "generate" and text in {"true", "false"}:
            continue
        else:
            flags = "any_upscaler=true|false, generate=true|false"
            raise EngineError(f"option {name}={text}: use one of {', '.join(known)}, {flags}")
    return SyntheticEngine(Pacing(**paces), any_upscaler=any_upscaler)


def rest(seconds: float, cancelled: Cancelled) -> None:
    """Sleeps, but not on when nobody waits any more."""
    end = clock.monotonic() + seconds
    while not cancelled() and (left := end - clock.monotonic()) > 0:
        time.sleep(min(left, NAP))


def denoising_steps(request: GenerationRequest) -> int:
    """As in real img2img: only the share of the steps that the strength leaves, at least one."""
    if request.image is None:
        return request.steps
    return max(1, round(request.steps * request.denoise_strength))
