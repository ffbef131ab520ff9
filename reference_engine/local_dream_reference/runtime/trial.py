"""Compile converted networks for this CPU: do they compute what PyTorch computed?

    python -m local_dream_reference.runtime.trial FOLDER THREADS PRECISION

In a process of its own, since a runtime that meets a CPU it does not know may end its process instead of raising an
error. Exits with 0 if all is well, else with one line on stderr.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from local_dream_reference.runtime.compiled import CompiledNetwork, Numbers, Precision, compile_to

SAMPLES: Final = "samples.npz"
"""Inputs and PyTorch's answers: ``NETWORK/CASE/in0``, ``.../in1``, ``.../out``."""

WORST: Final = {"f32": 1e-3, "bf16": 0.1}
"""Greatest deviation, root mean square, as a share of the answer's own."""


def compile_and_try(folder: Path, numbers: Numbers) -> None:
    """Write a .blob for every .xml in ``folder``. Raises ValueError if an answer differs."""
    with np.load(folder / SAMPLES) as samples:
        cases = sorted({name.rpartition("/")[0] for name in samples.files})
        networks: dict[str, CompiledNetwork] = {}
        for case in cases:
            network = case.partition("/")[0]
            if network not in networks:
                compile_to(folder / f"{network}.blob", folder / f"{network}.xml", numbers)
                networks[network] = CompiledNetwork(folder / f"{network}.blob", numbers)
            inputs = [samples[name] for name in sorted(samples.files) if name.startswith(f"{case}/in")]
            deviation = _deviation(networks[network](inputs), samples[f"{case}/out"])
            if not deviation <= WORST[numbers.precision]:
                raise ValueError(f"{network} differs from PyTorch by {deviation:.2g} of its answer")


def _deviation(answer: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    if answer.shape != expected.shape:
        return float("inf")
    return float(np.sqrt(np.mean((answer - expected) ** 2) / np.mean(expected**2)))


if __name__ == "__main__":
    try:
        compile_and_try(Path(sys.argv[1]), Numbers(int(sys.argv[2]), cast(Precision, sys.argv[3])))
    except Exception as error:
        sys.exit(" ".join(str(error).split())[:300] or type(error).__name__)
