"""The engine that makes pictures, with diffusers behind the shape that the server asks of an engine."""

from __future__ import annotations

import copy
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Final

from local_dream_reference.description import Description, Limits
from local_dream_reference.distilled import Habits
from local_dream_reference.errors import RequestRefused, explained
from local_dream_reference.fair_lock import FairLock
from local_dream_reference.trial_request import trial_request
from local_dream_reference.upscaling_engine import Cancelled, UpscalingEngine

if TYPE_CHECKING:
    from local_dream_reference.adapters import Adapters
    from local_dream_reference.guidance import Guidance
    from local_dream_reference.pipelines import Pipelines, Request, Rgb
    from local_dream_reference.upscaling.upscaler import Upscaler

logger = logging.getLogger(__name__)

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

    weighs_prompts: ClassVar[bool] = find_spec("compel") is not None
    refines: ClassVar[bool] = True

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
        habits: Habits | None = None,
        adapters: Adapters | None = None,
        chunked: bool = False,
    ) -> None:
        from local_dream_reference.checkpoint import repaints_only
        from local_dream_reference.guidance import Guidance
        from local_dream_reference.pipelines import Pipelines

        self._pipeline = pipeline
        self._repaints_only = repaints_only(pipeline)
        self._turns = turns or FairLock()
        self._pipelines: Pipelines = Pipelines(
            pipeline, guidance or Guidance(), habits=habits, adapters=adapters, chunked=chunked
        )
        self._tells_cut = not chunked
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
        if self._tells_cut:
            self._tell_cut(request)
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

    def _tell_cut(self, request: Request) -> None:
        """Say in the log how much of the prompts is not read, without a word of them."""
        for field, text in (("prompt", request.prompt), ("negative_prompt", request.negative_prompt)):
            counted = self.tokenize(self._pipelines.text_of(text))
            if counted.count > counted.max_length:
                logger.warning("%s: %d tokens, of which the model reads %d", field, counted.count, counted.max_length)

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
        for _ in self.generate(trial_request(side, steps, self._repaints_only), lambda: False):
            pass
