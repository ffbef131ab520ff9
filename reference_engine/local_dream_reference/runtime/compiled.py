"""A converted network, compiled by OpenVINO for this CPU. Needs no PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import openvino
from numpy.typing import NDArray

Precision: TypeAlias = Literal["f32", "bf16"]

SHAPES: Final = 12
"""Input shapes whose kernels are kept; with one more all are made anew, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """How to compute. ``threads`` is fixed, as another number rounds differently."""

    threads: int
    precision: Precision

    def settings(self) -> dict[str, Any]:
        """The same for OpenVINO."""
        return {
            "INFERENCE_NUM_THREADS": self.threads,
            "INFERENCE_PRECISION_HINT": self.precision,
            "NUM_STREAMS": 1,
            # Pinned threads wait for whatever else runs on their core.
            "ENABLE_CPU_PINNING": False,
            # Kernels are not kept for other shapes: with OpenVINO 2026.4, attention that first ran at 64x64 pixels was
            # wrong at 512x512 afterwards, in either precision. Without attention in one kernel it is right, too, but
            # then needs memory that grows with the square of the pixels.
            "CPU_RUNTIME_CACHE_CAPACITY": 0,
        }


def computes(precision: Precision) -> bool:
    """Whether this CPU has instructions for the precision; OpenVINO would emulate it or take another."""
    return precision == "f32" or "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def cpu_name() -> str:
    """The CPU's model."""
    return str(openvino.Core().get_property("CPU", "FULL_DEVICE_NAME"))


def compile_to(blob: Path, model: Path, numbers: Numbers) -> None:
    """Compile ``model`` (an .xml beside its .bin) for this CPU and write what came out."""
    blob.write_bytes(openvino.Core().compile_model(model, "CPU", numbers.settings()).export_model().getvalue())


class CompiledNetwork:
    """One network with dynamic shapes, read from its file when first used or when told to be ready.

    Same input, same output, whatever ran before. Runs in one thread at a time.
    """

    def __init__(self, blob: Path, numbers: Numbers) -> None:
        self._blob, self._numbers = blob, numbers
        self._request: Any = None
        self._weights: Any = None
        self._shapes: set[tuple[tuple[int, ...], ...]] = set()
        self._one_reads = Lock()

    def ready(self) -> None:
        """Read it, if that has not been done. Raises RuntimeError if the file does not suit OpenVINO."""
        with self._one_reads:
            if self._request is None:
                # Mapped, not read: OpenVINO takes the weights from where they are. It writes nothing, but could.
                try:
                    self._weights = np.memmap(self._blob, np.uint8, "c")
                except ValueError as error:  # an empty file
                    raise RuntimeError(str(error)) from error
                blob = openvino.Tensor(self._weights, shared_memory=True)
                read = openvino.Core().import_model(blob, "CPU", self._numbers.settings())
                self._request = read.create_infer_request()

    def __call__(self, inputs: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Run it; the answer is the caller's own."""
        shape = tuple(np.shape(each) for each in inputs)
        if shape not in self._shapes and len(self._shapes) == SHAPES:
            self._shapes.clear()
            self._request = None
        self._shapes.add(shape)
        self.ready()
        self._request.infer(list(inputs), share_inputs=True)
        return np.array(self._request.get_output_tensor(0).data, np.float32)
