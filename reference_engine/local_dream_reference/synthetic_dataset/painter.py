"""From a scene to a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from local_dream_reference.synthetic_dataset.canvas import Canvas
from local_dream_reference.synthetic_dataset.ground import paint_backdrop, paint_ground
from local_dream_reference.synthetic_dataset.scene import Scene
from local_dream_reference.synthetic_dataset.sky import paint_sky
from local_dream_reference.synthetic_dataset.style import apply_style
from local_dream_reference.synthetic_dataset.things import Box, paint_thing
from local_dream_reference.synthetic_dataset.weather import paint_weather


@dataclass(frozen=True, slots=True)
class Painting:
    """A finished picture and where its things stand.

    Attributes:
        image: RGB, of the asked size.
        boxes: one box (left, top, right, bottom) per thing, as shares of width and height, in the scene's order.
    """

    image: Image.Image
    boxes: tuple[Box, ...]


def paint(scene: Scene, width: int, height: int, rng: np.random.Generator) -> Painting:
    """Paint ``scene`` at any size from 16x16 pixels up. Same scene, size and generator state: same pixels."""
    canvas = Canvas(width, height)
    horizon = 0.56 + rng.uniform(-0.025, 0.025)
    paint_sky(canvas, scene, horizon, rng)
    paint_backdrop(canvas, scene, horizon, rng)
    paint_ground(canvas, scene, horizon, rng)
    # Far things first: what floats or sails stands behind what is on the near ground.
    order = sorted(scene.things, key=lambda thing: thing.kind not in ("balloon", "boat"))
    boxes = {thing.place: paint_thing(canvas, scene, thing, rng) for thing in order}
    paint_weather(canvas, scene, rng)
    image = apply_style(canvas.finished(), scene.style)
    shares = tuple(
        (left / canvas.aspect, top, right / canvas.aspect, bottom)
        for left, top, right, bottom in (boxes[thing.place] for thing in scene.things)
    )
    return Painting(image, shares)


def box_weights(boxes: tuple[Box, ...], width: int, height: int, weight: float) -> np.ndarray:
    """Return a map (height, width) that is 1 outside the boxes and ``weight`` inside, for losses that must see
    things.
    """
    weights = np.ones((height, width), dtype=np.float32)
    for left, top, right, bottom in boxes:
        rows = slice(max(0, int(top * height)), max(0, int(np.ceil(bottom * height))))
        columns = slice(max(0, int(left * width)), max(0, int(np.ceil(right * width))))
        weights[rows, columns] = weight
    return weights
