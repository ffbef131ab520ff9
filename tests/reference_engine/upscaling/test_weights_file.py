"""Weights are read, damage and code are refused."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import torch

from local_dream_reference.upscaling.errors import UnusableWeights
from local_dream_reference.upscaling.weights_file import read_weights
from tests.reference_engine.upscaling.weights import compact_weights, write


class _Planted:
    """Unpickled without care, it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("wrapper", [None, "params", "params_ema", "state_dict"])
def test_pth_weights_come_out_of_their_wrapper(tmp_path: Path, wrapper: str | None) -> None:
    weights = compact_weights()
    read = read_weights(write(tmp_path / "a.pth", weights, wrapper)).weights
    assert read.keys() == weights.keys()
    assert all(torch.equal(read[key], weights[key]) for key in weights)


def test_averaged_weights_win_over_plain_ones(tmp_path: Path) -> None:
    plain, averaged = compact_weights(seed=1), compact_weights(seed=2)
    torch.save({"params": plain, "params_ema": averaged}, tmp_path / "a.pth")
    read = read_weights(tmp_path / "a.pth").weights
    assert torch.equal(read["body.0.weight"], averaged["body.0.weight"])


def test_safetensors_keep_their_header_and_half_precision_is_widened(tmp_path: Path) -> None:
    weights = {key: value.half() for key, value in compact_weights().items()}
    read = read_weights(write(tmp_path / "a.safetensors", weights, header={"skip": "bicubic"}))
    assert read.header == {"skip": "bicubic"}
    assert {value.dtype for value in read.weights.values()} == {torch.float32}


@pytest.mark.parametrize("archive", [True, False], ids=["archive", "bare pickle"])
def test_code_in_a_pickle_is_refused_and_not_run(tmp_path: Path, archive: bool) -> None:
    trap, path = tmp_path / "trap", tmp_path / "evil.pth"
    content = {"params": compact_weights(), "extra": _Planted(trap)}
    if archive:
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps({"extra": _Planted(trap)}, protocol=2))
    with pytest.raises(UnusableWeights, match=r"^evil.pth: is damaged or holds more than weights"):
        read_weights(path)
    assert not trap.exists()


def test_the_trap_of_the_test_above_works(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(_Planted(tmp_path / "trap")))
    assert (tmp_path / "trap").exists()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("kept", [0, 1, 9, 200, 0.9])
def test_truncated_files_are_refused(tmp_path: Path, suffix: str, kept: float) -> None:
    whole = write(tmp_path / f"whole{suffix}", compact_weights()).read_bytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(whole[: kept if isinstance(kept, int) else int(len(whole) * kept)])
    with pytest.raises(UnusableWeights, match=rf"^cut\{suffix}: "):
        read_weights(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({}, "holds no weights"),
        ([1, 2], "holds no weights"),
        ({"params": {"a": 3}}, "not a named tensor"),
        ({"params": {1: torch.ones(1)}}, "not a named tensor"),
        ({"a": torch.ones(2, dtype=torch.complex64)}, "a is not a dense tensor of real numbers"),
        ({"a": torch.eye(2).to_sparse()}, "a is not a dense tensor of real numbers"),
        ({"a": torch.tensor([1.0, float("nan")])}, "a has values that are not finite"),
    ],
)
def test_what_is_not_weights_is_refused(tmp_path: Path, content: object, reason: str) -> None:
    torch.save(content, tmp_path / "odd.pth")
    with pytest.raises(UnusableWeights, match=rf"^odd.pth: .*{reason}"):
        read_weights(tmp_path / "odd.pth")


def test_other_suffixes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "upscaler.bin").write_bytes(b"MNN")
    with pytest.raises(UnusableWeights, match=r"^upscaler.bin: expected one of .safetensors, .pth, .pt"):
        read_weights(tmp_path / "upscaler.bin")
