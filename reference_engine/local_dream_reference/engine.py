"""The reference engine: diffusers behind the shape that the server asks of an engine.

``create`` is its entry point. torch and diffusers are imported there, not before: importing them takes seconds, and
whoever only lists the engines should not pay for it.
"""

from __future__ import annotations

import copy
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from local_dream_reference.description import Description, Limits
from local_dream_reference.errors import EngineFailure, RequestRefused, UnusableModel, explained
from local_dream_reference.fair_lock import FairLock
from local_dream_reference.machine import usable_cores
from local_dream_reference.options import Options, parse_options
from local_dream_reference.shipped import DEFAULT, folder_of
from local_dream_reference.source import find_source
from local_dream_reference.upscaling_engine import Cancelled, UpscalingEngine

if TYPE_CHECKING:
    import torch

    from local_dream_reference.guidance import Guidance
    from local_dream_reference.pipelines import Mask, Pipelines, Request, Rgb
    from local_dream_reference.runtime.converted_model import ConvertedModel
    from local_dream_reference.upscaling.upscaler import Upscaler

SCHEDULERS: Final = (
    "dpm",
    "euler_a",
    "dpm_karras",
    "euler",
    "euler_karras",
    "euler_a_karras",
    "lcm",
    "dpm_sde",
    "dpm_sde_karras",
)
"""The names of :data:`local_dream_reference.samplers.SAMPLERS` in its order; reading those takes torch."""


SMALLEST: Final = (64, 1)
"""Side in pixels and steps of the picture that is made before the engine is ready, whatever was asked for."""
WARM: Final = (512, 2)
"""The same where it was asked to be warm."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One denoising step is done. ``preview`` is (height, width, 3) uint8, or None."""

    step: int
    total_steps: int
    preview: Rgb | None


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """The result: (height, width, 3) uint8, and the seconds from the call to the end of the first denoising step."""

    rgb: Rgb
    first_step_seconds: float


@dataclass(frozen=True, slots=True)
class TokenCount:
    """How a prompt fills the text encoder: tokens with the two that mark start and end, the most that fit, and the
    first character that is not seen (None if all are)."""

    count: int
    max_length: int
    overflow_offset: int | None


class _Abandoned(Exception):  # nobody waits for the result: not an error
    """Ends a run that nobody waits for."""


class ReferenceEngine(UpscalingEngine):
    """Makes pictures with a Stable Diffusion style model, one at a time, and enlarges pictures.

    Same request, same bytes, on one machine and with one number of threads. ``turns`` is what the two kinds of work
    share the device by; the upscaler must take its turns there too.
    """

    def __init__(
        self,
        pipeline: Any,
        *,
        name: str,
        device: str,
        max_pixels: int,
        upscaler: Upscaler | None,
        turns: FairLock | None = None,
        guidance: Guidance | None = None,
    ) -> None:
        from local_dream_reference.checkpoint import repaints_only
        from local_dream_reference.guidance import Guidance
        from local_dream_reference.pipelines import Pipelines

        self._pipeline = pipeline
        self._repaints_only = repaints_only(pipeline)
        self._turns = turns or FairLock()
        self._pipelines: Pipelines = Pipelines(pipeline, guidance or Guidance())
        side = int(pipeline.unet.config.sample_size or 64) * pipeline.vae_scale_factor
        super().__init__(Description(name, device, SCHEDULERS, side), Limits(max_pixels=max_pixels), upscaler)
        # Of its own: a tokenizer that counts while another thread has it cut prompts fails, or cuts wrongly.
        self._counting: Any = copy.deepcopy(pipeline.tokenizer)
        self._one_counts = threading.Lock()
        # One thread for all runs: a fresh one each time would build torch's thread pool anew.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="generation")

    def generate(self, request: Request, cancelled: Cancelled) -> Iterator[Step | Picture]:
        """Yield a :class:`Step` as soon as each denoising step is done, then one :class:`Picture`.

        Ends within one step of ``cancelled()`` turning true, or of being closed. Raises RequestRefused before the
        first step, and EngineFailure.
        """
        from local_dream_reference.pipelines import denoising_steps

        self._refuse(request)
        total = denoising_steps(request)
        if request.image is not None and total == 0:
            yield Step(1, 1, request.image.copy() if request.previews_at(1) else None)
            yield Picture(request.image.copy(), 0.0)
            return
        yield from self._denoise(request, total, cancelled)

    def _refuse(self, request: Request) -> None:
        if request.scheduler not in SCHEDULERS:
            raise RequestRefused(f"scheduler: there is no {request.scheduler!r}; use one of {', '.join(SCHEDULERS)}")
        if self._repaints_only and request.mask is None:
            raise RequestRefused("mask: missing; this model was made for inpainting alone: send image and mask")
        limits = self._limits
        for field, side in (("width", request.width), ("height", request.height)):
            if side % 8 or not limits.min_side <= side <= limits.max_side:
                raise RequestRefused(
                    f"{field}: {side} is not a multiple of 8 from {limits.min_side} to {limits.max_side}"
                )
        if request.width * request.height > limits.max_pixels:
            raise RequestRefused(
                f"width, height: {request.width}x{request.height} is more than {limits.max_pixels} pixels; ask for less"
            )
        if not 1 <= request.steps <= limits.max_steps:
            raise RequestRefused(f"steps: {request.steps} is not within 1 to {limits.max_steps}")

    def _denoise(self, request: Request, total: int, cancelled: Cancelled) -> Iterator[Step | Picture]:
        """Run diffusers, which calls back, in the worker thread; hand its steps on from here, where they are asked
        for.
        """
        started = time.monotonic()
        news: queue.SimpleQueue[Step | Picture | BaseException] = queue.SimpleQueue()
        closed = threading.Event()
        first: list[float] = []

        def on_step(number: int, decode: Callable[[], Rgb]) -> None:
            if not first:
                first.append(time.monotonic() - started)
            if closed.is_set() or cancelled():
                raise _Abandoned
            news.put(Step(number, total, decode() if request.previews_at(number) else None))
            self._turns.pass_on()

        def work() -> None:
            try:
                with self._turns.turn():
                    rgb = self._pipelines.run(request, on_step)
                news.put(Picture(rgb, first[0]))
            # Everything crosses to the thread that asked, which raises it there.
            except BaseException as error:
                news.put(error)

        done = self._worker.submit(work)
        try:
            while True:
                item = news.get()
                if isinstance(item, _Abandoned):
                    return
                if isinstance(item, BaseException):
                    raise explained(item) from item
                yield item
                if isinstance(item, Picture):
                    return
        finally:
            closed.set()
            done.result()

    def tokenize(self, prompt: str) -> TokenCount:
        """Count a prompt's tokens. Prompts beyond 20 000 characters are counted up to there."""
        from local_dream_reference.pipelines import LONGEST_PROMPT

        with self._one_counts:
            found = self._counting(
                prompt[:LONGEST_PROMPT], truncation=False, return_offsets_mapping=True, verbose=False
            )
        count, longest = len(found.input_ids), int(self._counting.model_max_length)
        # The end mark takes the last place, so the token that would stand there is the first unseen one.
        overflow = found.offset_mapping[longest - 1][0] if count > longest else None
        return TokenCount(count, longest, overflow)

    def try_out(self, side: int, steps: int) -> None:
        """Make one square picture, which the first run of a process makes slower than the following ones.

        Raises EngineFailure where the model cannot make one.
        """
        request = _Trial(steps=steps, width=side, height=side)
        if self._repaints_only:
            white = np.full((side, side, 3), 255, np.uint8)
            request = replace(request, image=white, mask=white[..., 0])
        for _ in self.generate(request, lambda: False):
            pass


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """The request of :meth:`ReferenceEngine.try_out`."""

    steps: int
    width: int
    height: int
    prompt: str = "a house"
    negative_prompt: str = ""
    seed: int = 0
    cfg: float = 7.5
    scheduler: str = "dpm"
    denoise_strength: float = 1.0
    image: Rgb | None = None
    mask: Mask | None = None

    def previews_at(self, denoising_step: int, /) -> bool:
        """None."""
        return False


def create(options: Mapping[str, str]) -> UpscalingEngine:
    """Load everything and return an engine that is ready. The entry point of the group ``local_dream.engines``.

    For the options see :class:`~local_dream_reference.options.Options`. Raises UnusableModel with one line.
    """
    chosen = parse_options(options)
    return build(chosen) if chosen.generate else build_upscaling(chosen)


def build(chosen: Options) -> ReferenceEngine:
    """Load everything that ``chosen`` asks for."""
    find_source(chosen.model)  # before the seconds that torch takes
    device = _device(chosen)
    import torch

    from local_dream_reference.precision import choose_dtype
    from local_dream_reference.runtime.cache import ConversionCache
    from local_dream_reference.runtime.choice import Wish, choose

    torch.backends.cudnn.deterministic = True
    dtype = choose_dtype(chosen.dtype, device)
    kind = str(dtype).removeprefix("torch.")
    # On a CPU with AMX OpenVINO 2026.4 gave wrong pictures at 512x512, in either precision: there PyTorch runs.
    runtime = "torch" if chosen.runtime == "auto" and kind == "bfloat16" else chosen.runtime
    wish = Wish(runtime, chosen.model, chosen.config, device.type, kind, torch.get_num_threads())
    conversion = choose(wish, ConversionCache())
    reading = threading.Thread(target=_read, args=(conversion,))
    reading.start()  # beside the import of diffusers, which takes longer
    from local_dream_reference.checkpoint import load_pipeline
    from local_dream_reference.guidance import guidance_of

    pipeline = load_pipeline(chosen.model, device, dtype, chosen.config, conversion)
    reading.join()
    turns = FairLock()
    engine = ReferenceEngine(
        pipeline,
        name=_name(chosen.model),
        device=f"{device.type} ({kind}{'' if conversion is None else ', openvino'})",
        max_pixels=chosen.max_pixels,
        upscaler=_upscaler(chosen, device, turns),
        turns=turns,
        guidance=guidance_of(folder_of(chosen.model), pipeline.scheduler.config),
    )
    try:
        engine.try_out(*(WARM if chosen.warmup else SMALLEST))
    except EngineFailure as error:
        raise UnusableModel(f"model {chosen.model!r} is loaded, but makes no picture: {error}") from error
    return engine


def _read(conversion: ConvertedModel | None) -> None:
    if conversion is not None:
        with suppress(RuntimeError):  # it will be raised again by whoever needs what was not read
            conversion.ready()


def build_upscaling(chosen: Options) -> UpscalingEngine:
    """Load no more than what enlarges pictures."""
    device = _device(chosen)
    upscaler = _upscaler(chosen, device, FairLock())
    if upscaler is None:
        raise UnusableModel("there is no upscaler: name a folder of upscaling models with --upscalers DIR")
    name = upscaler.models()[0].name
    description = Description(name, device.type, SCHEDULERS, 512)
    return UpscalingEngine(description, Limits(max_pixels=chosen.max_pixels), upscaler)


def _device(chosen: Options) -> torch.device:
    # Threads that spin while they wait take the cores from whatever else runs; torch reads this when it is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Else importing transformers warns of picture processors that nothing here uses.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    import torch

    from local_dream_reference.precision import choose_device

    # A fixed number: another one would round differently and give other bytes for the same seed.
    torch.set_num_threads(chosen.threads or usable_cores())
    return choose_device(chosen.device)


def _name(model: str) -> str:
    """What the ready line calls the model: never a path of the machine."""
    if model == DEFAULT:
        return "local-dream-reference"
    return Path(model).name if Path(model).exists() else model


def _upscaler(chosen: Options, device: torch.device, turns: FairLock) -> Upscaler | None:
    from local_dream_reference.upscaling.catalogue import Catalogue
    from local_dream_reference.upscaling.errors import UnusableWeights
    from local_dream_reference.upscaling.upscaler import Upscaler

    try:
        catalogue = Catalogue(chosen.upscalers, unknown_is_default=chosen.any_upscaler)
    except UnusableWeights as error:
        if chosen.upscalers is not None:
            raise UnusableModel(f"upscalers: {error}") from error
        return None
    return Upscaler(catalogue, device=device.type, turn=turns.turn)
