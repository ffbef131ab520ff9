"""Loading models: folders, single files, and everything that cannot be loaded."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler
from safetensors.torch import load_file, save_file

from local_dream_reference.engine import Picture, ReferenceEngine, create
from local_dream_reference.errors import RequestRefused, UnusableModel
from tests.reference_engine.requests import Ask
from tests.reference_engine.tiny_model import break_json, save_configs, save_folder, save_single_file, tiny_pipeline

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
PLAIN = {"device": "cpu", "dtype": "float32", "threads": "1", "runtime": "torch"}
TRAILING = {"timestep_spacing": "trailing", "prediction_type": "v_prediction"}
GREY = np.full((64, 64, 3), 128, np.uint8)


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


@pytest.mark.parametrize("suffix", [".SAFETENSORS", ".SafeTensors"])
def test_letter_case_of_the_suffix_does_not_matter(suffix: str, tiny_folder: Path, tmp_path: Path) -> None:
    file = save_single_file(tmp_path / "one.safetensors")
    other = file.rename(tmp_path / f"one{suffix}")
    configs = save_configs(tmp_path / "configs", tiny_folder)
    assert np.array_equal(picture(model=str(other), config=str(configs)), picture(model=str(tiny_folder)))


def test_weights_of_a_variant_alone(tiny_folder: Path, tmp_path: Path) -> None:
    tiny_pipeline().to(torch.float16).save_pretrained(tmp_path / "half", variant="fp16")
    assert not list((tmp_path / "half").rglob("*model.safetensors"))
    difference = picture(model=str(tmp_path / "half")) - picture(model=str(tiny_folder))
    assert np.abs(difference).mean() < 8


def test_the_schedule_is_that_of_the_folder(tiny_folder: Path, tmp_path: Path) -> None:
    pictures = [picture(model=str(tiny_folder))]
    for changes in ({"prediction_type": "v_prediction"}, {"rescale_betas_zero_snr": True, **TRAILING}):
        pipeline = tiny_pipeline()
        pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config, clip_sample=False, **changes)
        folder = tmp_path / str(len(pictures))
        pipeline.save_pretrained(folder)
        pictures.append(picture(model=str(folder)))
    for number, one in enumerate(pictures):
        assert all(np.abs(one - other).mean() > 1 for other in pictures[:number])


def test_an_inpainting_model_repaints_and_says_what_it_cannot(tmp_path: Path) -> None:
    engine = create({**PLAIN, "model": str(_channels(9)(tmp_path / "model"))})
    assert isinstance(engine, ReferenceEngine)
    for image in (None, GREY):
        with pytest.raises(RequestRefused, match="mask: missing"):
            list(engine.generate(Ask(image=image), lambda: False))
    mask = np.zeros(GREY.shape[:2], np.uint8)
    mask[:, :32] = 255
    *_, last = engine.generate(Ask(image=GREY, mask=mask, denoise_strength=1.0), lambda: False)
    assert isinstance(last, Picture)
    changed = (last.rgb != GREY).any(axis=2)
    assert changed[:, :24].mean() > 0.9
    assert not changed[:, 32:].any()


def test_bfloat16_stays_close_to_float32(tiny_folder: Path) -> None:
    exact, fast = picture(model=str(tiny_folder)), picture(model=str(tiny_folder), dtype="bfloat16")
    assert 0 < np.abs(exact - fast).mean() < 8


def test_the_name_is_not_a_path(tiny_folder: Path) -> None:
    name = create({**PLAIN, "model": str(tiny_folder)}).describe().name
    assert name == tiny_folder.name


def _channels(count: int) -> Callable[[Path], Path]:
    return lambda folder: save_folder(folder, unet_channels=count)


def _not_a_number(folder: Path) -> Path:
    file = save_folder(folder) / "vae" / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    weights["decoder.conv_in.weight"].view(-1)[0] = torch.nan
    save_file(weights, file, metadata={"format": "pt"})
    return folder


def _bin(folder: Path) -> Path:
    tiny_pipeline().save_pretrained(folder, safe_serialization=False)
    return folder


def _sdxl(folder: Path) -> Path:
    index = save_folder(folder) / "model_index.json"
    text = index.read_text()
    index.write_text(text.replace("StableDiffusionPipeline", "StableDiffusionXLPipeline"))
    return folder


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
        (_channels(5), "its UNet takes 5 channels; 4 are served, and the 9 of inpainting"),
        (_bin, "its weights are .bin files; only .safetensors"),
        (_sdxl, "is a StableDiffusionXLPipeline: only Stable Diffusion 1.x/2.x"),
        (_not_a_number, "makes no picture: the decoder gave values that are not finite"),
    ],
)
def test_what_cannot_be_loaded_is_one_clear_line(make: Callable[[Path], Path], reason: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableModel) as refusal:
        create({**PLAIN, "model": str(make(tmp_path / "model"))})
    message = str(refusal.value)
    assert reason in message
    assert "\n" not in message
    assert len(message) < 600
