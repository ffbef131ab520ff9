"""Pictures enlarged four times by a named model."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray

from local_dream_reference.upscaling.architecture import Built, build
from local_dream_reference.upscaling.catalogue import Catalogue, UpscalerModel
from local_dream_reference.upscaling.errors import Abandoned, UnsuitablePicture, UnusableWeights
from local_dream_reference.upscaling.precision import convolution_precision
from local_dream_reference.upscaling.tiles import SCALE, enlarge
from local_dream_reference.upscaling.weights_file import read_weights

Picture = NDArray[np.uint8]

LARGEST_SIDE = 4096
"""Greatest width and height that can be enlarged, in pixels."""

_AREA = 2**16
"""Small pixels of a tile: enough that its context costs little, few enough that a generation
running beside gets its turn several times a second."""


class Upscaler:
    """Enlarges pictures by 4 with the models of a catalogue.

    Models are loaded when first used; the ``kept`` used last stay in memory. ``turn`` gives
    a context manager in which each tile is computed: a lock that a generation takes for
    each of its steps makes the two alternate instead of fighting for the cores. With ``compiled``
    OpenVINO may run the networks, where it is faster.

    May be called from several threads; the pictures are then enlarged tile by tile in turn.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        device: str = "cpu",
        kept: int = 2,
        turn: Callable[[], AbstractContextManager[object]] = nullcontext,
        compiled: bool = True,
    ) -> None:
        if kept < 1:
            raise ValueError(f"kept must be at least 1, got {kept}")
        self.catalogue = catalogue
        self._device = torch.device(device)
        self._precision = convolution_precision(self._device)
        self._kept, self._turn, self._compiled = kept, turn, compiled
        self._loaded: OrderedDict[tuple[Path, tuple[int, int]], Built] = OrderedDict()
        self._lock = Lock()

    def models(self) -> list[UpscalerModel]:
        """What can be asked for, the default first."""
        return self.catalogue.models()

    def resolve(self, asked: str) -> str:
        """The name of the model that ``asked`` means. Raises UnknownUpscaler."""
        return self.catalogue.resolve(asked)

    def upscale(
        self, rgb: Picture, model: str, cancelled: Callable[[], bool] = lambda: False, *, tile: int | None = None
    ) -> Picture:
        """(h, w, 3) uint8 RGB to (4h, 4w, 3), for sides of 1 to 4096.

        ``tile`` is the side of a tile in small pixels; left out, one is chosen.
        ``cancelled`` is asked before every tile. Raises UnknownUpscaler, UnsuitablePicture,
        UnusableWeights (the file changed into something else since it was listed), Abandoned.
        """
        _check(rgb)
        loaded = self._network(model)

        def each(work: Callable[[], Picture]) -> Picture:
            if cancelled():
                raise Abandoned
            with self._turn(), self._lock, torch.inference_mode():
                return work()

        sides = _tile(rgb.shape[1], light=loaded.light) if tile is None else (tile, tile)
        return enlarge(loaded.network, rgb, sides, loaded.margin, self._device, each, loaded.grid)

    def _network(self, asked: str) -> Built:
        model, path, stamp = self.catalogue.locate(asked)
        key = (path, stamp)
        with self._lock:
            if key not in self._loaded:
                try:
                    built = build(read_weights(path), self._precision, self._device if self._compiled else None)
                except UnusableWeights as error:
                    raise UnusableWeights(f"{model.file}: {error}") from error
                built.network.to(self._device)
                self._loaded[key] = built
            self._loaded.move_to_end(key)
            while len(self._loaded) > self._kept:
                self._loaded.popitem(last=False)
            return self._loaded[key]


def _tile(width: int, *, light: bool) -> tuple[int, int]:
    """Height and width of a tile of a picture that is ``width`` wide."""
    area = _AREA * 2 if light else _AREA
    across = min(width, area // 256)
    return area // across, across


def _check(rgb: Picture) -> None:
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ValueError(f"expected uint8 of shape (height, width, 3), got {rgb.dtype} of {rgb.shape}")
    height, width = rgb.shape[:2]
    if not (1 <= height <= LARGEST_SIDE and 1 <= width <= LARGEST_SIDE):
        raise UnsuitablePicture(
            f"picture of {width}x{height}: each side must be 1 to {LARGEST_SIDE} pixels; send a smaller one"
        )


__all__ = ["LARGEST_SIDE", "SCALE", "Upscaler"]
