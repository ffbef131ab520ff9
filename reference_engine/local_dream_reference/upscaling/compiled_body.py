"""The convolutions of a compact network, run by OpenVINO: the same numbers, on a CPU in less time than PyTorch.

What comes before and after them (the plain enlargement, the pixel shuffle, back-projection) stays in PyTorch: OpenVINO
2026.4 takes longer over resampling than all convolutions take.
"""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import Any, Final, cast

import numpy as np
import torch
from torch import Tensor, nn

logger = logging.getLogger(__name__)

WORST: Final = 0.1
"""Greatest deviation from PyTorch's answer that is taken, root mean square, as a share of the answer's own."""

_TRIAL: Final = (1, 3, 24, 40)


class CompiledBody(nn.Module):
    """(1, 3, h, w) float32 to what ``layers`` make of it, float32. Runs in one thread at a time."""

    def __init__(self, layers: nn.ModuleList, threads: int) -> None:
        super().__init__()
        import openvino

        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "bf16",
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,
            "CPU_RUNTIME_CACHE_CAPACITY": 0,
        }
        self._request: Any = openvino.Core().compile_model(_graph(layers), "CPU", settings).create_infer_request()

    def forward(self, picture: Tensor) -> Tensor:
        """The answer lies in memory that the next call writes to."""
        self._request.infer([picture.contiguous().numpy()], share_inputs=True)
        return torch.from_numpy(self._request.get_output_tensor(0).data)


def compiled(layers: nn.ModuleList, precision: torch.dtype, device: torch.device) -> CompiledBody | None:
    """The layers as OpenVINO runs them, where it is installed and ``precision`` is what this CPU is fastest in.

    None where PyTorch is to run them: on other devices, without bfloat16, and where OpenVINO cannot or computes
    something else, which is one line in the log. ``layers`` are in float32.
    """
    if device.type != "cpu" or precision is not torch.bfloat16 or find_spec("openvino") is None:
        return None
    try:
        body = CompiledBody(layers, torch.get_num_threads())
        trial = torch.rand(_TRIAL, generator=torch.Generator().manual_seed(0))
        with torch.inference_mode():
            expected = trial
            for layer in layers:
                expected = layer(expected)
            deviation = float((body(trial) - expected).square().mean().sqrt() / expected.square().mean().sqrt())
    except RuntimeError as error:
        logger.warning("PyTorch runs the upscaler: %s", " ".join(str(error).split())[:300])
        return None
    # Weights that are not numbers are told by whoever looks at the picture.
    if deviation > WORST:
        logger.warning("PyTorch runs the upscaler: OpenVINO differs from it by %.2g of its answer", deviation)
        return None
    return body


def _graph(layers: nn.ModuleList) -> Any:
    from openvino import Model, opset13

    given = opset13.parameter([1, 3, -1, -1], np.float32)
    value: Any = given
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            weight = layer.weight.detach().contiguous().numpy()
            value = opset13.convolution(value, weight, [1, 1], [1, 1], [1, 1], [1, 1])
            value = opset13.add(value, cast(Tensor, layer.bias).detach().numpy().reshape(1, -1, 1, 1))
        elif isinstance(layer, nn.PReLU):
            value = opset13.prelu(value, layer.weight.detach().numpy())
        else:
            slope = layer.negative_slope if isinstance(layer, nn.LeakyReLU) else 0.0
            value = opset13.prelu(value, np.array([slope], np.float32))
    return Model([value], [given], "body")
