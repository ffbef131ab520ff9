"""Which runtime a model gets: OpenVINO on a CPU where it is installed and can, else PyTorch."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from local_dream_reference.errors import UnusableModel
from local_dream_reference.runtime.cache import ConversionCache, fingerprint
from local_dream_reference.runtime.conversion import ConversionFailed, Order, convert_elsewhere
from local_dream_reference.runtime.memory import check_memory
from local_dream_reference.source import find_source

if TYPE_CHECKING:
    from local_dream_reference.runtime.compiled import Precision
    from local_dream_reference.runtime.converted_model import ConvertedModel

logger = logging.getLogger(__name__)

RUNTIMES: Final = ("auto", "torch", "openvino")
LAYOUT: Final = 3
"""Counted up when the files of a conversion change their meaning."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the engine was started with. ``dtype`` is the resolved one, such as float32."""

    runtime: str
    model: str
    config: str | None
    device: str
    dtype: str
    threads: int


def choose(wish: Wish, cache: ConversionCache) -> ConvertedModel | None:
    """The model as OpenVINO runs it, converted now if it never was; None: PyTorch is to run it.

    Whatever keeps OpenVINO from it is one line in the log; with the runtime "openvino" it raises UnusableModel, and so
    it does for a model that cannot be loaded at all.
    """
    if wish.runtime not in RUNTIMES:
        raise UnusableModel(f"runtime {wish.runtime!r}: use {', '.join(RUNTIMES[:-1])} or {RUNTIMES[-1]}")
    if wish.runtime == "torch" or (wish.runtime == "auto" and (wish.device != "cpu" or find_spec("openvino") is None)):
        return None
    try:
        return _conversion(wish, cache)
    except ConversionFailed as error:
        if wish.runtime == "openvino":
            raise UnusableModel(f"runtime 'openvino' cannot run this model: {error}") from error
        logger.warning("OpenVINO does not run this model, PyTorch does: %s", error)
        return None


def _conversion(wish: Wish, cache: ConversionCache) -> ConvertedModel:
    if wish.device != "cpu":
        raise ConversionFailed(f"it is for the CPU, and the device is {wish.device}")
    if find_spec("openvino") is None:
        raise ConversionFailed("it is not installed (pip install openvino)")
    import openvino

    from local_dream_reference.runtime.compiled import Numbers, computes, cpu_name

    precision: Precision = "bf16" if wish.dtype == "bfloat16" else "f32"
    if not computes(precision):
        raise ConversionFailed(f"this CPU does not compute {wish.dtype}")
    files = _files(wish)
    if wish.runtime == "auto":  # whoever names it may know better
        check_memory(files, precision)
    if any(file.parts[-2:] == ("unet", "config.json") and _is_told_its_guidance(file) for file in files):
        raise ConversionFailed("its UNet takes the guidance as an input, which conversions have not")
    key = fingerprint(files, LAYOUT, openvino.__version__, cpu_name(), precision)
    folder = conversion_of(Order(wish.model, wish.config, str(cache.root), key, wish.threads, precision), cache)

    from local_dream_reference.runtime.converted_model import ConvertedModel

    return ConvertedModel(folder, Numbers(wish.threads, precision))


def conversion_of(order: Order, cache: ConversionCache) -> Path:
    """The folder of the conversion. Of those that start at once, one makes it, and the others wait and find it."""
    folder = cache.find(order.key)
    if folder is not None:
        return folder
    try:  # before the half minute that a conversion takes
        cache.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConversionFailed(f"its cache cannot be written: {error.strerror}") from error
    with cache.alone(order.key):
        folder = cache.find(order.key)
        if folder is None:
            convert_elsewhere(order)
            folder = cache.find(order.key)
    if folder is None:
        raise ConversionFailed("the conversion cannot be read back")
    return folder


def _files(wish: Wish) -> list[Path]:
    """What the conversion depends on."""
    path = find_source(wish.model)
    if path is None:
        raise ConversionFailed("it is not on this machine yet; the next start will convert it")
    if path.is_file():
        configs = [] if wish.config is None else sorted(Path(wish.config).glob("*/config.json"))
        return [path, *configs, *sorted(path.parent.glob("*/config.json"))]
    files = [file for part in ("unet", "vae") for file in (path / part).rglob("*") if file.is_file()]
    return [*files, *path.glob("text_encoder/config.json"), *path.glob("model_index.json")]


def _is_told_its_guidance(config: Path) -> bool:
    """Whether a UNet is that of a latent consistency model, from its configuration."""
    try:
        return bool(json.loads(config.read_text(encoding="utf-8")).get("time_cond_proj_dim"))
    except (ValueError, AttributeError):  # loading it will say what is wrong
        return False
