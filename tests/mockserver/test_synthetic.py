"""The synthetic engine: each parameter has the effect that the contract gives it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest
from PIL import Image

from local_dream_mockserver.mock.painting import PAINTED, UNSEEN, paint
from local_dream_mockserver.mock.synthetic import KEPT, Pacing, SyntheticEngine, create
from local_dream_mockserver.server.engine import (
    EngineError,
    GenerationRequest,
    Picture,
    RequestRefused,
    Rgb,
    Step,
    UnknownUpscaler,
)

ENGINE = SyntheticEngine(Pacing(first=0, step=0))
BASE: dict[str, Any] = {"prompt": "a red house by the sea", "seed": 7, "steps": 4, "width": 64, "height": 48}


def steps_and_picture(**changes: Any) -> tuple[list[Step], Picture]:
    *steps, picture = ENGINE.generate(GenerationRequest(**BASE | changes), lambda: False)
    assert isinstance(picture, Picture)
    assert all(isinstance(step, Step) and not isinstance(step, Picture) for step in steps)
    return steps, picture  # type: ignore[return-value]  # the line above has looked


def rgb(**changes: Any) -> Rgb:
    return steps_and_picture(**changes)[1].rgb


def distance(one: Rgb, other: Rgb) -> float:
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


def photo(width: int = 64, height: int = 48) -> Rgb:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_same_request_same_bytes_whatever_ran_between() -> None:
    first = rgb()
    rgb(seed=8, prompt="something else")
    assert np.array_equal(first, rgb())


def test_the_same_bytes_where_a_picture_is_no_longer_kept() -> None:
    first = rgb()
    for seed in range(KEPT):
        rgb(seed=1000 + seed)
    again = rgb()
    assert again is not first
    assert np.array_equal(first, again)
    assert rgb() is again


def test_a_kept_picture_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        rgb()[:] = 0


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "a red house by the lake"},
        {"negative_prompt": "ugly"},
        {"negative_prompt": "red"},
        {"seed": 8},
        {"seed": 0},
        {"seed": 2**32 - 1},
        {"cfg": 1.0},
        {"cfg": 7.4},
        {"steps": 5},
        {"scheduler": "euler_a"},
        {"image": photo()},
    ],
    ids=str,
)
def test_every_parameter_changes_the_picture(change: dict[str, Any]) -> None:
    assert distance(rgb(), rgb(**change)) > 0.01


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wider(GenerationRequest):
    """A request of a contract that has a field more."""

    added: int = 1


def test_a_field_that_the_engine_does_not_know_shows_where_it_is_not_its_default() -> None:
    def painted(added: int) -> Rgb:
        return paint(Wider(**BASE, added=added))

    assert np.array_equal(painted(1), rgb())
    assert distance(painted(2), rgb()) > 0.01
    assert distance(painted(2), painted(3)) > 0.01


def test_what_the_engine_knows_is_there() -> None:
    assert {*PAINTED, *UNSEEN} <= {field.name for field in fields(GenerationRequest)}


def test_opencl_is_about_speed_and_not_about_the_picture() -> None:
    assert np.array_equal(rgb(), rgb(use_opencl=True))


@pytest.mark.parametrize(("width", "height"), [(8, 8), (64, 48), (48, 64), (512, 8), (8, 512), (512, 512)])
def test_any_size_is_drawn_and_is_not_blank(width: int, height: int) -> None:
    picture = rgb(width=width, height=height)
    assert picture.shape == (height, width, 3)
    assert picture.dtype == np.uint8
    assert picture.reshape(-1, 3).std(axis=0).max() > 5


@pytest.mark.parametrize("cfg", [-1e300, 0.0, 1e300])
def test_no_guidance_makes_it_blank(cfg: float) -> None:
    assert rgb(cfg=cfg).reshape(-1, 3).std(axis=0).max() > 5


def test_lower_strength_stays_closer_to_the_image() -> None:
    image = photo()
    away = [distance(image, rgb(image=image, denoise_strength=strength / 10)) for strength in range(11)]
    assert away == sorted(away)
    assert away[0] == 0
    assert len(set(away)) == 11


def test_strength_1_ignores_the_image() -> None:
    assert np.array_equal(rgb(image=photo(), denoise_strength=1.0), rgb(image=255 - photo(), denoise_strength=1.0))


def test_inpaint_keeps_black_and_repaints_white_with_a_seam_inside() -> None:
    image = photo()
    mask = np.zeros((48, 64), np.uint8)
    mask[10:40, 20:50] = 255
    painted = rgb(image=image, mask=mask, denoise_strength=1.0)
    assert np.array_equal(painted[mask == 0], image[mask == 0])
    inside = np.s_[13:37, 23:47]
    assert np.array_equal(painted[inside], rgb()[inside])
    assert distance(painted[inside], image[inside]) > 20
    edge = np.s_[10:11, 25:45]
    assert 0 < distance(painted[edge], image[edge]) < distance(rgb()[edge], image[edge])


def test_a_thin_white_line_is_repainted_too() -> None:
    mask = np.zeros((48, 64), np.uint8)
    mask[20, :] = 255
    painted = rgb(image=photo(), mask=mask, denoise_strength=1.0)
    assert distance(painted[20], photo()[20]) > 5


@pytest.mark.parametrize(("strength", "count"), [(0.0, 1), (0.05, 1), (0.5, 5), (0.6, 6), (1.0, 10)])
def test_img2img_takes_its_share_of_the_steps(strength: float, count: int) -> None:
    steps, _ = steps_and_picture(steps=10, image=photo(), denoise_strength=strength)
    assert [(step.step, step.total_steps) for step in steps] == [(n, count) for n in range(1, count + 1)]


@pytest.mark.parametrize(("stride", "shown"), [(1, [1, 2, 3, 4, 5, 6, 7]), (2, [1, 3, 5, 7]), (3, [1, 4, 7]), (9, [1])])
def test_previews_come_at_the_stride_from_the_first_step(stride: int, shown: list[int]) -> None:
    steps, _ = steps_and_picture(steps=7, previews=True, preview_stride=stride)
    assert [step.step for step in steps if step.preview is not None] == shown


def test_no_previews_unless_asked() -> None:
    assert all(step.preview is None for step in steps_and_picture()[0])


@pytest.mark.parametrize("image", [None, photo()], ids=["txt2img", "img2img"])
def test_previews_draw_near_to_the_result(image: Rgb | None) -> None:
    steps, picture = steps_and_picture(steps=6, previews=True, image=image, denoise_strength=0.9)
    away = [distance(step.preview, picture.rgb) for step in steps if step.preview is not None]
    assert away == sorted(away, reverse=True)
    assert away[0] > 10
    assert away[-1] == 0


def test_cancelled_generation_ends_within_a_step() -> None:
    asked = False
    generation = ENGINE.generate(GenerationRequest(**BASE | {"steps": 1000}), lambda: asked)
    assert next(generation).step == 1  # type: ignore[union-attr]  # the first thing is a step
    asked = True
    assert len(list(generation)) <= 1


def test_cancelled_rest_is_cut_short() -> None:
    slow = SyntheticEngine(Pacing(first=3600, step=3600))
    assert list(slow.generate(GenerationRequest(**BASE), lambda: True)) == []


def test_unknown_scheduler_is_refused() -> None:
    with pytest.raises(RequestRefused, match=r"scheduler.*dpm, euler_a"):
        rgb(scheduler="zap")


@pytest.mark.parametrize(("width", "height"), [(1, 1), (17, 13), (48, 48), (200, 3)])
def test_upscale_is_four_times_the_same_picture(width: int, height: int) -> None:
    small = np.asarray(Image.fromarray(rgb(width=512, height=512)).resize((width, height), Image.Resampling.BOX))
    large = ENGINE.upscale(small, "lanczos", False, lambda: False)
    assert large.shape == (4 * height, 4 * width, 3)
    back = np.asarray(Image.fromarray(large).resize((width, height), Image.Resampling.BOX))
    assert distance(small, back) < 4


@pytest.mark.parametrize("path", ["default", "lanczos", "lanczos-x4.bin"])
def test_upscaler_goes_by_several_names(path: str) -> None:
    assert ENGINE.resolve_upscaler(path) == ENGINE.upscalers()[0].name


def test_unknown_upscaler_is_refused_with_the_list() -> None:
    with pytest.raises(UnknownUpscaler, match="default, lanczos"):
        ENGINE.resolve_upscaler("/data/user/0/upscaler.bin")
    assert create({"any_upscaler": "true"}).resolve_upscaler("/data/user/0/upscaler.bin") == "lanczos"


def test_created_with_options() -> None:
    create({"pace_first": "0", "pace_step": "0.5", "pace_upscale": "1", "any_upscaler": "false"})


@pytest.mark.parametrize("options", [{"pace_step": "soon"}, {"pace_step": "-1"}, {"pace": "1"}, {"any_upscaler": "1"}])
def test_wrong_option_is_named(options: dict[str, str]) -> None:
    with pytest.raises(EngineError, match=r"pace|any_upscaler"):
        create(options)


@pytest.mark.parametrize("level", [0, 32, 64, 127, 128, 160, 224, 255])
def test_a_grey_mask_mixes_in_its_proportion(level: int) -> None:
    image = np.full((64, 64, 3), 120, np.uint8)

    def made(value: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        mask = np.full((64, 64), value, np.uint8)
        asked = GenerationRequest(
            prompt="a house", seed=1, steps=4, width=64, height=64, denoise_strength=1.0, image=image, mask=mask
        )
        return paint(asked).astype(float) - 120

    full = made(255)
    assert float((made(level) * full).sum() / (full * full).sum()) == pytest.approx(level / 255, abs=0.02)
