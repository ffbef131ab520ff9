"""What falls in front of everything: rain and snow. Both are coarse on purpose, so that a small model can learn
them.
"""

from __future__ import annotations

import numpy as np

from local_dream_reference.synthetic_dataset.canvas import Canvas
from local_dream_reference.synthetic_dataset.palette import RGB
from local_dream_reference.synthetic_dataset.scene import Scene


def paint_weather(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    """Paint rain streaks or snow flakes over the whole picture; nothing for the other weathers."""
    if scene.weather == "rain":
        _rain(canvas, scene, rng)
    elif scene.weather == "snow":
        _snow(canvas, scene, rng)


def _scattered(canvas: Canvas, step: float, rng: np.random.Generator) -> np.ndarray:
    """Return points (n, 2) on a jittered grid: even cover without visible rows."""
    xs, ys = np.meshgrid(np.arange(step / 2, canvas.aspect, step), np.arange(step / 2, 1.0, step))
    points = np.stack([xs.ravel(), ys.ravel()], axis=-1)
    return points + rng.uniform(-0.42, 0.42, points.shape) * step


def _rain(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    paint: RGB = (212, 226, 244) if scene.time != "night" else (150, 170, 214)
    for x, y in _scattered(canvas, 0.115, rng):
        canvas.line([(x + 0.018, y - 0.034), (x - 0.018, y + 0.034)], paint, 0.009)


def _snow(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    paint: RGB = (255, 255, 255) if scene.time != "night" else (214, 222, 244)
    for x, y in _scattered(canvas, 0.105, rng):
        radius = rng.uniform(0.0095, 0.0165)
        canvas.ellipse(x, y, radius, radius, paint)
