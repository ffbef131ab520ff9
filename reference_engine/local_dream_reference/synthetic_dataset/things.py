"""The things that a scene can hold: house, tree, sailing boat, car, hot-air balloon.

Each painter gets the foot of the thing (x, y), its height and its paint, and stays within a box of 1.02 x height wide
around x. Shapes differ in silhouette on purpose: at 128 px the silhouette is all that is left.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from local_dream_reference.synthetic_dataset.canvas import Canvas
from local_dream_reference.synthetic_dataset.palette import PAINTS, RGB, THING_TINT, mix, shade, tint
from local_dream_reference.synthetic_dataset.scene import Scene, Thing

HEIGHT = {"small": 0.25, "large": 0.42}
PLACE_X = {"left": 0.24, "centre": 0.5, "right": 0.76}
WINDOW_LIT: RGB = (255, 226, 120)
#: Width and height of each kind as shares of the nominal height, for the box that training weighs.
EXTENT = {"house": (0.94, 1.0), "tree": (0.84, 1.08), "boat": (0.96, 1.0), "car": (1.02, 0.56), "balloon": (0.78, 1.0)}

Box = tuple[float, float, float, float]


class _Brush:
    """Paints for one thing: its own colour, darker parts, outline, all tinted by the hour."""

    def __init__(self, scene: Scene, thing: Thing) -> None:
        self._factor = THING_TINT[scene.time]
        self.night = scene.time == "night"
        self.body = tint(PAINTS[thing.colour], self._factor)
        self.dark = shade(self.body, 0.74)
        self.light = mix(self.body, (255, 255, 255), 0.35 if thing.colour != "white" else 0.0)
        self.edge = shade(self.body, 0.36)
        self.window = WINDOW_LIT if self.night else tint((206, 232, 248), self._factor)

    def other(self, paint: RGB) -> RGB:
        """Tint a colour that is not the thing's own."""
        return tint(paint, self._factor)


def paint_thing(canvas: Canvas, scene: Scene, thing: Thing, rng: np.random.Generator) -> Box:
    """Paint one thing; return its box (left, top, right, bottom) in canvas units."""
    height = HEIGHT[thing.size] * rng.uniform(0.96, 1.04)
    x = canvas.aspect * PLACE_X[thing.place] + rng.uniform(-0.025, 0.025)
    if thing.kind == "balloon":
        y = rng.uniform(0.06, 0.1) + height
    elif thing.kind == "boat":
        y = rng.uniform(0.74, 0.77)
    else:
        y = rng.uniform(0.88, 0.92) if scene.ground == "sea" else rng.uniform(0.84, 0.9)
    _PAINTERS[thing.kind](canvas, x, y, height, _Brush(scene, thing))
    wide, tall = EXTENT[thing.kind]
    return (x - wide * height / 2, y - tall * height, x + wide * height / 2, y)


def _shadow(canvas: Canvas, x: float, y: float, half: float) -> None:
    mesh_x, mesh_y = canvas.mesh(64)
    inside = np.hypot((mesh_x - x) / half, (mesh_y - y) / (half * 0.22))
    canvas.veil(np.where(inside < 1.15, 0.3, 0.0), (20, 24, 44))


def _outlined(canvas: Canvas, points: list[tuple[float, float]], paint: RGB, edge: RGB, width: float = 0.009) -> None:
    canvas.polygon(points, paint)
    canvas.line([*points, points[0], points[1]], edge, width)


def _house(canvas: Canvas, x: float, y: float, h: float, brush: _Brush) -> None:
    half, eaves = 0.4 * h, y - 0.56 * h
    _shadow(canvas, x, y, half * 1.15)
    canvas.rectangle(x + 0.14 * h, y - 0.95 * h, x + 0.25 * h, y - 0.6 * h, brush.edge)
    walls = [(x - half, y), (x - half, eaves), (x + half, eaves), (x + half, y)]
    _outlined(canvas, walls, brush.body, brush.edge)
    roof = [(x - half * 1.18, eaves), (x, y - h), (x + half * 1.18, eaves)]
    _outlined(canvas, roof, brush.dark, brush.edge)
    canvas.rectangle(x - 0.09 * h, y - 0.32 * h, x + 0.09 * h, y, brush.other((112, 72, 48)))
    for side in (-0.25, 0.25):
        left = x + side * h - 0.075 * h
        canvas.rectangle(left - 0.015 * h, y - 0.465 * h, left + 0.165 * h, y - 0.285 * h, brush.edge)
        canvas.rectangle(left, y - 0.45 * h, left + 0.15 * h, y - 0.3 * h, brush.window)


def _tree(canvas: Canvas, x: float, y: float, h: float, brush: _Brush) -> None:
    _shadow(canvas, x, y, 0.3 * h)
    trunk = brush.other((116, 78, 50))
    canvas.polygon(
        [(x - 0.085 * h, y), (x - 0.055 * h, y - 0.5 * h), (x + 0.055 * h, y - 0.5 * h), (x + 0.085 * h, y)], trunk
    )
    crown = ((-0.21, 0.58, 0.21), (0.21, 0.58, 0.21), (0.0, 0.76, 0.29), (0.0, 0.55, 0.22))
    for grow, paint in ((0.009 / h, brush.edge), (0.0, brush.body)):
        for dx, dy, radius in crown:
            canvas.ellipse(x + dx * h, y - dy * h, (radius + grow) * h, (radius + grow) * h, paint)
    for dx, dy, radius in ((-0.08, 0.84, 0.11), (0.14, 0.62, 0.07), (-0.24, 0.6, 0.07)):
        canvas.ellipse(x + dx * h, y - dy * h, radius * h, radius * h, brush.light)


def _boat(canvas: Canvas, x: float, y: float, h: float, brush: _Brush) -> None:
    deck = y - 0.2 * h
    canvas.line([(x, deck), (x, y - h)], brush.other((92, 62, 42)), 0.034 * h)
    sail = [(x + 0.03 * h, y - 0.97 * h), (x + 0.03 * h, deck - 0.04 * h), (x + 0.42 * h, deck - 0.04 * h)]
    jib = [(x - 0.03 * h, y - 0.88 * h), (x - 0.03 * h, deck - 0.04 * h), (x - 0.34 * h, deck - 0.04 * h)]
    _outlined(canvas, sail, brush.body, brush.edge)
    _outlined(canvas, jib, brush.light, brush.edge)
    hull = [(x - 0.48 * h, deck), (x + 0.48 * h, deck), (x + 0.34 * h, y), (x - 0.34 * h, y)]
    _outlined(canvas, hull, brush.dark, brush.edge)


def _car(canvas: Canvas, x: float, y: float, h: float, brush: _Brush) -> None:
    h *= 0.88
    _shadow(canvas, x, y, 0.56 * h)
    cabin = [
        (x - 0.34 * h, y - 0.34 * h),
        (x - 0.22 * h, y - 0.6 * h),
        (x + 0.16 * h, y - 0.6 * h),
        (x + 0.32 * h, y - 0.34 * h),
    ]
    _outlined(canvas, cabin, brush.body, brush.edge)
    canvas.polygon(
        [
            (x - 0.26 * h, y - 0.36 * h),
            (x - 0.18 * h, y - 0.54 * h),
            (x - 0.05 * h, y - 0.54 * h),
            (x - 0.05 * h, y - 0.36 * h),
        ],
        brush.window,
    )
    canvas.polygon(
        [
            (x + 0.01 * h, y - 0.36 * h),
            (x + 0.01 * h, y - 0.54 * h),
            (x + 0.13 * h, y - 0.54 * h),
            (x + 0.23 * h, y - 0.36 * h),
        ],
        brush.window,
    )
    canvas.rectangle(x - 0.575 * h, y - 0.375 * h, x + 0.575 * h, y - 0.085 * h, brush.edge, 0.1 * h)
    canvas.rectangle(x - 0.555 * h, y - 0.355 * h, x + 0.555 * h, y - 0.105 * h, brush.body, 0.09 * h)
    canvas.rectangle(x + 0.46 * h, y - 0.28 * h, x + 0.55 * h, y - 0.2 * h, WINDOW_LIT)
    for side in (-0.31, 0.31):
        canvas.ellipse(x + side * h, y - 0.1 * h, 0.125 * h, 0.125 * h, (34, 36, 44))
        canvas.ellipse(x + side * h, y - 0.1 * h, 0.055 * h, 0.055 * h, brush.other((208, 210, 216)))


def _balloon(canvas: Canvas, x: float, y: float, h: float, brush: _Brush) -> None:
    centre, radius = y - 0.63 * h, 0.37 * h
    rope = brush.other((92, 66, 48))
    for side in (-1, 1):
        canvas.line([(x + side * 0.2 * h, centre + 0.25 * h), (x + side * 0.07 * h, y - 0.12 * h)], rope, 0.016 * h)
    for grow, paint in ((0.009, brush.edge), (0.0, brush.body)):
        canvas.ellipse(x, centre, radius + grow, radius + grow, paint)
        foot = [(x - radius * 0.86 - grow, centre + radius * 0.45), (x + radius * 0.86 + grow, centre + radius * 0.45)]
        canvas.polygon([*foot, (x + 0.1 * h + grow, y - 0.17 * h), (x - 0.1 * h - grow, y - 0.17 * h)], paint)
    canvas.ellipse(x, centre, radius * 0.52, radius * 0.97, brush.light)
    canvas.ellipse(x, centre, radius * 0.22, radius * 0.97, brush.body)
    canvas.rectangle(x - 0.085 * h, y - 0.125 * h, x + 0.085 * h, y, brush.other((150, 102, 60)), 0.02 * h)


_PAINTERS: dict[str, Callable[[Canvas, float, float, float, _Brush], None]] = {
    "house": _house,
    "tree": _tree,
    "boat": _boat,
    "car": _car,
    "balloon": _balloon,
}
