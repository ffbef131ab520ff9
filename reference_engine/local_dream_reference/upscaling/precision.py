"""Which number format convolutions are fastest in on a device, without changing colours."""

from __future__ import annotations

import sys
import time
from functools import cache
from typing import Final

import torch
from torch.nn import functional

GAIN: Final = 1.2
"""How many times as fast bfloat16 must be for its rounding to pay."""
TURNS: Final = 5
"""Convolutions in each format of which the quickest counts: other work on the machine only ever adds."""


def convolution_precision(device: torch.device) -> torch.dtype:
    """bfloat16 where the hardware computes it natively and gains by it, else float32.

    A CPU that has the instructions may be slower with them: Intel's of 2023, where the virtual machine hides AMX, take
    twice as long in bfloat16 as in float32. So it is measured, once in a process and in some 40 ms; the CPUs seen so
    far are twice as fast in one or in the other. The networks keep the parts that decide colours in float32. With the
    shipped one the choice changes photographs by less than 0.1/255 (root mean square) and their mean not at all.
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if device.type == "cpu" and cpu_computes_bf16() and bf16_gain() >= GAIN:
        return torch.bfloat16
    return torch.float32


def cpu_computes_bf16() -> bool:
    """Whether this CPU has instructions for it."""
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


@cache
def bf16_gain() -> float:
    """How many times as fast as float32 this CPU convolves in bfloat16, in one thread."""
    threads = torch.get_num_threads()
    # In the calling thread alone, whose own time does not count what else the machine does meanwhile. That clock is too
    # coarse on Windows.
    clock = time.perf_counter if sys.platform == "win32" else time.thread_time
    best = dict.fromkeys((torch.float32, torch.bfloat16), float("inf"))
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            inputs = {kind: torch.ones((1, 64, 64, 64), dtype=kind, device="cpu") for kind in best}
            weights = {kind: torch.ones((64, 64, 3, 3), dtype=kind, device="cpu") for kind in best}
            for _ in range(TURNS):
                for kind in best:
                    began = clock()
                    functional.conv2d(inputs[kind], weights[kind], padding=1)
                    best[kind] = min(best[kind], clock() - began)
    finally:
        torch.set_num_threads(threads)
    return best[torch.float32] / best[torch.bfloat16]
