"""Colours of the illustrated world, and what the hour does to them. RGB tuples of floats, 0..255."""

from __future__ import annotations

from typing import Final

RGB = tuple[float, float, float]

PAINTS: Final[dict[str, RGB]] = {
    "red": (222, 45, 45),
    "yellow": (250, 212, 40),
    "green": (40, 165, 75),
    "blue": (45, 100, 225),
    "purple": (150, 65, 190),
    "white": (246, 244, 240),
}

#: What the hour multiplies the land with. Things keep more of their colour than the land, so that words stay visible.
LAND_TINT: Final[dict[str, RGB]] = {"day": (1.0, 1.0, 1.0), "sunset": (0.98, 0.78, 0.72), "night": (0.36, 0.42, 0.62)}
THING_TINT: Final[dict[str, RGB]] = {"day": (1.0, 1.0, 1.0), "sunset": (0.98, 0.92, 0.89), "night": (0.76, 0.78, 0.88)}

#: Sky gradient, top to horizon.
SKY: Final[dict[str, tuple[RGB, RGB, RGB]]] = {
    "day": ((66, 148, 232), (128, 194, 246), (206, 234, 250)),
    "sunset": ((92, 66, 140), (236, 110, 96), (255, 206, 128)),
    "night": ((10, 14, 46), (22, 34, 84), (52, 72, 128)),
}

#: What a covered sky is mixed with, and how much of it.
COVER: Final[dict[str, tuple[RGB, float]]] = {
    "clear": ((255, 255, 255), 0.0),
    "rainbow": ((255, 255, 255), 0.05),
    "cloudy": ((188, 198, 208), 0.3),
    "rain": ((88, 98, 116), 0.68),
    "snow": ((196, 206, 220), 0.5),
}

GROUND_PAINT: Final[dict[str, tuple[RGB, RGB, RGB]]] = {
    "meadow": ((148, 200, 92), (112, 180, 74), (82, 154, 62)),
    "desert": ((244, 212, 142), (234, 190, 112), (218, 166, 88)),
    "snowfield": ((232, 240, 250), (220, 231, 246), (206, 220, 240)),
    "sea": ((52, 140, 186), (34, 112, 168), (236, 212, 160)),
    "lavender": ((184, 148, 214), (154, 112, 196), (124, 84, 172)),
}


def mix(first: RGB, second: RGB, share: float) -> RGB:
    """Blend ``share`` (0..1) of ``second`` into ``first``."""
    a, b, c = (x + (y - x) * share for x, y in zip(first, second, strict=True))
    return (a, b, c)


def tint(paint: RGB, factor: RGB) -> RGB:
    """Multiply channel by channel, clipped to 0..255."""
    a, b, c = (min(255.0, max(0.0, x * f)) for x, f in zip(paint, factor, strict=True))
    return (a, b, c)


def shade(paint: RGB, factor: float) -> RGB:
    """Darken (factor below 1) or lighten towards white (factor above 1)."""
    if factor <= 1.0:
        return tint(paint, (factor, factor, factor))
    return mix(paint, (255, 255, 255), factor - 1.0)


def solid(paint: RGB) -> tuple[int, int, int]:
    """Round to what Pillow draws with."""
    return (round(paint[0]), round(paint[1]), round(paint[2]))
