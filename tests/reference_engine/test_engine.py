"""The engine on a tiny random model: every parameter has its meaning, and the protocol is kept."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from local_dream_reference.engine import Picture, ReferenceEngine, Step, build, create
from local_dream_reference.errors import EngineFailure, RequestRefused, UnusableModel
from local_dream_reference.options import parse_options
from local_dream_reference.pipelines import denoising_steps
from local_dream_reference.samplers import SAMPLERS
from local_dream_reference.tiles import starts
from tests.reference_engine.drawing import draw, events
from tests.reference_engine.requests import Ask, noise

# diffusers 0.42 turns a tensor into an array in a way that numpy 2.4 will not allow for ever.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


def test_it_has_the_shape_that_the_server_asks_for(engine: ReferenceEngine) -> None:
    from local_dream_mockserver.server import engine as protocol

    steps, picture = events(engine, Ask())
    assert isinstance(picture, protocol.Picture)
    assert isinstance(steps[0], protocol.Step)
    assert isinstance(engine, protocol.Tokenizes)
    assert isinstance(engine, protocol.WeighsPrompts)
    assert engine.weighs_prompts
    described: protocol.Engine = engine
    assert tuple(described.describe().schedulers) == tuple(SAMPLERS)
    assert described.describe().native_size == 128


@pytest.mark.parametrize("scheduler", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_steps_come_one_by_one(engine: ReferenceEngine, scheduler: str, steps: int) -> None:
    seen, picture = events(engine, Ask(scheduler=scheduler, steps=steps))
    assert [(step.step, step.total_steps) for step in seen] == [(n + 1, steps) for n in range(steps)]
    assert all(step.preview is None for step in seen)
    assert picture.rgb.shape == (64, 64, 3)
    assert picture.rgb.dtype == np.uint8
    assert picture.first_step_seconds > 0


def test_a_picture_is_refined_tile_by_tile(engine: ReferenceEngine) -> None:
    wide: dict[str, Any] = {"image": noise(64, 160), "width": 160, "height": 64}
    steps, picture = events(engine, Ask(ultrafix=True, tile_size=64, **wide))
    assert [step.step for step in steps] == [1, 2]
    assert picture.rgb.shape == (64, 160, 3)
    whole = draw(engine, **wide)
    assert not np.array_equal(picture.rgb, whole)
    assert np.array_equal(draw(engine, ultrafix=True, tile_size=64, **wide), picture.rgb)
    assert np.array_equal(draw(engine, **wide), whole), "the network is as it was"
    square = {"image": noise(), "width": 64, "height": 64}
    one = draw(engine, ultrafix=True, tile_size=64, **square)
    assert np.abs(one - draw(engine, **square)).max() <= 1, "one tile is the whole picture"


@pytest.mark.parametrize(("length", "tile"), [(64, 64), (65, 64), (96, 64), (128, 64), (333, 64), (20, 8), (9, 8)])
def test_tiles_cover_everything_and_overlap(length: int, tile: int) -> None:
    places = starts(length, tile)
    assert places[0] == 0
    assert places[-1] == length - tile
    assert all(0 < after - before <= tile for before, after in pairwise(places))


@pytest.mark.parametrize(("width", "height"), [(64, 64), (72, 104), (200, 64)])
def test_the_picture_has_the_asked_size(engine: ReferenceEngine, width: int, height: int) -> None:
    assert draw(engine, width=width, height=height, steps=2).shape == (height, width, 3)


@pytest.mark.parametrize("scheduler", ["dpm", "euler_a"])
@pytest.mark.parametrize("task", ["text", "image", "mask"])
def test_same_request_same_bytes_whatever_ran_before(engine: ReferenceEngine, scheduler: str, task: str) -> None:
    pictures = {"text": {}, "image": {"image": noise()}, "mask": {"image": noise(), "mask": noise()[..., 0]}}[task]
    first = draw(engine, scheduler=scheduler, **pictures)
    for other in ({"scheduler": "euler_a"}, {"image": noise(), "previews": True}, {"steps": 7, "width": 96}):
        draw(engine, **{"seed": 99, **other})
    assert np.array_equal(draw(engine, scheduler=scheduler, **pictures), first)


@pytest.mark.parametrize("scheduler", ["dpm", "euler_a"])
def test_previews_do_not_change_the_picture(engine: ReferenceEngine, scheduler: str) -> None:
    plain = draw(engine, scheduler=scheduler)
    assert np.array_equal(draw(engine, scheduler=scheduler, previews=True), plain)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 6},
        {"prompt": "a boat"},
        {"negative_prompt": "snow"},
        {"cfg": 3.0},
        {"cfg": 1.0},
        {"steps": 5},
        {"scheduler": "euler_a"},
    ],
)
def test_every_parameter_matters(engine: ReferenceEngine, change: dict[str, Any]) -> None:
    assert not np.array_equal(draw(engine, **change), draw(engine))


def test_cfg_1_skips_the_unconditional_pass(engine: ReferenceEngine) -> None:
    sizes: list[int] = []
    unet = engine._pipeline.unet
    handle = unet.register_forward_pre_hook(lambda _, args: sizes.append(len(args[0])))
    try:
        with_negative = draw(engine, cfg=1.0, negative_prompt="snow")
        assert set(sizes) == {1}
        assert np.array_equal(draw(engine, cfg=1.0), with_negative)
        sizes.clear()
        draw(engine)
        assert set(sizes) == {2}
    finally:
        handle.remove()


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("scheduler", ["dpm", "euler_a"])
def test_previews_come_at_the_stride(engine: ReferenceEngine, stride: int, scheduler: str) -> None:
    seen, picture = events(engine, Ask(steps=5, previews=True, preview_stride=stride, scheduler=scheduler))
    assert [step.step for step in seen if step.preview is not None] == list(range(1, 6, stride))
    shown = [step.preview for step in seen if step.preview is not None]
    assert all(preview.shape == (64, 64, 3) and preview.dtype == np.uint8 for preview in shown)
    if stride == 1:
        # The sampler's guess at the last step is the picture itself.
        assert np.abs(shown[-1].astype(np.int16) - picture.rgb).mean() < 2


@pytest.mark.parametrize(
    ("strength", "steps", "expected"), [(0.0, 20, 0), (0.01, 20, 1), (0.6, 20, 12), (1.0, 20, 20), (0.35, 20, 7)]
)
def test_strength_chooses_how_many_steps_run(strength: float, steps: int, expected: int) -> None:
    assert denoising_steps(Ask(image=noise(), denoise_strength=strength, steps=steps)) == expected
    assert denoising_steps(Ask(denoise_strength=strength, steps=steps)) == steps


def test_diffusers_runs_as_many_steps_as_announced(engine: ReferenceEngine) -> None:
    for steps in (1, 3, 7):
        for strength in (0.1, 0.33, 0.34, 0.5, 0.67, 0.99, 1.0):
            ask = Ask(image=noise(), denoise_strength=strength, steps=steps, scheduler="euler_a")
            assert [step.step for step in events(engine, ask)[0]] == list(range(1, denoising_steps(ask) + 1))


def test_strength_0_keeps_the_picture_and_still_shows_a_step(engine: ReferenceEngine) -> None:
    steps, picture = events(engine, Ask(image=noise(), denoise_strength=0.0, previews=True))
    assert np.array_equal(picture.rgb, noise())
    assert [(step.step, step.total_steps) for step in steps] == [(1, 1)]
    assert steps[0].preview is not None


def test_strength_1_still_depends_on_the_seed_only(engine: ReferenceEngine) -> None:
    ask = {"image": noise(), "denoise_strength": 1.0}
    assert np.array_equal(draw(engine, **ask), draw(engine, **ask))
    assert not np.array_equal(draw(engine, **ask, seed=6), draw(engine, **ask))


@pytest.mark.parametrize("scheduler", ["dpm", "euler_a"])
def test_inpainting_keeps_what_is_black_and_repaints_what_is_white(engine: ReferenceEngine, scheduler: str) -> None:
    mask = np.zeros((64, 64), dtype=np.uint8)
    mask[16:50, 20:45] = 255
    result = draw(engine, image=noise(), mask=mask, denoise_strength=1.0, scheduler=scheduler)
    assert np.array_equal(result[mask == 0], noise()[mask == 0])
    assert np.abs(result - noise())[25:40, 28:38].mean() > 20


def test_a_grey_mask_blends(engine: ReferenceEngine) -> None:
    def changed(level: int) -> float:
        mask = np.full((64, 64), level, dtype=np.uint8)
        return float(np.abs(draw(engine, image=noise(), mask=mask, denoise_strength=1.0) - noise()).mean())

    whole = changed(255)
    for level in (0, 32, 64, 127, 128, 160, 224):
        assert changed(level) / whole == pytest.approx(level / 255, abs=0.02)


def test_a_thin_stroke_is_repainted(engine: ReferenceEngine) -> None:
    mask = np.zeros((64, 64), dtype=np.uint8)
    mask[33:39, :] = 255
    assert np.abs(draw(engine, image=noise(), mask=mask, denoise_strength=1.0) - noise())[36].mean() > 5


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"scheduler": "ddim"}, "scheduler"),
        ({"width": 60}, "width"),
        ({"height": 56}, "height"),
        ({"width": 8192}, "width"),
        ({"width": 4096, "height": 4096}, "width, height"),
        ({"steps": 10_000_000}, "steps"),
        ({"steps": 0}, "steps"),
    ],
)
def test_what_cannot_be_done_is_refused_before_the_first_step(
    engine: ReferenceEngine, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(RequestRefused, match=f"^{field}: ") as refusal:
        next(engine.generate(Ask(**change), lambda: False))
    assert refusal.value.request_error


def test_it_stops_within_a_step_when_nobody_waits(engine: ReferenceEngine) -> None:
    calls: list[int] = []
    handle = engine._pipeline.unet.register_forward_pre_hook(lambda *_: calls.append(1))
    gone = threading.Event()
    try:
        run = engine.generate(Ask(steps=500), gone.is_set)
        assert isinstance(next(run), Step)
        gone.set()
        remaining = list(run)
        assert not any(isinstance(item, Picture) for item in remaining)
        # What had been done before the wish is at most what the consumer had not yet read.
        assert len(calls) <= len(remaining) + 3
    finally:
        handle.remove()


def test_closing_the_run_frees_the_engine(engine: ReferenceEngine) -> None:
    run = engine.generate(Ask(steps=500), lambda: False)
    next(run)
    run.close()  # type: ignore[attr-defined]  # a generator, as every iterator with yield
    assert events(engine, Ask(steps=2))[1].rgb.shape == (64, 64, 3)


def test_a_failure_comes_out_and_the_engine_lives_on(engine: ReferenceEngine) -> None:
    before = draw(engine)

    def fail(*_: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    handle = engine._pipeline.unet.register_forward_pre_hook(fail)
    try:
        with pytest.raises(EngineFailure, match="out of memory: ask for a smaller width") as failure:
            events(engine, Ask())
        assert not failure.value.request_error
    finally:
        handle.remove()
    assert np.array_equal(draw(engine), before)


def test_warming_up_changes_no_picture(engine: ReferenceEngine, tiny_folder: Any) -> None:
    warm = build(
        parse_options(
            {"model": str(tiny_folder), "device": "cpu", "threads": "1", "runtime": "torch", "warmup": "true"}
        )
    )
    assert np.array_equal(draw(warm), draw(engine))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"modle": "x"}, "option 'modle': unknown"),
        ({"threads": "0"}, "option 'threads'"),
        ({"threads": "two"}, "option 'threads'"),
        ({"warmup": "maybe"}, "option 'warmup'"),
        ({"device": "tpu"}, "device 'tpu': use auto, cpu, cuda or mps"),
        ({"runtime": "onnx"}, "runtime 'onnx': use auto, torch or openvino"),
        ({"device": "cpu", "dtype": "int8"}, "dtype 'int8'"),
        ({"device": "cpu", "dtype": "float16"}, "dtype 'float16'"),
    ],
)
def test_a_wrong_option_is_one_line(options: dict[str, str], message: str, tiny_folder: Any) -> None:
    with pytest.raises(UnusableModel) as refusal:
        create({"model": str(tiny_folder), "runtime": "torch", **options})
    assert str(refusal.value).startswith(message)
    assert "\n" not in str(refusal.value)
    assert refusal.value.request_error


def test_options_may_be_written_with_dashes() -> None:
    assert parse_options({"max-pixels": "4096", "any-upscaler": "yes"}).max_pixels == 4096


def test_the_pixel_limit_can_be_set(tiny_folder: Any) -> None:
    small = build(
        parse_options(
            {"model": str(tiny_folder), "device": "cpu", "threads": "1", "runtime": "torch", "max_pixels": "4096"}
        )
    )
    assert small.limits().max_pixels == 4096
    with pytest.raises(RequestRefused, match="more than 4096 pixels"):
        next(small.generate(Ask(width=72), lambda: False))


@pytest.mark.parametrize("scheduler", SAMPLERS)
def test_a_scheduler_takes_as_many_steps_as_are_allowed(engine: ReferenceEngine, scheduler: str) -> None:
    """LCM's own configuration knows no more than 50."""
    taken: list[int] = []
    for step in engine.generate(Ask(scheduler=scheduler, steps=1000), lambda: len(taken) >= 2):
        assert isinstance(step, Step)
        assert step.total_steps == 1000
        taken.append(step.step)


@pytest.mark.parametrize("scheduler", SAMPLERS)
def test_a_scheduler_follows_the_seed_with_a_picture_and_a_mask_too(engine: ReferenceEngine, scheduler: str) -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[:, 32:] = 255
    fields = {"scheduler": scheduler, "image": noise(), "mask": mask, "steps": 5, "denoise_strength": 0.6}
    one = draw(engine, **fields, seed=1)
    assert np.array_equal(one, draw(engine, **fields, seed=1))
    assert not np.array_equal(one, draw(engine, **fields, seed=2))
    assert np.array_equal(one[:, :32], noise()[:, :32])
