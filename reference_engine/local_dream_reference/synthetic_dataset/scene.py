"""What a picture of the illustrated world shows: the scene and its attributes.

A :class:`Scene` is the whole truth about a drawing as far as words can name it. Everything else (the shape of a hill,
where exactly a cloud hangs) is left to the painter's own random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

TIMES: Final = ("day", "sunset", "night")
WEATHERS: Final = ("clear", "cloudy", "rain", "snow", "rainbow")
GROUNDS: Final = ("meadow", "desert", "snowfield", "sea", "lavender")
BACKDROPS: Final = ("open", "mountains", "pines")
LIGHTS: Final = ("none", "left", "right")
STYLES: Final = ("illustration", "pastel", "pixel", "poster")
KINDS: Final = ("house", "tree", "boat", "car", "balloon")
COLOURS: Final = ("red", "yellow", "green", "blue", "purple", "white")
SIZES: Final = ("small", "large")
PLACES: Final = ("left", "centre", "right")

#: The scene-wide attributes and their values, in the order that the judge's heads and the reports use.
ATTRIBUTES: Final[dict[str, tuple[str, ...]]] = {
    "time": TIMES,
    "weather": WEATHERS,
    "ground": GROUNDS,
    "backdrop": BACKDROPS,
    "light": LIGHTS,
    "style": STYLES,
}


@dataclass(frozen=True, slots=True)
class Thing:
    """One object of the scene. ``place`` is a third of the picture's width; no two things share one."""

    kind: str
    colour: str
    size: str
    place: str


@dataclass(frozen=True, slots=True)
class Scene:
    """All attributes of one picture. ``light`` is the side where the sun (at night the moon) stands."""

    time: str
    weather: str
    ground: str
    backdrop: str
    light: str
    style: str
    things: tuple[Thing, ...]

    def at(self, place: str) -> Thing | None:
        """Return the thing that stands at ``place``, or None."""
        return next((thing for thing in self.things if thing.place == place), None)


def _choose(rng: np.random.Generator, values: tuple[str, ...], weights: tuple[float, ...] | None = None) -> str:
    if weights is None:
        return values[int(rng.integers(len(values)))]
    return values[int(rng.choice(len(values), p=weights))]


def sample_scene(rng: np.random.Generator) -> Scene:
    """Draw a scene. Boats only sail on the sea, a rainbow needs daylight, rain and snow hide the sun."""
    time = _choose(rng, TIMES, (0.45, 0.28, 0.27))
    weather = _choose(rng, WEATHERS, (0.32, 0.2, 0.16, 0.17, 0.15))
    if weather == "rainbow" and time == "night":
        weather = _choose(rng, ("clear", "cloudy"))
    ground = _choose(rng, GROUNDS, (0.22, 0.18, 0.18, 0.26, 0.16))
    backdrop = _choose(rng, BACKDROPS, (0.4, 0.35, 0.25))
    style = _choose(rng, STYLES, (0.67, 0.11, 0.11, 0.11))
    things = _sample_things(rng, ground)
    return Scene(time, weather, ground, backdrop, _sample_light(rng, weather, things), style, things)


def _sample_light(rng: np.random.Generator, weather: str, things: tuple[Thing, ...]) -> str:
    if weather in ("rain", "snow"):
        return "none"
    # A balloon in front of the sun would make the attribute invisible.
    taken = {thing.place for thing in things if thing.kind == "balloon"}
    free = tuple(side for side in LIGHTS if side not in taken)
    return _choose(rng, free)


def _sample_things(rng: np.random.Generator, ground: str) -> tuple[Thing, ...]:
    layout = _choose(rng, ("one", "empty", "two alike", "three alike", "two kinds"), (0.64, 0.05, 0.1, 0.07, 0.14))
    if layout == "empty":
        return ()
    kinds = KINDS if ground == "sea" else tuple(kind for kind in KINDS if kind != "boat")
    # Boats can only be learned at sea: they get half of what stands there.
    kind = "boat" if ground == "sea" and rng.random() < 0.4 else _choose(rng, kinds)
    colour = _choose(rng, COLOURS)
    size = _choose(rng, SIZES)
    if layout == "one":
        return (Thing(kind, colour, size, _choose(rng, PLACES)),)
    if layout == "two alike":
        return tuple(Thing(kind, colour, size, place) for place in ("left", "right"))
    if layout == "three alike":
        return tuple(Thing(kind, colour, "small", place) for place in PLACES)
    other = _choose(rng, tuple(k for k in kinds if k != kind))
    return (
        Thing(kind, colour, size, "left"),
        Thing(other, _choose(rng, tuple(c for c in COLOURS if c != colour)), _choose(rng, SIZES), "right"),
    )
