"""Models for few steps: how they are told, and what the defaults of a request mean for them."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from local_dream_reference.distilled import Habits, habits_of
from local_dream_reference.engine import Picture, ReferenceEngine, create
from local_dream_reference.published_shapes import named
from tests.reference_engine.requests import Ask
from tests.reference_engine.tiny_model import save_folder, tiny_pipeline

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
PLAIN = {"device": "cpu", "dtype": "float32", "threads": "1"}


@pytest.mark.parametrize(
    ("name", "scheduler", "unet", "habits"),
    [
        ("dreamshaper-8", "PNDMScheduler", {}, Habits()),
        ("hyperion", "PNDMScheduler", {"time_cond_proj_dim": None}, Habits()),
        ("sd-turbo", "EulerDiscreteScheduler", {}, Habits("turbo", 1.0, "euler")),
        ("Hyper-SD15-4steps", "DDIMScheduler", {}, Habits("hyper", 1.0, "euler")),
        ("Dreamshaper_LCM", "PNDMScheduler", {}, Habits("lcm", 1.0, "lcm")),
        ("anything", "LCMScheduler", {}, Habits("lcm", 1.0, "lcm")),
        ("anything", "LCMScheduler", {"time_cond_proj_dim": 256}, Habits("lcm", 7.5, "lcm")),
    ],
)
def test_how_they_are_told(name: str, scheduler: str, unet: dict[str, Any], habits: Habits) -> None:
    assert habits_of(name, scheduler, unet) == habits


def test_a_file_of_the_second_edition_called_turbo_is_the_one_at_512_pixels() -> None:
    kind = "Stable Diffusion 2.x"
    assert (named(kind, None, distilled=True), named(kind, None), named(kind, "v2", distilled=True)) == (
        *("v2-base", "v2", "v2"),
    )


def picture(engine: Any, **fields: Any) -> np.ndarray:
    *_, last = engine.generate(Ask(**fields), lambda: False)
    assert isinstance(last, Picture)
    return last.rgb


def test_the_defaults_are_the_models_own_and_the_rest_is_as_asked(
    tiny_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plain = create({**PLAIN, "model": str(tiny_folder), "runtime": "torch"})
    assert not [record for record in caplog.records if "distilled" in record.message]
    with caplog.at_level(logging.WARNING):
        turbo = create({**PLAIN, "model": str(save_folder(tmp_path / "tiny-lcm")), "runtime": "torch"})
    assert [record.message for record in caplog.records if "distilled" in record.message] == [
        "the model is distilled (lcm): cfg 1 and scheduler lcm stand for the defaults; 1 to 8 steps are enough"
    ]
    assert np.array_equal(picture(turbo), picture(plain, cfg=1.0, scheduler="lcm"))
    for asked in ({"cfg": 3.0, "scheduler": "euler"}, {"cfg": 7.0, "scheduler": "euler_a"}):
        assert np.array_equal(picture(turbo, **asked), picture(plain, **asked))


@pytest.mark.parametrize("runtime", ["torch", "auto"])
def test_a_model_that_is_told_its_guidance(runtime: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pipeline = tiny_pipeline(time_cond=16)
    pipeline.save_pretrained(tmp_path / "model")
    config = tmp_path / "model" / "unet" / "config.json"
    assert json.loads(config.read_text())["time_cond_proj_dim"] == 16
    with caplog.at_level(logging.WARNING):
        engine = create({**PLAIN, "model": str(tmp_path / "model"), "runtime": runtime})
    assert isinstance(engine, ReferenceEngine)
    assert "openvino" not in engine.describe().device
    grey = np.full((64, 64, 3), 128, np.uint8)
    for asked in ({}, {"image": grey}, {"image": grey, "mask": grey[..., 0]}):
        assert not np.array_equal(picture(engine, **asked), picture(engine, cfg=2.0, **asked))
