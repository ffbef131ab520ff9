"""Networks in bfloat16 amid float32."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from local_dream_reference.errors import UnusableModel
from local_dream_reference.precision import choose_device, choose_dtype, run_in
from local_dream_reference.upscaling import precision


class Seen(nn.Module):
    """Remembers what reaches it, and gives the sample back."""

    def __init__(self) -> None:
        super().__init__()
        self.sample_kind: torch.dtype | None = None
        self.time = 0.0

    def forward(self, sample: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
        self.sample_kind, self.time = sample.dtype, float(time)
        return sample


def test_latents_are_cast_on_the_way_in_and_back_and_noise_times_are_not() -> None:
    module = Seen()
    run_in(module, torch.bfloat16)
    answer = module(torch.zeros(1, 4, 2, 2), torch.tensor(950.5))
    assert module.sample_kind is torch.bfloat16
    assert answer.dtype is torch.float32
    assert module.time == 950.5


@pytest.mark.parametrize(
    ("cuda", "mps", "device"),
    [(False, False, "cpu"), (False, True, "mps"), (True, False, "cuda"), (True, True, "cuda")],
)
def test_the_device_is_the_best_that_is_there(
    cuda: bool, mps: bool, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto").type == device
    assert choose_device("cpu").type == "cpu"
    if not mps:
        with pytest.raises(UnusableModel, match="this is no Mac whose GPU can be used"):
            choose_device("mps")
    else:
        assert choose_dtype("auto", choose_device("mps")) is torch.float32


@pytest.mark.parametrize(
    ("flags", "gain", "expected"),
    [
        ({"avx2": True}, 2.0, torch.float32),
        ({"avx512_bf16": False, "amx_bf16": False}, 2.0, torch.float32),
        ({}, 2.0, torch.float32),
        ({"avx512_bf16": True}, 1.9, torch.bfloat16),
        ({"avx512_bf16": True}, 0.6, torch.float32),
        ({"avx512_bf16": True}, 1.1, torch.float32),
        ({"amx_bf16": True}, 8.0, torch.bfloat16),
    ],
)
def test_bfloat16_is_for_cpus_that_compute_it_and_gain_by_it(
    flags: dict[str, bool], gain: float, expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags)
    monkeypatch.setattr(precision, "bf16_gain", lambda: gain)
    assert choose_dtype("auto", torch.device("cpu")) is expected


@pytest.mark.parametrize("slow", [torch.float32, torch.bfloat16])
def test_the_gain_is_measured(slow: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    """On any machine: one of the two formats is made a hundred times as much work."""
    plain = functional.conv2d

    def slowed(value: torch.Tensor, *others: Any, **named: Any) -> Any:
        for _ in range(100 if value.dtype is slow else 0):
            plain(value, *others, **named)
        return plain(value, *others, **named)

    monkeypatch.setattr(functional, "conv2d", slowed)
    precision.bf16_gain.cache_clear()
    threads = torch.get_num_threads()
    try:
        gain = precision.bf16_gain()
    finally:
        precision.bf16_gain.cache_clear()
    assert gain > precision.GAIN if slow is torch.float32 else gain < precision.GAIN
    assert torch.get_num_threads() == threads
