"""Putting the reference engine together. ``create`` is its entry point.

torch and diffusers are imported there, not before: importing them takes seconds, and whoever only lists the engines
should not pay for it.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from local_dream_reference.adapter_files import find_adapters, has_loras
from local_dream_reference.description import Description, Limits
from local_dream_reference.distilled import habits_of
from local_dream_reference.errors import EngineFailure, UnusableModel
from local_dream_reference.fair_lock import FairLock
from local_dream_reference.machine import usable_cores
from local_dream_reference.options import Options, parse_options
from local_dream_reference.picture_engine import SCHEDULERS, Picture, ReferenceEngine, Step, TokenCount
from local_dream_reference.shipped import DEFAULT, folder_of
from local_dream_reference.source import find_source, resolved
from local_dream_reference.upscaling_engine import UpscalingEngine

if TYPE_CHECKING:
    import torch

    from local_dream_reference.runtime.converted_model import ConvertedModel
    from local_dream_reference.upscaling.upscaler import Upscaler

__all__ = ["SCHEDULERS", "Picture", "ReferenceEngine", "Step", "TokenCount", "build", "build_upscaling", "create"]

logger = logging.getLogger(__name__)

SMALLEST: Final = (64, 1)
"""Side in pixels and steps of the picture that is made before the engine is ready, whatever was asked for."""
WARM: Final = (512, 2)
"""The same where it was asked to be warm."""


def create(options: Mapping[str, str]) -> UpscalingEngine:
    """Load everything and return an engine that is ready. The entry point of the group ``local_dream.engines``.

    For the options see :class:`~local_dream_reference.options.Options`. Raises UnusableModel with one line.
    """
    chosen = parse_options(options)
    return build(chosen) if chosen.generate else build_upscaling(chosen)


def build(chosen: Options) -> ReferenceEngine:
    """Load everything that ``chosen`` asks for."""
    # Before the seconds that torch takes.
    chosen = replace(chosen, model=resolved(chosen.model))
    find_source(chosen.model)
    chosen = replace(chosen, runtime=_runtime(chosen))
    device = _device(chosen)
    import torch

    from local_dream_reference.precision import choose_dtype
    from local_dream_reference.runtime.cache import ConversionCache
    from local_dream_reference.runtime.choice import Wish, choose

    torch.backends.cudnn.deterministic = True
    dtype = choose_dtype(chosen.dtype, device)
    kind = str(dtype).removeprefix("torch.")
    wish = Wish(chosen.runtime, chosen.model, chosen.config, device.type, kind, torch.get_num_threads())
    conversion = choose(wish, ConversionCache())
    reading = threading.Thread(target=_read, args=(conversion,))
    reading.start()  # beside the import of diffusers, which takes longer
    from local_dream_reference.lean_imports import lean

    with lean():  # to the end of the trial: loading a model and the first picture import more
        return _built(chosen, device, dtype, conversion, reading)


def _built(
    chosen: Options,
    device: torch.device,
    dtype: torch.dtype,
    conversion: ConvertedModel | None,
    reading: threading.Thread,
) -> ReferenceEngine:
    from local_dream_reference.adapters import Adapters
    from local_dream_reference.checkpoint import load_pipeline
    from local_dream_reference.guidance import guidance_of

    pipeline = load_pipeline(chosen.model, device, dtype, chosen.config, conversion)
    reading.join()
    turns = FairLock()
    config = pipeline.unet.config
    habits = habits_of(Path(chosen.model).stem, type(pipeline.scheduler).__name__, config)
    if habits.kind:
        logger.warning(
            "the model is distilled (%s): cfg %g and scheduler %s stand for the defaults; 1 to 8 steps are enough",
            *(habits.kind, habits.cfg, habits.scheduler),
        )
    name = f"{device.type} ({str(dtype).removeprefix('torch.')}{'' if conversion is None else ', openvino'})"
    engine = ReferenceEngine(
        pipeline,
        name=_name(chosen.model),
        device=name,
        max_pixels=chosen.max_pixels,
        upscaler=_upscaler(chosen, device, turns),
        turns=turns,
        guidance=guidance_of(folder_of(chosen.model), pipeline.scheduler.config),
        habits=habits,
        adapters=Adapters(pipeline, find_adapters(chosen.adapters, int(config.cross_attention_dim))),
        chunked=chosen.long_prompts == "chunk",
    )
    try:
        engine.try_out(*(WARM if chosen.warmup else SMALLEST))
    except EngineFailure as error:
        raise UnusableModel(f"model {chosen.model!r} is loaded, but makes no picture: {error}") from error
    return engine


def _runtime(chosen: Options) -> str:
    """What is to run the networks: converted ones take no LoRA, and no more tokens than one window has."""
    loras = has_loras(chosen.adapters)
    reason = "LoRA files" if loras else "prompts in chunks" if chosen.long_prompts == "chunk" else ""
    if not reason or chosen.runtime == "torch":
        return chosen.runtime
    if chosen.runtime == "openvino":
        raise UnusableModel(f"runtime 'openvino' takes no {reason}; leave it out, or say --runtime torch")
    if find_spec("openvino") is not None:
        logger.warning("PyTorch runs the model: OpenVINO takes no %s", reason)
    return "torch"


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
    from local_dream_reference.lean_torch import lean_torch

    with lean_torch():
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
    return Upscaler(catalogue, device=device.type, turn=turns.turn, compiled=chosen.runtime != "torch")
