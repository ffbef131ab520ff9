"""Pictures come out four times as large, whole, in bounded memory, by the asked model."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from local_dream_reference.upscaling.catalogue import Catalogue
from local_dream_reference.upscaling.errors import Abandoned, UnknownUpscaler, UnsuitablePicture
from local_dream_reference.upscaling.tiles import spans
from local_dream_reference.upscaling.upscaler import Upscaler
from local_dream_reference.upscaling.weights_file import WeightsFile, read_weights
from tests.reference_engine.upscaling.weights import Weights, as_esrgan, compact_weights, rrdb_weights, write

Picture = NDArray[np.uint8]


def _picture(height: int, width: int, seed: int = 0) -> Picture:
    """Smooth colours with noise on them."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (max(height // 8, 1), max(width // 8, 1), 3), np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), np.int16)
    return np.asarray(np.clip(smooth + rng.integers(-9, 10, smooth.shape), 0, 255), np.uint8)


@pytest.fixture
def upscaler(shipped: Path, folder: Path) -> Upscaler:
    write(folder / "dense.pth", rrdb_weights(blocks=1), "params_ema")
    write(folder / "plain.pth", compact_weights(seed=5), "params")
    write(folder / "twice.pth", compact_weights(scale=2))
    write(folder / "folded.pth", rrdb_weights(inputs=12))
    write(folder / "eight.pth", as_esrgan(rrdb_weights(doublings=3)))
    return Upscaler(Catalogue(folder, shipped=shipped))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (3, 5), (64, 1), (33, 65), (193, 300), (1, 4096)])
@pytest.mark.parametrize("model", ["default", "dense", "plain", "twice", "folded", "eight"])
def test_any_size_comes_out_exactly_fourfold(upscaler: Upscaler, height: int, width: int, model: str) -> None:
    large = upscaler.upscale(_picture(height, width), model)
    assert large.shape == (4 * height, 4 * width, 3)
    assert large.dtype == np.uint8


@pytest.mark.parametrize("model", ["default", "dense", "plain", "twice", "folded", "eight"])
@pytest.mark.parametrize("tile", [16, 37])
def test_tiles_leave_no_seams(upscaler: Upscaler, model: str, tile: int) -> None:
    picture = _picture(75, 110)
    whole = upscaler.upscale(picture, model, tile=200).astype(int)
    tiled = upscaler.upscale(picture, model, tile=tile).astype(int)
    assert np.abs(whole - tiled).max() <= 1


def test_tiles_without_context_would_leave_seams(upscaler: Upscaler) -> None:
    """The test above can fail: the network does look beyond a tile."""
    picture = _picture(75, 110)
    whole = upscaler.upscale(picture, "default").astype(int)
    left = upscaler.upscale(np.ascontiguousarray(picture[:, :55]), "default").astype(int)
    assert np.abs(whole[:, :220] - left).max() > 1


@pytest.mark.parametrize("length", [1, 2, 15, 16, 17, 100, 4096])
def test_spans_cover_everything_once(length: int) -> None:
    found = spans(length, 16, 5)
    assert [pixel for span in found for pixel in range(span.start, span.stop)] == list(range(length))
    assert all(0 <= span.context_start <= span.start < span.stop <= span.context_stop <= length for span in found)
    assert max(span.stop - span.start for span in found) <= 16


def test_orientation_and_channel_order_are_kept(shipped: Path) -> None:
    quarters = np.zeros((32, 48, 3), np.uint8)
    quarters[:16, :24], quarters[:16, 24:], quarters[16:, :24], quarters[16:, 24:] = (
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (250, 200, 0),
    )
    silent = {key: value * (0 if key.startswith("body.6") else 1) for key, value in compact_weights().items()}
    write(shipped / "tiny-x4.safetensors", silent, header={"skip": "bicubic"})
    large = Upscaler(Catalogue(shipped=shipped)).upscale(quarters, "default")
    for row, column in ((32, 48), (32, 144), (96, 48), (96, 144)):
        assert large[row, column].tolist() == quarters[row // 4, column // 4].tolist()


def test_same_picture_same_bytes_whatever_ran_before(upscaler: Upscaler) -> None:
    picture = _picture(40, 60)
    first = upscaler.upscale(picture, "default")
    upscaler.upscale(_picture(90, 30, seed=1), "dense")
    assert np.array_equal(first, upscaler.upscale(picture, "default"))


def test_models_differ(upscaler: Upscaler) -> None:
    picture = _picture(20, 20)
    assert not np.array_equal(upscaler.upscale(picture, "default"), upscaler.upscale(picture, "plain"))


@pytest.mark.parametrize(("height", "width"), [(4097, 1), (1, 4097), (0, 5)])
def test_sizes_beyond_the_limits_are_refused(upscaler: Upscaler, height: int, width: int) -> None:
    with pytest.raises(UnsuitablePicture, match=rf"{width}x{height}: each side must be 1 to 4096"):
        upscaler.upscale(np.zeros((height, width, 3), np.uint8), "default")


@pytest.mark.parametrize(("shape", "dtype"), [((4, 4), "uint8"), ((4, 4, 4), "uint8"), ((4, 4, 3), "float32")])
def test_arrays_of_another_kind_are_a_programming_error(upscaler: Upscaler, shape: tuple[int, ...], dtype: str) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        upscaler.upscale(np.zeros(shape, dtype), "default")


def test_unknown_models_are_refused(upscaler: Upscaler) -> None:
    with pytest.raises(UnknownUpscaler, match="use one of default, tiny-x4, dense, eight, folded, plain, twice"):
        upscaler.upscale(_picture(4, 4), "../dense")


def test_nobody_waiting_ends_the_work_at_the_next_tile(upscaler: Upscaler) -> None:
    asked: list[bool] = []

    def cancelled() -> bool:
        asked.append(len(asked) >= 2)
        return asked[-1]

    with pytest.raises(Abandoned):
        upscaler.upscale(_picture(64, 64), "default", cancelled, tile=16)
    assert len(asked) == 3


def test_every_tile_takes_its_turn(shipped: Path) -> None:
    taken: list[int] = []

    @contextmanager
    def turn() -> Iterator[None]:
        taken.append(1)
        yield

    Upscaler(Catalogue(shipped=shipped), turn=turn).upscale(_picture(64, 40), "default", tile=32)
    assert len(taken) == 4


def test_only_the_models_used_last_stay_loaded(shipped: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        write(folder / f"{name}.pth", compact_weights())
    loads: list[str] = []

    def counted(path: Path) -> WeightsFile:
        loads.append(path.stem)
        return read_weights(path)

    monkeypatch.setattr("local_dream_reference.upscaling.upscaler.read_weights", counted)
    upscaler = Upscaler(Catalogue(folder, shipped=shipped), kept=2)
    for name in ("a", "b", "a", "c", "a", "b"):
        upscaler.upscale(_picture(2, 2), name)
    assert loads == ["a", "b", "c", "b"]


def test_a_replaced_file_is_loaded_anew(shipped: Path, folder: Path) -> None:
    picture = _picture(8, 8)
    path = write(folder / "a.pth", compact_weights(seed=1))
    upscaler = Upscaler(Catalogue(folder, shipped=shipped))
    before = upscaler.upscale(picture, "a")
    write(path, compact_weights(seed=2, convolutions=3))
    assert not np.array_equal(before, upscaler.upscale(picture, "a"))


def test_several_threads_get_their_own_pictures(upscaler: Upscaler) -> None:
    pictures = [_picture(40, 40, seed) for seed in range(4)]
    expected = [upscaler.upscale(picture, "default") for picture in pictures]
    got: dict[int, Picture] = {}

    def work(number: int) -> None:
        got[number] = upscaler.upscale(pictures[number], "default", tile=16)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.abs(got[n].astype(int) - expected[n].astype(int)).max() <= 1 for n in range(4))


def test_third_parties_pictures_keep_their_weights_types(upscaler: Upscaler, folder: Path) -> None:
    half: Weights = {key: value.half() for key, value in rrdb_weights().items()}
    write(folder / "half.safetensors", half)
    assert upscaler.upscale(_picture(9, 9), "half").shape == (36, 36, 3)


_PEAK = """
import resource, sys
from pathlib import Path
import numpy as np
from local_dream_reference.upscaling.catalogue import Catalogue
from local_dream_reference.upscaling.upscaler import Upscaler

upscaler = Upscaler(Catalogue(shipped=Path(sys.argv[1])))
unit = 1 if sys.platform == "darwin" else 1024
for side in (500, 1100):  # both with tiles in their middle, which are the largest
    upscaler.upscale(np.zeros((side, side, 3), np.uint8), "default", tile=128)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
"""


_GRANDCHILD = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', *sys.argv[1:]]))"
"""Starts Python once more: a child of the tests would begin with their memory, and count it."""


@pytest.mark.skipif(
    "PYTEST_XDIST_WORKER" in os.environ,
    reason="in November 2026 workers of pytest-xdist ended while they waited for this child, after the tests before it;"
    " not so in one process, and not yet understood",
)
def test_memory_grows_by_the_pictures_alone(shipped: Path) -> None:
    command = [sys.executable, "-c", _GRANDCHILD, _PEAK, str(shipped)]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    small, large = (int(line) for line in run.stdout.split())
    pictures = (1100 * 1100 - 500 * 500) * 3 * (1 + 16)
    # In one piece the float picture alone would take four times as much.
    assert large - small < pictures + 64 * 2**20
