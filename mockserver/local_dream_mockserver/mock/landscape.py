"""A small painted landscape, drawn from numbers: what the synthetic engine shows instead of a model's picture.

Everything is a function of its arguments: same arguments, same bytes. The words of the prompt choose the time of day,
the colours and the lie of the land; the seed moves the sun, the clouds and the ridges.
"""

from __future__ import annotations

import colorsys
import hashlib
import re
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane: TypeAlias = NDArray[np.float32]
"""Shape (height, width) or (height, width, 3)."""

HUES = {
    "red": 0.0,
    "orange": 0.08,
    "gold": 0.12,
    "yellow": 0.15,
    "green": 0.33,
    "teal": 0.48,
    "cyan": 0.5,
    "blue": 0.6,
    "violet": 0.75,
    "purple": 0.78,
    "pink": 0.9,
}
"""Colour words that the prompt may use, as hues 0..1: they win over the hue that the prompt's hash would choose."""

DARK_WORDS = {"night", "midnight", "dark", "moon", "stars"}
WATER_WORDS = {"sea", "lake", "water", "ocean", "river", "beach", "boat", "ship"}


@dataclass(frozen=True, kw_only=True)
class Mood:
    """What the words decide.

    `hue` 0..1 and `spread` (how far the colours lie apart, in hue); `night` and `water` 0..1; `roughness` of the
    ridges and `clouds` 0..1; `horizon` as a share of the height, from the top; `sun` radius as a share of the height.
    """

    hue: float
    spread: float
    night: float
    water: float
    roughness: float
    clouds: float
    horizon: float
    sun: float


def random_of(*parts: str) -> np.random.Generator:
    """A random generator that depends on the texts and nothing else."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return np.random.default_rng(list(digest))


def mood_of(prompt: str, negative_prompt: str) -> Mood:
    """The mood of the prompt; the negative prompt turns colours and land away from what its words would have chosen."""
    words = re.findall(r"\w+", prompt.lower())
    chance = random_of("mood", prompt)
    named = [HUES[word] for word in words if word in HUES]
    hue = named[0] if named else float(chance.random())
    night = 0.85 if DARK_WORDS.intersection(words) else float(chance.choice([0.0, 0.12, 0.3]))
    water = 1.0 if WATER_WORDS.intersection(words) else float(chance.choice([0.0, 1.0]))
    spread = float(chance.uniform(0.05, 0.2)) * (0.25 if named else 1.0)
    roughness, clouds = float(chance.uniform(0.3, 1.0)), float(chance.uniform(0.15, 0.9))
    horizon, sun = float(chance.uniform(0.48, 0.66)), float(chance.uniform(0.06, 0.13))
    if negative_prompt:
        turn = random_of("negative", negative_prompt)
        away = [HUES[word] for word in re.findall(r"\w+", negative_prompt.lower()) if word in HUES]
        hue = (away[0] + 0.5) % 1.0 if away else (hue + float(turn.uniform(0.04, 0.12))) % 1.0
        roughness = 1.3 - roughness
        clouds *= float(turn.uniform(0.3, 0.9))
    return Mood(
        hue=hue,
        spread=spread,
        night=night,
        water=water,
        roughness=roughness,
        clouds=clouds,
        horizon=horizon,
        sun=sun,
    )


def noise(chance: np.random.Generator, width: int, height: int, cells: int, octaves: int) -> Plane:
    """Soft noise of shape (height, width), about -1..1: `cells` bumps across the longer side, halved each octave."""
    total = np.zeros((height, width), dtype=np.float32)
    longer = max(width, height)
    for octave in range(octaves):
        count = cells << octave
        grid = chance.uniform(-1, 1, size=(count * height // longer + 3, count * width // longer + 3))
        image = Image.fromarray(grid.astype(np.float32))
        total += np.asarray(image.resize((width, height), Image.Resampling.BICUBIC)) / np.float32(1 << octave)
    return total


def colour(hue: float, saturation: float, value: float) -> NDArray[np.float32]:
    """RGB 0..1, shape (3,)."""
    return np.array(colorsys.hsv_to_rgb(hue % 1.0, saturation, value), dtype=np.float32)


def lay(canvas: Plane, paint: NDArray[np.float32], cover: Plane) -> None:
    """Lays paint (a colour, or a picture of the canvas's shape) over the canvas where `cover` (0..1) says so."""
    canvas += (paint - canvas) * cover[..., np.newaxis]


def landscape(mood: Mood, seed: int, width: int, height: int) -> Plane:
    """The picture, shape (height, width, 3), values about 0..1."""
    chance = random_of("land", str(seed))
    rows = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, np.newaxis]
    columns = ((np.arange(width, dtype=np.float32) + 0.5) / height)[np.newaxis, :]
    edge = np.float32(1.5 / height)
    day = 1.0 - mood.night

    zenith = colour(mood.hue + mood.spread, 0.55 + 0.2 * mood.night, 0.28 + 0.5 * day)
    low = colour(mood.hue - mood.spread, 0.35, 0.45 + 0.52 * day)
    fade = np.clip(rows / np.float32(mood.horizon), 0, 1)[..., np.newaxis] ** np.float32(1.3)
    canvas = (zenith + (low - zenith) * fade).repeat(width, axis=1).astype(np.float32)

    sun_x = float(chance.uniform(0.15, 0.85)) * width / height
    sun_y = mood.horizon * float(chance.uniform(0.3, 0.85))
    distance = np.hypot(columns - np.float32(sun_x), rows - np.float32(sun_y))
    light = colour(mood.hue - mood.spread, 0.12 + 0.25 * day, 1.0)
    lay(canvas, light, (0.55 * np.exp(-distance / np.float32(2.6 * mood.sun))).astype(np.float32))
    lay(canvas, light, np.clip((np.float32(mood.sun) - distance) / edge, 0, 1))

    if mood.night > 0.5:
        stars = chance.random((height, width), dtype=np.float32)
        lay(canvas, light, np.clip((stars - np.float32(0.9965)) * 900, 0, 0.9) * (distance > mood.sun * 1.3))
    cloud = noise(chance, width, height, 3, 4) - rows * np.float32(1.4) + np.float32(mood.clouds)
    lay(canvas, colour(mood.hue - mood.spread, 0.1, 0.5 + 0.48 * day), np.clip(cloud * 0.8, 0, 0.8))

    grain = noise(chance, width, height, 24, 3)
    for layer in range(4):
        depth = layer / 3
        profile = noise(chance, width, 1, 2 + layer, 5)[0] * np.float32(0.07 + 0.05 * mood.roughness)
        ridge = mood.horizon - 0.06 + 0.13 * depth + profile[np.newaxis, :] * (1.0 - 0.35 * depth)
        ground = colour(
            mood.hue + mood.spread * (1.0 + 1.2 * depth),
            0.28 + 0.34 * depth,
            (0.72 - 0.5 * depth) * (0.35 + 0.65 * day),
        )
        body = ground * (1.0 + 0.10 * (0.3 + depth) * grain[..., np.newaxis])
        mist = np.clip(1.0 - (rows - ridge) * np.float32(5.0), 0, 1)[..., np.newaxis] * np.float32(0.25 * (1 - depth))
        lay(canvas, (body + (low - body) * mist).astype(np.float32), np.clip((rows - ridge) / edge, 0, 1))

    if mood.water:
        shore = int(height * min(0.86, mood.horizon + 0.19))
        depth_rows = height - shore
        if 0 < depth_rows < shore:
            ripple = noise(chance, width, depth_rows, 40, 2)
            mirror = canvas[shore - depth_rows : shore][::-1]
            sheet = mirror * np.float32(0.72) + zenith * np.float32(0.22)
            canvas[shore:] = sheet * (np.float32(1) + np.float32(0.13) * ripple[..., np.newaxis])
    return canvas
