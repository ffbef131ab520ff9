"""Loading models: folders, single files, and everything that cannot be loaded."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from local_dream_reference.engine import Picture, create
from local_dream_reference.errors import UnusableModel
from tests.reference_engine.requests import Ask
from tests.reference_engine.tiny_model import break_json, save_configs, save_folder, save_single_file

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
PLAIN = {"device": "cpu", "dtype": "float32", "threads": "1", "runtime": "torch"}


def picture(**options: str) -> np.ndarray:
    *_, last = create({**PLAIN, **options}).generate(Ask(), lambda: False)
    assert isinstance(last, Picture)
    return last.rgb.astype(np.int16)


def test_a_single_file_is_the_same_model_as_the_folder(tiny_folder: Path, tmp_path: Path) -> None:
    file = save_single_file(tmp_path / "one.safetensors")
    configs = save_configs(tmp_path / "configs", tiny_folder)
    assert np.array_equal(picture(model=str(file), config=str(configs)), picture(model=str(tiny_folder)))


def test_a_single_file_finds_the_configuration_beside_it(tiny_folder: Path, tmp_path: Path) -> None:
    configs = save_configs(tmp_path, tiny_folder)
    file = save_single_file(configs / "one.safetensors")
    assert np.array_equal(picture(model=str(file)), picture(model=str(tiny_folder)))


def test_bfloat16_stays_close_to_float32(tiny_folder: Path) -> None:
    exact, fast = picture(model=str(tiny_folder)), picture(model=str(tiny_folder), dtype="bfloat16")
    assert 0 < np.abs(exact - fast).mean() < 8


def test_the_name_is_not_a_path(tiny_folder: Path) -> None:
    name = create({**PLAIN, "model": str(tiny_folder)}).describe().name
    assert name == tiny_folder.name


def _inpainting(folder: Path) -> Path:
    return save_folder(folder, unet_channels=9)


def _no_index(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _missing_unet(folder: Path) -> Path:
    shutil.rmtree(save_folder(folder) / "unet")
    return folder


def _broken_index(folder: Path) -> Path:
    break_json(save_folder(folder) / "model_index.json")
    return folder


def _cut_weights(folder: Path) -> Path:
    weights = save_folder(folder) / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    return folder


def _pickle(folder: Path) -> Path:
    path = folder.with_suffix(".ckpt")
    path.write_bytes(b"x")
    return path


def _not_weights(folder: Path) -> Path:
    path = folder.with_suffix(".safetensors")
    path.write_text("hello")
    return path


def _nothing(folder: Path) -> Path:
    return folder


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_nothing, "no such folder or file"),
        (_no_index, "no model_index.json"),
        (_missing_unet, "cannot be loaded"),
        (_broken_index, "cannot be loaded"),
        (_cut_weights, "cannot be loaded"),
        (_pickle, "only .safetensors"),
        (_not_weights, "cannot be loaded"),
        (_inpainting, "takes 9 channels instead of 4"),
    ],
)
def test_what_cannot_be_loaded_is_one_clear_line(make: Callable[[Path], Path], reason: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableModel) as refusal:
        create({**PLAIN, "model": str(make(tmp_path / "model"))})
    message = str(refusal.value)
    assert reason in message
    assert "\n" not in message
    assert len(message) < 600
