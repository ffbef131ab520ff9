"""Line art, lettering and charts: thin dark strokes on light ground, or the reverse."""

from __future__ import annotations

import string
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from local_dream_reference.upscaling.training import shapes
from local_dream_reference.upscaling.training.palettes import muted_palette, poster_palette

Picture = NDArray[np.uint8]
Draw = Callable[[np.random.Generator, int], Picture]

_OVERSIZE = 2
_LETTERS = np.array(list(string.ascii_letters + string.digits + "   .,:;!?()&%+-=/"))


def _ink(colour: NDArray[np.float32]) -> tuple[int, int, int]:
    red, green, blue = (round(float(channel) * 255) for channel in colour)
    return red, green, blue


def _sheet(rng: np.random.Generator, canvas: int) -> tuple[Image.Image, list[tuple[int, int, int]]]:
    """A page and a few inks that stand out from it."""
    paper = np.ones(3, np.float32) if rng.random() < 0.35 else muted_palette(rng, 1)[0]
    inks = np.vstack([poster_palette(rng, 4), np.zeros((2, 3), np.float32)])
    if paper.mean() < 0.5:
        inks[-2:] = 1.0
    contrast = np.abs(inks - paper).mean(axis=1)
    visible = inks[contrast > 0.2]
    if len(visible) == 0:
        visible = 1 - paper[None]
    return Image.new("RGB", (canvas, canvas), _ink(paper)), [_ink(colour) for colour in visible]


def _shrunk(page: Image.Image, side: int, rng: np.random.Generator) -> Picture:
    if rng.random() < 0.4:
        page = page.rotate(float(rng.uniform(-25, 25)), Image.Resampling.BICUBIC, fillcolor=page.getpixel((0, 0)))
    filters = (Image.Resampling.LANCZOS, Image.Resampling.BICUBIC, Image.Resampling.BOX)
    return np.asarray(page.resize((side, side), filters[int(rng.integers(0, 3))]))


def lettering(rng: np.random.Generator, side: int) -> Picture:
    """Lines of random words in several sizes, in Pillow's own font."""
    canvas = side * _OVERSIZE
    page, inks = _sheet(rng, canvas)
    draw = ImageDraw.Draw(page)
    y = 0.0
    while y < canvas:
        size = float(np.exp(rng.uniform(np.log(16), np.log(120))))
        font = ImageFont.load_default(size)
        for _ in range(int(rng.integers(1, 5))):
            line = "".join(rng.choice(_LETTERS, int(canvas / size * 2.2)))
            draw.text((rng.uniform(-size, size), y), line, fill=inks[int(rng.integers(0, len(inks)))], font=font)
            y += size * 1.25
    return _shrunk(page, side, rng)


def line_art(rng: np.random.Generator, side: int) -> Picture:
    """Curves, outlines and hatching of even or varying width."""
    canvas = side * _OVERSIZE
    page, inks = _sheet(rng, canvas)
    draw = ImageDraw.Draw(page)
    pen = float(np.exp(rng.uniform(np.log(2), np.log(14))))
    for _ in range(int(np.exp(rng.uniform(np.log(20), np.log(160))))):
        colour = inks[int(rng.integers(0, len(inks)))]
        width = max(1, round(pen * rng.uniform(0.6, 1.5)))
        kind = rng.random()
        centre = rng.uniform(0, 1, 2) * canvas
        if kind < 0.4:
            ends = rng.normal(0, canvas * 0.2, (3, 2)) + centre
            path = shapes.curve(ends[0], ends[1], ends[2], 24)
            draw.line([(float(x), float(y)) for x, y in path], fill=colour, width=width, joint="curve")
        elif kind < 0.75:
            radius = float(np.exp(rng.uniform(np.log(10), np.log(canvas / 3))))
            outline = shapes.random_outline(rng, radius) + centre
            points = [(float(x), float(y)) for x, y in np.vstack([outline, outline[:2]])]
            draw.line(points, fill=colour, width=width, joint="curve")
        else:
            angle, gap = rng.uniform(0, np.pi), width * rng.uniform(1.8, 4)
            along = np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(20, canvas / 5)
            across = np.array([-np.sin(angle), np.cos(angle)]) * gap
            for step in range(int(rng.integers(4, 30))):
                start = centre + across * step
                draw.line([*map(float, start), *map(float, start + along)], fill=colour, width=width)
    return _shrunk(page, side, rng)
