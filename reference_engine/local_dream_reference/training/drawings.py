"""Fresh drawings on demand: item ``i`` of a stream is a pure function of (seed, stream name, i)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from local_dream_reference.synthetic_dataset.grammar import CALM, Caption, calmed, describe, foreign
from local_dream_reference.synthetic_dataset.painter import box_weights, paint
from local_dream_reference.synthetic_dataset.scene import Scene
from local_dream_reference.synthetic_dataset.split import is_held_out, sample_split

T = TypeVar("T")


def generator(seed: int, stream: str, index: int) -> np.random.Generator:
    """Return the random numbers of one item; streams with different names are independent."""
    return np.random.default_rng([seed, zlib.crc32(stream.encode()), index])


@dataclass(frozen=True, slots=True)
class Drawing:
    """One training example.

    Attributes:
        picture: uint8 (h, w, 3).
        weights: float32 (h / 8, w / 8), larger where things stand.
    """

    picture: np.ndarray
    weights: np.ndarray
    scene: Scene
    caption: Caption


class Drawings(Dataset[Drawing]):
    """An endless stream of drawings of one size.

    In a share ``pairs`` (0..1) of them two kinds of thing are a must. A share ``calm`` is calm in most respects, so
    that its captions are as short as people's; a fifth of that is the calm scene, under a prompt without a word of the
    world.
    """

    def __init__(
        self,
        stream: str,
        size: tuple[int, int],
        *,
        seed: int,
        box_weight: float = 1.0,
        held_out: bool = False,
        pairs: float = 0.0,
        calm: float = 0.0,
    ) -> None:
        self._stream, self._size, self._seed = stream, size, seed
        self._box_weight, self._held_out, self._pairs, self._calm = box_weight, held_out, pairs, calm

    def __getitem__(self, index: int) -> Drawing:
        rng = generator(self._seed, self._stream, index)
        width, height = self._size
        calm = self._calm > 0 and rng.random() < self._calm
        if calm and rng.random() < 0.2:
            painting = paint(CALM, width, height, rng)
            return Drawing(np.array(painting.image), np.ones((height // 8, width // 8), np.float32), CALM, foreign(rng))
        pair = self._pairs > 0 and rng.random() < self._pairs
        while True:
            scene = sample_split(rng, held_out=self._held_out)
            if calm:
                scene = calmed(scene, rng)
            if is_held_out(scene) == self._held_out and (not pair or len({thing.kind for thing in scene.things}) > 1):
                break
        painting = paint(scene, width, height, rng)
        weights = box_weights(painting.boxes, width // 8, height // 8, self._box_weight)
        return Drawing(np.array(painting.image), weights, scene, describe(scene, rng))


class Crops(Dataset[np.ndarray]):
    """Square crops for the autoencoder: uint8 (4, crop, crop, 4), the last channel 255 inside the boxes of things."""

    def __init__(self, crop: int, sizes: tuple[int, ...], *, seed: int) -> None:
        self._crop, self._sizes, self._seed = crop, sizes, seed

    def __getitem__(self, index: int) -> np.ndarray:
        rng = generator(self._seed, "crops", index)
        size = self._sizes[int(rng.integers(len(self._sizes)))]
        scene = sample_split(rng, held_out=False)
        painting = paint(scene, size, size, rng)
        inside = (box_weights(painting.boxes, size, size, 2.0) > 1.5).astype(np.uint8) * 255
        canvas = np.concatenate([np.asarray(painting.image), inside[..., None]], axis=-1)
        return np.stack([self._cut(canvas, painting.boxes, near=number % 2 == 0, rng=rng) for number in range(4)])

    def _cut(
        self,
        canvas: np.ndarray,
        boxes: tuple[tuple[float, float, float, float], ...],
        *,
        near: bool,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Cut one crop, around a point inside a thing if ``near``."""
        size, crop = canvas.shape[0], self._crop
        room = size - crop
        left, top = int(rng.integers(room + 1)), int(rng.integers(room + 1))
        if near and boxes:
            box = boxes[int(rng.integers(len(boxes)))]
            left = int(np.clip(rng.uniform(box[0], box[2]) * size - crop / 2, 0, room))
            top = int(np.clip(rng.uniform(box[1], box[3]) * size - crop / 2, 0, room))
        return canvas[top : top + crop, left : left + crop]


class _From(torch.utils.data.Sampler[int]):
    """Counts upwards from a start, for ever."""

    def __init__(self, start: int) -> None:
        self._start = start

    def __iter__(self) -> Iterator[int]:
        index = self._start
        while True:
            yield index
            index += 1


def stream(items: Dataset[T], start: int, workers: int) -> Iterator[T]:
    """Yield the items from number ``start`` on, in order, made by ``workers`` other processes (0: in this one)."""
    loader: DataLoader[T] = DataLoader(
        items,
        batch_size=None,
        sampler=_From(start),
        num_workers=workers,
        collate_fn=_as_it_is,
        prefetch_factor=16 if workers else None,
        multiprocessing_context="spawn" if workers else None,
    )
    return iter(loader)


def _as_it_is(item: T) -> T:
    return item
