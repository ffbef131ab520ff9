"""OpenVINO runs no model that this machine has too little memory for."""

from __future__ import annotations

import json
import logging
import struct
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from local_dream_reference import machine
from local_dream_reference.errors import UnusableModel
from local_dream_reference.runtime import choice, memory
from local_dream_reference.runtime.cache import ConversionCache
from local_dream_reference.runtime.choice import Wish, choose
from local_dream_reference.runtime.conversion import ConversionFailed
from local_dream_reference.runtime.memory import SHARE, TIMES, check_memory, values
from local_dream_reference.shipped import folder_of

if TYPE_CHECKING:
    from local_dream_reference.runtime.compiled import Precision

if TYPE_CHECKING:
    pass


def head_only(path: Path, shapes: dict[str, list[int]]) -> Path:
    """A .safetensors file of tensors of one byte a value, all of them in one place."""
    tensors = {name: {"dtype": "U8", "shape": shape, "data_offsets": [0, 1]} for name, shape in shapes.items()}
    head = json.dumps(tensors).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(head)) + head + b"\0")
    return path


def test_values_are_counted_once_and_without_the_text_encoder(tmp_path: Path) -> None:
    files = [
        head_only(tmp_path / "unet/model.safetensors", {"a": [10, 20], "b": []}),
        head_only(tmp_path / "unet/model.fp16.safetensors", {"a": [10, 20]}),
        head_only(tmp_path / "vae/model.safetensors", {"a": [5]}),
        head_only(tmp_path / "whole.safetensors", {"model.diffusion_model.x": [7], "cond_stage_model.x": [1000]}),
        tmp_path / "missing.safetensors",
    ]
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "broken.safetensors").write_bytes(b"x")
    assert values([*files, tmp_path / "config.json", tmp_path / "broken.safetensors"]) == 200 + 1 + 5 + 7


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_what_needs_more_than_the_machine_has_is_not_converted(
    precision: Precision, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = TIMES[precision] * 4 * 10**9
    file = head_only(tmp_path / "model.safetensors", {"a": [10**9]})
    monkeypatch.setattr(memory, "whole_memory", lambda: needed / SHARE * 1.01)
    check_memory([file], precision)
    monkeypatch.setattr(memory, "whole_memory", lambda: needed / SHARE * 0.99)
    with pytest.raises(ConversionFailed, match=rf"about {needed / 2**30:.1f} GiB .* this machine has \d+\.\d$"):
        check_memory([file], precision)


def test_pytorch_takes_over_unless_openvino_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("openvino")
    monkeypatch.setattr(memory, "whole_memory", lambda: 2.0**20)
    monkeypatch.setattr(choice, "conversion_of", lambda *_: (_ for _ in ()).throw(ConversionFailed("was tried")))
    wish = Wish("auto", str(folder_of("default")), None, "cpu", "float32", 1)
    with caplog.at_level(logging.WARNING):
        assert choose(wish, ConversionCache(tmp_path)) is None
    [record] = caplog.records
    assert "GiB of memory" in record.getMessage()
    with pytest.raises(UnusableModel, match="was tried"):
        choose(replace(wish, runtime="openvino"), ConversionCache(tmp_path))


def test_the_memory_of_a_machine_is_known() -> None:
    assert 2**28 < machine.whole_memory() <= psutil.virtual_memory().total
