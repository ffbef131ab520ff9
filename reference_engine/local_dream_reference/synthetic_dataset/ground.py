"""Land and water: the backdrop on the horizon and the ground before it."""

from __future__ import annotations

import numpy as np

from local_dream_reference.synthetic_dataset.canvas import Canvas
from local_dream_reference.synthetic_dataset.palette import GROUND_PAINT, LAND_TINT, RGB, SKY, mix, shade, tint
from local_dream_reference.synthetic_dataset.scene import Scene


def paint_backdrop(canvas: Canvas, scene: Scene, horizon: float, rng: np.random.Generator) -> None:
    """Paint mountains or a row of pines that stands on the horizon."""
    haze = SKY[scene.time][2]
    if scene.backdrop == "mountains":
        _mountains(canvas, scene, horizon, haze, rng)
    elif scene.backdrop == "pines":
        _pines(canvas, scene, horizon, rng)


def _mountains(canvas: Canvas, scene: Scene, horizon: float, haze: RGB, rng: np.random.Generator) -> None:
    base = mix(tint((112, 122, 156), LAND_TINT[scene.time]), haze, 0.16)
    snow = mix(tint((246, 248, 252), LAND_TINT[scene.time]), haze, 0.1)
    count = max(2, round(3 * canvas.aspect))
    for index in rng.permutation(count):
        x = canvas.aspect * (index + 0.5) / count + rng.uniform(-0.05, 0.05)
        top, half = horizon - rng.uniform(0.19, 0.28), rng.uniform(0.27, 0.33)
        foot = horizon + 0.05
        canvas.polygon([(x - half, foot), (x, top), (x + half, foot)], base)
        canvas.polygon([(x, top), (x + half, foot), (x + half * 0.18, foot)], shade(base, 0.82))
        cap = 0.34
        edge = top + (foot - top) * cap
        canvas.polygon(
            [
                (x, top),
                (x + half * cap, edge),
                (x + half * cap * 0.5, edge - 0.02),
                (x, edge + 0.018),
                (x - half * cap * 0.5, edge - 0.02),
                (x - half * cap, edge),
            ],
            snow,
        )


def _pines(canvas: Canvas, scene: Scene, horizon: float, rng: np.random.Generator) -> None:
    paint = tint((38, 98, 78), LAND_TINT[scene.time])
    if scene.ground == "snowfield":
        paint = mix(paint, tint((226, 236, 246), LAND_TINT[scene.time]), 0.18)
    count = round(11 * canvas.aspect)
    for index in range(count):
        x = canvas.aspect * (index + 0.5) / count + rng.uniform(-0.02, 0.02)
        height, half = rng.uniform(0.12, 0.19), rng.uniform(0.042, 0.055)
        foot = horizon + 0.04
        colour = shade(paint, rng.uniform(0.85, 1.05))
        for low, high, width in ((0.0, 0.55, 1.0), (0.3, 0.8, 0.78), (0.6, 1.0, 0.55)):
            canvas.polygon(
                [
                    (x - half * width, foot - height * low),
                    (x, foot - height * high),
                    (x + half * width, foot - height * low),
                ],
                colour,
            )


def paint_ground(canvas: Canvas, scene: Scene, horizon: float, rng: np.random.Generator) -> None:
    """Paint the ground from the horizon to the lower edge."""
    paints = [tint(paint, LAND_TINT[scene.time]) for paint in GROUND_PAINT[scene.ground]]
    if scene.weather == "rain":
        paints = [shade(paint, 0.88) for paint in paints]
    if scene.ground == "sea":
        _sea(canvas, scene, horizon, paints, rng)
    elif scene.ground == "lavender":
        _lavender(canvas, horizon, paints, rng)
    else:
        _hills(canvas, scene, horizon, paints, rng)


def _wave(canvas: Canvas, level: float, height: float, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Return a gentle line of hills across the picture, left to right."""
    x = np.linspace(0.0, canvas.aspect, 33)
    y = level - height * np.sin(x * rng.uniform(2.6, 4.6) + rng.uniform(0, 6.3))
    return [(float(a), float(b)) for a, b in zip(x, y, strict=True)]


def _below(canvas: Canvas, line: list[tuple[float, float]], paint: RGB) -> None:
    canvas.polygon([*line, (canvas.aspect, 1.0), (0.0, 1.0)], paint)


def _hills(canvas: Canvas, scene: Scene, horizon: float, paints: list[RGB], rng: np.random.Generator) -> None:
    swing = {"meadow": 0.03, "desert": 0.042, "snowfield": 0.02}[scene.ground]
    for level, paint in zip((horizon, horizon + 0.11, horizon + 0.25), paints, strict=True):
        line = _wave(canvas, level, swing, rng)
        _below(canvas, line, paint)
        canvas.line(line, shade(paint, 1.22), 0.007)
    if scene.ground == "meadow":
        _tufts(canvas, horizon, paints[2], rng)


def _tufts(canvas: Canvas, horizon: float, paint: RGB, rng: np.random.Generator) -> None:
    for _ in range(round(12 * canvas.aspect)):
        x, y = rng.uniform(0, canvas.aspect), rng.uniform(horizon + 0.3, 0.98)
        for lean in (-0.014, 0.0, 0.014):
            canvas.line([(x, y), (x + lean, y - 0.026)], shade(paint, 0.74), 0.008)


def _sea(canvas: Canvas, scene: Scene, horizon: float, paints: list[RGB], rng: np.random.Generator) -> None:
    shore = 0.815
    near = mix(paints[0], SKY[scene.time][2], 0.25)
    canvas.gradient([near, paints[0], paints[1]], horizon, shore + 0.04)
    for row, y in enumerate(np.linspace(horizon + 0.035, shore - 0.05, 5)):
        length = 0.07 + 0.02 * row
        for x in np.arange(rng.uniform(-0.1, 0.1), canvas.aspect, 0.27):
            start = x + rng.uniform(-0.05, 0.05)
            canvas.line([(start, y), (start + length, y)], mix(paints[0], (255, 255, 255), 0.4), 0.009)
    line = _wave(canvas, shore, 0.012, rng)
    _below(canvas, [(x, y - 0.014) for x, y in line], mix(paints[0], (255, 255, 255), 0.72))
    _below(canvas, line, paints[2])


def _lavender(canvas: Canvas, horizon: float, paints: list[RGB], rng: np.random.Generator) -> None:
    _below(canvas, _wave(canvas, horizon, 0.012, rng), paints[0])
    vanishing = canvas.aspect * 0.5 + rng.uniform(-0.15, 0.15)
    rows = round(9 * canvas.aspect)
    for index in range(-rows, 2 * rows):
        foot = canvas.aspect * index / rows
        width = 0.5 * canvas.aspect / rows
        top = vanishing + (foot - vanishing) * 0.16
        canvas.polygon(
            [(top, horizon + 0.03), (top + width * 0.16, horizon + 0.03), (foot + width, 1.0), (foot, 1.0)], paints[2]
        )
