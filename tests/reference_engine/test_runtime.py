"""OpenVINO in PyTorch's place: the same pictures, conversions that are whole or not there, a way back to PyTorch."""

from __future__ import annotations

import errno
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from local_dream_reference.engine import Picture, ReferenceEngine, create
from local_dream_reference.errors import NotFinite, UnusableModel
from local_dream_reference.runtime import cache as cache_module
from local_dream_reference.runtime import choice
from local_dream_reference.runtime.cache import MANIFEST, ConversionCache, cache_root, fingerprint
from local_dream_reference.runtime.choice import Wish, choose, conversion_of
from local_dream_reference.runtime.conversion import ConversionFailed, Order
from tests.reference_engine.requests import Ask, noise

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
needs_openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")
PLAIN = {"device": "cpu", "dtype": "float32", "threads": "1"}


def draw(engine: ReferenceEngine, **fields: Any) -> NDArray[np.int16]:
    *_, last = engine.generate(Ask(**fields), lambda: False)
    assert isinstance(last, Picture)
    return last.rgb.astype(np.int16)


def fill(text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "a.blob").write_text(text)

    return write


def twice_at_once(work: Callable[[], None]) -> None:
    """Until both have ended."""
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class TestCache:
    def test_what_was_stored_is_found(self, tmp_path: Path) -> None:
        kept = ConversionCache(tmp_path)
        assert kept.find("key") is None
        assert (kept.store("key", fill("x")) / "a.blob").read_text() == "x"
        assert kept.find("key") == tmp_path / "key"

    @pytest.mark.parametrize("damage", ["cut", "changed", "missing", "manifest"])
    def test_a_damaged_one_is_not_there(self, damage: str, tmp_path: Path) -> None:
        kept = ConversionCache(tmp_path)
        file = kept.store("key", fill("xyz")) / "a.blob"
        if damage == "missing":
            file.unlink()
        elif damage == "manifest":
            (file.parent / MANIFEST).write_text("{")
        else:
            file.write_text({"cut": "xy", "changed": "xyw"}[damage])
        assert kept.find("key") is None
        assert (kept.store("key", fill("new")) / "a.blob").read_text() == "new"

    def test_a_full_disk_leaves_nothing_behind(self, tmp_path: Path) -> None:
        def full(folder: Path) -> None:
            fill("half")(folder)
            raise OSError(errno.ENOSPC, "No space left on device")

        kept = ConversionCache(tmp_path)
        with pytest.raises(OSError, match="No space left"):
            kept.store("key", full)
        assert list(tmp_path.iterdir()) == []

    def test_two_that_write_at_once_both_find_it(self, tmp_path: Path) -> None:
        both = threading.Barrier(2)
        found: list[Path] = []

        def write(folder: Path) -> None:
            fill("x")(folder)
            both.wait(20)

        def work() -> None:
            found.append(ConversionCache(tmp_path).store("key", write))

        twice_at_once(work)
        assert found == [tmp_path / "key"] * 2
        assert [path.name for path in tmp_path.iterdir()] == ["key"]

    def test_of_those_that_start_at_once_one_converts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        order = Order("default", None, str(tmp_path), "key", 1, "f32")
        converting, found = threading.Event(), []

        def convert(order: Order) -> None:
            assert not converting.is_set(), "converted twice"
            converting.set()
            ConversionCache(tmp_path).store(order.key, fill("x"))

        class Both(ConversionCache):
            """Each of them has looked for the conversion before one makes it."""

            looked = threading.Barrier(2)

            @contextmanager
            def alone(self, key: str) -> Iterator[None]:
                self.looked.wait(20)
                with super().alone(key):
                    yield

        monkeypatch.setattr(choice, "convert_elsewhere", convert)
        twice_at_once(lambda: found.append(conversion_of(order, Both(tmp_path))))
        assert found == [tmp_path / "key"] * 2
        assert [path.name for path in tmp_path.iterdir()] == ["key"]

    def test_without_locks_each_converts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def lockless(lock: FileLock) -> None:
            raise NotImplementedError("FileSystem does not appear to support flock")

        monkeypatch.setattr(FileLock, "_acquire", lockless)
        with ConversionCache(tmp_path).alone("key"), ConversionCache(tmp_path).alone("key"):
            assert list(tmp_path.iterdir()) == []

    def test_those_used_longest_ago_go(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cache_module, "KEPT", 2)
        kept = ConversionCache(tmp_path)
        for number, key in enumerate("abc"):
            kept.store(key, fill("x"))
            os.utime(tmp_path / key, (number, number))
        assert kept.find("a") is None
        assert kept.find("b") is not None  # and is used now
        kept.store("d", fill("x"))
        assert {path.name for path in tmp_path.iterdir()} == {"b", "d"}

    def test_a_fingerprint_follows_the_files_and_the_rest(self, tmp_path: Path) -> None:
        small, large = tmp_path / "config.json", tmp_path / "weights"
        small.write_text("1")
        large.write_bytes(bytes(2**17))
        prints = [fingerprint([small, large], "f32"), fingerprint([small, large], "bf16")]
        small.write_text("2")
        prints.append(fingerprint([small, large], "f32"))
        os.utime(large, (1, 1))
        prints.append(fingerprint([small, large], "f32"))
        assert len(set(prints)) == 4
        assert fingerprint([large, small], "f32") == prints[-1]

    def test_it_lies_where_the_system_keeps_caches(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr("sys.platform", "linux")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert cache_root() == tmp_path / "local-dream"
        monkeypatch.setattr("sys.platform", "win32")
        monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "Local"))
        assert cache_root() == tmp_path / "Local" / "local-dream"


def wish(runtime: str = "auto", model: str = "default", device: str = "cpu") -> Wish:
    return Wish(runtime, model, None, device, "float32", 1)


class TestChoice:
    def test_pytorch_where_it_is_asked_for_or_the_device_is_none_of_openvino_s(self, tmp_path: Path) -> None:
        assert choose(wish("torch"), ConversionCache(tmp_path)) is None
        assert choose(wish(device="cuda"), ConversionCache(tmp_path)) is None

    def test_pytorch_where_openvino_is_not_installed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(choice, "find_spec", lambda _: None)
        assert choose(wish(), ConversionCache(tmp_path)) is None
        with pytest.raises(UnusableModel, match="runtime 'openvino' cannot run this model: it is not installed"):
            choose(wish("openvino"), ConversionCache(tmp_path))

    @needs_openvino
    def test_a_failure_is_one_line_and_pytorch_takes_over(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def failing(_: Any) -> None:
            raise ConversionFailed("OpenVINO was ended by signal 11 on this CPU")

        monkeypatch.setattr(choice, "convert_elsewhere", failing)
        with caplog.at_level(logging.WARNING):
            assert choose(wish(), ConversionCache(tmp_path)) is None
        [record] = caplog.records
        assert record.exc_info is None
        assert record.getMessage() == (
            "OpenVINO does not run this model, PyTorch does: OpenVINO was ended by signal 11 on this CPU"
        )
        with pytest.raises(UnusableModel, match="ended by signal 11"):
            choose(wish("openvino"), ConversionCache(tmp_path))

    @needs_openvino
    def test_a_cache_that_cannot_be_written_is_such_a_failure(
        self, tiny_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "file").write_text("no folder")
        with caplog.at_level(logging.WARNING):
            assert choose(wish(model=str(tiny_folder)), ConversionCache(tmp_path / "file" / "cache")) is None
        assert "its cache cannot be written: " in caplog.text


@pytest.fixture(scope="module")
def converted(tiny_folder: Path, cache: Path) -> ReferenceEngine:
    """The tiny model in OpenVINO."""
    engine = create({**PLAIN, "model": str(tiny_folder), "runtime": "openvino"})
    assert isinstance(engine, ReferenceEngine)
    return engine


TASKS: dict[str, dict[str, Any]] = {
    "text": {},
    "odd size": {"width": 72, "height": 104},
    "without guidance": {"cfg": 1.0},
    "image": {"image": noise()},
    "mask": {"image": noise(), "mask": noise()[..., 0]},
    "fractional times": {"scheduler": "euler_karras"},
}


@needs_openvino
class TestConverted:
    @pytest.mark.parametrize("task", TASKS)
    def test_the_pictures_are_those_of_pytorch(self, task: str, converted: ReferenceEngine, tiny_folder: Path) -> None:
        exact = create({**PLAIN, "model": str(tiny_folder), "runtime": "torch"})
        assert isinstance(exact, ReferenceEngine)
        assert np.abs(draw(converted, **TASKS[task]) - draw(exact, **TASKS[task])).max() <= 2

    @pytest.mark.parametrize("task", TASKS)
    def test_same_request_same_bytes_whatever_ran_before(self, task: str, converted: ReferenceEngine) -> None:
        first = draw(converted, **TASKS[task])
        for side in range(64, 64 + 8 * 13, 8):  # more shapes than are kept
            draw(converted, seed=9, width=side, steps=1)
        assert np.array_equal(draw(converted, **TASKS[task]), first)

    def test_it_says_so(self, converted: ReferenceEngine) -> None:
        assert converted.describe().device == "cpu (float32, openvino)"

    def test_the_second_start_converts_nothing_and_draws_the_same(
        self, converted: ReferenceEngine, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(choice, "convert_elsewhere", lambda _: pytest.fail("converted again"))
        again = create({**PLAIN, "model": str(tiny_folder), "runtime": "openvino"})
        assert isinstance(again, ReferenceEngine)
        assert np.array_equal(draw(again), draw(converted))

    def test_a_model_that_no_one_can_load_is_the_model_s_fault(self, tmp_path: Path) -> None:
        (tmp_path / "model_index.json").write_text("{")
        with pytest.raises(UnusableModel, match=r"^model '.*' cannot be loaded"):
            create({**PLAIN, "model": str(tmp_path), "runtime": "openvino"})


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Makes a tiny model with one weight that is not a number."""
    from tests.reference_engine.tiny_model import save_folder

    def make(part: str, name: str) -> Path:
        folder = save_folder(tmp_path_factory.mktemp("poisoned"))
        file = folder / part / "diffusion_pytorch_model.safetensors"
        weights = load_file(file)
        weights[name].view(-1)[0] = float("nan")
        save_file(weights, file, metadata={"format": "pt"})
        return folder

    return make


@pytest.mark.parametrize(
    ("part", "name", "where"),
    [("vae", "decoder.conv_in.weight", "the decoder"), ("unet", "conv_in.weight", "denoising step 1")],
)
def test_weights_that_are_not_numbers_are_an_error_and_no_black_picture(
    part: str, name: str, where: str, poisoned: Callable[[str, str], Path]
) -> None:
    with pytest.raises(UnusableModel, match=f"{where} gave values that are not finite numbers") as refused:
        create({**PLAIN, "model": str(poisoned(part, name)), "runtime": "torch"})
    assert isinstance(refused.value.__cause__, NotFinite)
    assert refused.value.__cause__.request_error is False


@needs_openvino
def test_a_conversion_that_computes_something_else_is_not_kept(
    poisoned: Callable[[str, str], Path], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    folder = poisoned("vae", "decoder.conv_in.weight")
    with caplog.at_level(logging.WARNING):
        assert choose(wish(model=str(folder)), ConversionCache(tmp_path)) is None
    assert "vae_decoder differs from PyTorch by nan" in caplog.text
    assert list(tmp_path.iterdir()) == []


@needs_openvino
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_large_picture_after_a_small_one(dtype: str, cache: Path) -> None:
    """OpenVINO 2026.4 kept kernels of the small one that compute another picture at 512x512, or NaN."""
    from local_dream_reference.runtime.compiled import computes
    from local_dream_reference.runtime.picture_trial import psnr

    if dtype == "bfloat16" and not computes("bf16"):
        pytest.skip("this CPU does not compute bfloat16")
    size = {"width": 512, "height": 512, "steps": 4, "prompt": "a red house on the left, green hills, sunset"}
    pictures = []
    for runtime, kind in (("openvino", dtype), ("torch", "float32")):
        engine = create({"device": "cpu", "threads": "1", "runtime": runtime, "dtype": kind})
        assert isinstance(engine, ReferenceEngine)  # which has made a small picture
        pictures.append(draw(engine, **size).astype(np.uint8))
    assert psnr(*pictures) > 35


@needs_openvino
@pytest.mark.parametrize("wrong", [0.0, float("nan")])
def test_a_conversion_that_draws_another_picture_at_full_size_is_not_kept(wrong: float, tiny_folder: Path) -> None:
    import torch

    from local_dream_reference.checkpoint import load_pipeline
    from local_dream_reference.runtime.picture_trial import SMALL, compare_pictures

    class Small:
        """Right for small pictures alone."""

        def put_into(self, pipeline: Any) -> None:
            side = SMALL // pipeline.vae_scale_factor
            hook = lambda _, given, answer: answer if given[0].shape[-1] <= side else (answer[0] * wrong,)  # noqa: E731
            pipeline.unet.register_forward_hook(hook)

    pipeline = load_pipeline(str(tiny_folder), torch.device("cpu"), torch.float32, None)
    pipeline.unet.register_to_config(sample_size=16)
    with pytest.raises(ValueError, match="its picture at 128x128 "):
        compare_pictures(pipeline, Small())  # type: ignore[arg-type]


def test_a_pipeline_of_another_kind_is_refused_before_torch_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionXLPipeline"}))
    with pytest.raises(UnusableModel, match=r"is a StableDiffusionXLPipeline: only Stable Diffusion 1\.x/2\.x"):
        create({**PLAIN, "model": str(tmp_path)})
