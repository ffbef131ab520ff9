"""Natural-looking training pictures: dead leaves, strokes, facades and cloud-like noise.

Each function takes a seeded generator, the side of the wanted picture and the texture
bank, and returns RGB uint8 of shape (side, side, 3). Pictures are drawn oversized and
shrunk, which gives edges the soft profile that lenses and sensors give them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from local_dream_reference.upscaling.training import shapes
from local_dream_reference.upscaling.training.palettes import muted_palette, poster_palette
from local_dream_reference.upscaling.training.surfaces import FloatImage, LabelMap, Paint, finished, paint
from local_dream_reference.upscaling.training.textures import power_law_noise

Picture = NDArray[np.uint8]
Bank = NDArray[np.float16]
Draw = Callable[[np.random.Generator, int, Bank], Picture]

_OVERSIZE = 2
_SOFTNESS = (Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BOX, Image.Resampling.HAMMING)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _filter(rng: np.random.Generator) -> Image.Resampling:
    return _SOFTNESS[int(rng.integers(0, len(_SOFTNESS)))]


def _blurred(picture: FloatImage, radius: float) -> FloatImage:
    image = Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), np.float32) / np.float32(255)


def softened(rng: np.random.Generator, picture: Picture) -> Picture:
    """A drawn picture as a lens would show it. Photographs are rarely as sharp as their pixels allow.

    Trained on sharp drawings only, a network sharpens photographs more than is right.
    """
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(_log_uniform(rng, 0.4, 1.3))))


def _power_law_radii(rng: np.random.Generator, count: int, low: float, high: float) -> NDArray[np.float64]:
    """Radii with density r**-3: the scale-free law of occluding objects in the world."""
    u = rng.random(count)
    return np.asarray(1.0 / np.sqrt(u / low**2 + (1 - u) / high**2), np.float64)


def _leaf_layer(rng: np.random.Generator, canvas: int, smallest: float, cover: float) -> LabelMap:
    largest = canvas * rng.uniform(0.25, 0.6)
    mean_area = 2 * np.pi * smallest**2 * np.log(largest / smallest) * 0.5
    count = int(min(cover * canvas**2 / mean_area, 9000))
    leaves = LabelMap(canvas)
    for radius in _power_law_radii(rng, count, smallest, largest):
        x, y = rng.uniform(-0.1, 1.1, 2) * canvas
        leaves.add(shapes.random_outline(rng, float(radius)), x, y)
    return leaves


def _paint_for(rng: np.random.Generator) -> Paint:
    return Paint(rng.uniform(0, 0.8), _log_uniform(rng, 0.01, 0.15), rng.uniform(0.3, 1.0))


def dead_leaves(rng: np.random.Generator, side: int, bank: Bank) -> Picture:
    """Leaves of all sizes hiding one another, often before an out-of-focus background."""
    canvas = side * _OVERSIZE
    back = LabelMap(canvas)
    for radius in np.linspace(0.7, 0.2, 40) * canvas:
        back.add(shapes.random_outline(rng, float(radius)), *(rng.uniform(0, 1, 2) * canvas))
    picture = paint(rng, back, muted_palette(rng, back.count), bank, _paint_for(rng))
    if rng.random() < 0.5:
        picture = _blurred(picture, _log_uniform(rng, 2, 25))
    leaves = _leaf_layer(rng, canvas, _log_uniform(rng, 3, 40), rng.uniform(0.6, 4))
    front = paint(rng, leaves, muted_palette(rng, leaves.count), bank, _paint_for(rng))
    picture = np.where((leaves.labels() > 0)[..., None], front, picture)
    lighting = power_law_noise(rng, canvas // 4, 2.0)
    coarse = Image.fromarray(lighting).resize((canvas, canvas), Image.Resampling.BICUBIC)
    picture *= (1 + rng.uniform(0, 0.25) * np.asarray(coarse))[..., None]
    if rng.random() < 0.25:
        picture = _blurred(picture, rng.uniform(0.7, 3.0))
    return finished(picture.astype(np.float32), side, _filter(rng))


def strokes(rng: np.random.Generator, side: int, bank: Bank) -> Picture:
    """Fields of thin blades that follow a flow: fur, hair, grass, straw."""
    canvas = side * _OVERSIZE
    flow = power_law_noise(rng, 64, 2.0) * rng.uniform(0.2, 1.2) + rng.uniform(0, 2 * np.pi)
    length, width = _log_uniform(rng, 40, 260), _log_uniform(rng, 1.6, 9)
    count = int(np.clip(1.6 * canvas**2 / (length * width), 300, 7000))
    blades = LabelMap(canvas)
    for _ in range(count):
        start = rng.uniform(-0.05, 1.05, 2) * canvas
        row, column = (np.clip(start / canvas, 0, 0.999) * 64).astype(int)[::-1]
        angle = flow[row, column] + rng.normal(0, 0.2)
        reach = length * rng.uniform(0.4, 1.3) * np.array([np.cos(angle), np.sin(angle)])
        bend = start + reach * 0.5 + rng.normal(0, length * 0.12, 2)
        outline = shapes.blade(shapes.curve(start, bend, start + reach), width * rng.uniform(0.6, 1.6))
        blades.add(outline, 0, 0)
    ground = LabelMap(canvas)
    for radius in np.linspace(0.7, 0.2, 20) * canvas:
        ground.add(shapes.random_outline(rng, float(radius)), *(rng.uniform(0, 1, 2) * canvas))
    picture = paint(rng, ground, muted_palette(rng, ground.count), bank, _paint_for(rng))
    front = paint(rng, blades, muted_palette(rng, blades.count), bank, _paint_for(rng))
    picture = np.where((blades.labels() > 0)[..., None], front, picture)
    return finished(picture, side, _filter(rng))


def facade(rng: np.random.Generator, side: int, bank: Bank) -> Picture:
    """Repeated windows, bricks and bars, seen at an angle."""
    canvas = side * _OVERSIZE
    step_x, step_y = _log_uniform(rng, 9, 110), _log_uniform(rng, 9, 110)
    fill_x, fill_y = rng.uniform(0.3, 0.92, 2)
    brickwork = rng.random() < 0.4
    cells = LabelMap(canvas)
    box = np.array([[0, 0], [fill_x * step_x, 0], [fill_x * step_x, fill_y * step_y], [0, fill_y * step_y]])
    for row in range(int(canvas / step_y) + 1):
        offset = step_x / 2 if brickwork and row % 2 else 0.0
        for column in range(-1, int(canvas / step_x) + 1):
            cells.add(box, column * step_x + offset, row * step_y)
    one_colour = np.repeat(muted_palette(rng, 1), cells.count, axis=0)
    varied = muted_palette(rng, cells.count)
    mix = np.float32(rng.uniform(0, 0.6))
    front = paint(rng, cells, one_colour * (1 - mix) + varied * mix, bank, _paint_for(rng))
    wall = LabelMap(canvas)
    wall.add(np.array([[0, 0], [canvas, 0], [canvas, canvas], [0, canvas]]), 0, 0)
    picture = paint(rng, wall, muted_palette(rng, 1), bank, _paint_for(rng))
    picture = np.where((cells.labels() > 0)[..., None], front, picture)
    corners = np.array([[0, 0], [0, 1], [1, 1], [1, 0]]) * canvas
    corners = corners + rng.uniform(0, 0.22, (4, 2)) * canvas * np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]])
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    quad = tuple(float(value) for value in corners.reshape(-1))
    seen = image.transform((canvas, canvas), Image.Transform.QUAD, quad, Image.Resampling.BICUBIC)
    return finished(np.asarray(seen, np.float32) / np.float32(255), side, _filter(rng))


def clouds(rng: np.random.Generator, side: int, bank: Bank) -> Picture:
    """Coloured noise with the spectrum of natural pictures: foliage, stone, sky, water."""
    del bank
    exponent = rng.uniform(0.9, 1.8)
    stretch, angle = _log_uniform(rng, 1, 4), rng.uniform(0, np.pi)
    light = power_law_noise(rng, side * 2, exponent, stretch, angle)
    tint = power_law_noise(rng, side * 2, exponent + 0.4, stretch, angle)
    low, middle, high = muted_palette(rng, 3)
    contrast = rng.uniform(0.1, 0.5)
    blend = np.clip(0.5 + contrast * light, 0, 1)[..., None]
    picture = low * (1 - blend) + high * blend
    picture = picture + (middle - picture) * np.clip(0.3 * tint, 0, 1)[..., None]
    return finished(np.asarray(picture, np.float32), side, _filter(rng))


def flat_illustration(rng: np.random.Generator, side: int, bank: Bank) -> Picture:
    """Clean colour areas and gradients, half of them with ink outlines."""
    canvas = side * _OVERSIZE
    inked, ink = rng.random() < 0.5, _log_uniform(rng, 2, 9)
    areas = LabelMap(canvas)
    is_ink: list[bool] = []
    count = int(_log_uniform(rng, 25, 500))
    largest = canvas * 0.45
    for radius in np.concatenate(
        [np.full(6, largest * 1.5), _power_law_radii(rng, count, _log_uniform(rng, 8, 40), largest)]
    ):
        outline = shapes.random_outline(rng, float(radius))
        x, y = rng.uniform(0, 1, 2) * canvas
        if inked:
            reach = np.maximum(np.linalg.norm(outline, axis=1, keepdims=True), 1e-6)
            areas.add(outline * (1 + ink / reach), x, y)
            is_ink.append(True)
        areas.add(outline, x, y)
        is_ink.append(False)
    colours = poster_palette(rng, areas.count)
    colours[np.array(is_ink)] = poster_palette(rng, 1)[0] * rng.uniform(0, 0.4)
    how = Paint(rng.uniform(0, 0.4), 0.02, rng.uniform(0, 0.2))
    return finished(paint(rng, areas, colours, bank, how), side, _filter(rng))
