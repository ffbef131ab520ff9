"""The synthetic engine: no model, yet every parameter of a request has its effect on the picture.

It stands in for a real engine wherever the talk over HTTP matters and the picture's beauty does not: it starts at once,
takes a few milliseconds for a small picture, and gives the same bytes for the same request.

What each parameter does here: the prompt chooses colours and land, the negative prompt turns them away, the seed moves
everything, cfg is contrast and colour, the scheduler is the brush (all but `dpm` leave grain), the steps settle what is
left of the noise and lead elsewhere, the strength is how much of the input picture is painted over, white in the mask
is painted over. Any other field leaves grain of its own where it is not its default.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
from PIL import Image, ImageFilter

from local_dream_mockserver.mock.landscape import Plane, landscape, mood_of, noise, random_of
from local_dream_mockserver.mock.synthetic_tokens import SyntheticTokenCount, count_tokens
from local_dream_mockserver.server.engine import (
    Cancelled,
    EngineError,
    GenerationRequest,
    Mask,
    RequestRefused,
    Rgb,
    UnknownUpscaler,
)
from local_dream_mockserver.server.spec import schedulers

SCHEDULERS = schedulers()
PAINTED = (
    *("prompt", "negative_prompt", "seed", "steps", "cfg", "width", "height"),
    *("scheduler", "denoise_strength", "image", "mask"),
)
"""What has an effect of its own on the picture."""
UNSEEN = ("previews", "preview_stride", "use_opencl", "output_format", "preview_format")
"""What has none: it changes what is sent, or how fast."""
SEEN = tuple(field.name for field in fields(GenerationRequest) if field.name not in UNSEEN)
GRAIN = np.float32(0.12)
"""Strength of the grain that all schedulers but `dpm` leave, and every field without an effect of its own where it is
not left out, as a share of the brightness: it makes another picture."""
TURN = np.float32(0.1)
"""How far another number of steps leads to another picture, as a share of the brightness."""
SEAM = 2
"""Width in pixels of the blend inside the masked area's edge. What is not masked is never touched."""
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
            if not (math.isfinite(seconds) and 0 <= seconds <= 3600):
                raise EngineError(f"pace {field.name}: {seconds} is not a number of seconds from 0 to 3600")


class SyntheticEngine:
    """See the module's text, and `engine.Engine` for the meaning of the methods."""

    weighs_prompts: ClassVar[bool] = True

    def __init__(self, pacing: Pacing | None = None, *, any_upscaler: bool = False) -> None:
        self._pacing = pacing or Pacing()
        self._any_upscaler = any_upscaler
        self._kept: dict[tuple[object, ...], Rgb] = {}

    def describe(self) -> SyntheticDescription:
        return SyntheticDescription()

    def limits(self) -> SyntheticLimits:
        return SyntheticLimits()

    def generate(self, request: GenerationRequest, cancelled: Cancelled) -> Iterator[SyntheticStep | SyntheticPicture]:
        if request.scheduler not in SCHEDULERS:
            raise RequestRefused(f"scheduler: there is no {request.scheduler!r}; use one of {', '.join(SCHEDULERS)}")
        started = time.monotonic()
        rest(self._pacing.first, cancelled)
        result = self._painted(request)
        chaos = latent_noise(request) if request.previews else None
        total = denoising_steps(request)
        first = 0.0
        for step in range(1, total + 1):
            if cancelled():
                return
            rest(self._pacing.step, cancelled)
            first = first or time.monotonic() - started
            preview = None
            if chaos is not None and request.previews_at(step):
                preview = unfinished(request, result, chaos, step / total)
            yield SyntheticStep(step, total, preview)
        yield SyntheticPicture(result, first)

    def _painted(self, request: GenerationRequest) -> Rgb:
        """The finished picture, which tests of clients ask for again and again."""
        if request.image is not None or request.width * request.height > KEPT_PIXELS:
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
        rest(self._pacing.upscale, cancelled)
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
    end = time.monotonic() + seconds
    while not cancelled() and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, NAP))


def denoising_steps(request: GenerationRequest) -> int:
    """As in real img2img: only the share of the steps that the strength leaves, at least one."""
    if request.image is None:
        return request.steps
    return max(1, round(request.steps * request.denoise_strength))


def latent_noise(request: GenerationRequest) -> Plane:
    """The noise from which the picture comes, shape (height, width, 3), about -0.5..0.5."""
    chance = random_of("noise", str(request.seed), request.scheduler)
    shape = (-(-request.height // 4), -(-request.width // 4), 3)
    coarse = chance.standard_normal(shape, dtype=np.float32) * np.float32(0.25)
    whole = coarse.repeat(4, axis=0).repeat(4, axis=1)
    return whole[: request.height, : request.width]


def paint(request: GenerationRequest) -> Rgb:
    """The finished picture, shape (height, width, 3)."""
    width, height = request.width, request.height
    scene = landscape(mood_of(request.prompt, request.negative_prompt), request.seed, width, height)
    guidance = np.float32(0.55 + 0.9 * math.tanh(request.cfg / 15.0))
    grey = scene.mean(axis=2, keepdims=True)
    scene = grey + (scene - grey) * guidance
    scene = np.float32(0.5) + (scene - np.float32(0.5)) * (np.float32(0.5) + np.float32(0.5) * guidance)
    scene += latent_noise(request) * np.float32(0.35 / (1 + request.steps))
    way = random_of("steps", str(request.steps))
    scene += (noise(way, width, height, 3, 2) * TURN)[..., np.newaxis]
    if request.scheduler != "dpm":
        chance = random_of("grain", str(request.seed), request.scheduler)
        scene += (noise(chance, width, height, 48, 2) * GRAIN)[..., np.newaxis]
    if others := other_fields(request):
        scene += (noise(random_of("fields", repr(others)), width, height, 48, 2) * GRAIN)[..., np.newaxis]
    drawn = np.clip(scene, 0, 1) * np.float32(255)
    if request.image is not None:
        before = request.image.astype(np.float32)
        cover = np.full((height, width, 1), request.denoise_strength, dtype=np.float32)
        if request.mask is not None:
            cover *= feathered(request.mask)[..., np.newaxis]
        drawn = before + (drawn - before) * cover
    return bytes_of(drawn)


def other_fields(request: GenerationRequest) -> dict[str, object]:
    """The fields that this engine has no effect of its own for, as far as they are not what they are by default.

    A field that is added to the contract shows in the picture without a line here.
    """
    others = [field for field in fields(request) if field.name not in (*PAINTED, *UNSEEN)]
    values = {field.name: getattr(request, field.name) for field in others}
    return {field.name: values[field.name] for field in others if values[field.name] != field.default}


def bytes_of(picture: Plane) -> Rgb:
    """Rounds a picture of 0..255 to uint8."""
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)


def feathered(mask: Mask) -> Plane:
    """The mask as 0..1, softened towards the inside of its edge only: black stays exactly 0."""
    whole = mask.astype(np.float32) / np.float32(255)
    soft = Image.fromarray(mask).filter(ImageFilter.BoxBlur(SEAM))
    inside: Plane = np.minimum(whole, np.asarray(soft, dtype=np.float32) / np.float32(255))
    return inside


def unfinished(request: GenerationRequest, result: Rgb, chaos: Plane, done: float) -> Rgb:
    """The picture when a share `done` (0..1) of the steps is done: still noisy, and the result itself at 1."""
    left = np.float32((1.0 - done) ** 1.2)
    start = np.float32(127.5) if request.image is None else request.image.astype(np.float32)
    noisy = start + chaos * np.float32(255)
    change = left if request.mask is None else (left * feathered(request.mask))[..., np.newaxis]
    return bytes_of(result.astype(np.float32) + (noisy - result.astype(np.float32)) * change)
