"""What a picture costs: seconds by part, memory, size of the weights."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch

from local_dream_reference.engine import Picture, ReferenceEngine, Step
from local_dream_reference.evaluation.asking import Ask
from local_dream_reference.machine import peak_memory


@dataclass(frozen=True, slots=True)
class Cost:
    """Best of a few runs: the machine's other work only ever adds.

    Attributes:
        whole: seconds for one picture of the native size, 20 steps, cfg 7.5.
        first_step: seconds to the end of the first denoising step: text, noise, one step.
        each_step: seconds of each further step.
        decode: seconds from the last step to the picture.
        memory: greatest resident memory of this process, MiB.
        weights: bytes of the model's weight files; 0 if they are not in a folder.
    """

    whole: float
    first_step: float
    each_step: float
    decode: float
    memory: float
    weights: int
    threads: int


def measure_cost(engine: ReferenceEngine, folder: Path | None, *, runs: int = 3, steps: int = 20) -> Cost:
    """Time ``runs`` pictures after one that warms up."""
    side = engine.describe().native_size
    ask = Ask(prompt="a red house on the left, green hills, sunset", seed=1, width=side, height=side, steps=steps)
    timings = [_times(engine, ask) for _ in range(runs + 1)][1:]
    whole, first, last = min(timings)
    size = 0 if folder is None else sum(path.stat().st_size for path in folder.rglob("*.safetensors"))
    return Cost(
        whole=whole,
        first_step=first,
        each_step=(last - first) / max(1, steps - 1),
        decode=whole - last,
        memory=peak_memory(),
        weights=size,
        threads=torch.get_num_threads(),
    )


def _times(engine: ReferenceEngine, ask: Ask) -> tuple[float, float, float]:
    """Return seconds to the picture, to the first step and to the last step."""
    started = time.perf_counter()
    moments: list[float] = []
    for event in engine.generate(ask, lambda: False):
        if isinstance(event, Step):
            moments.append(time.perf_counter() - started)
        if isinstance(event, Picture):
            return time.perf_counter() - started, moments[0], moments[-1]
    raise RuntimeError("the engine ended without a picture")
