"""Direct tests on pixels: is the asked colour where it was asked for, and is the picture made of blocks where the style
of pixels was asked for, and only there? No network is involved.

A paint covers a pixel if their RGB values are nearer than :data:`NEAR`. Where the ground itself has a paint's colour
the test would see it everywhere, so it abstains (:func:`can_tell`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from local_dream_reference.synthetic_dataset.palette import PAINTS, THING_TINT, shade, tint
from local_dream_reference.synthetic_dataset.scene import PLACES
from local_dream_reference.synthetic_dataset.style import PIXEL_ROWS
from local_dream_reference.synthetic_dataset.things import PLACE_X

NEAR: Final = 42.0  # RGB distance
LEAST: Final = 0.015  # share of the window's pixels
BLOCKY: Final = 0.3  # most of all differences that lie within the middle halves of blocks; elsewhere it is half of them
_HALF_WINDOW: Final = 0.12  # of the width
_ALIKE: Final = {
    ("white", "snowfield"),
    ("purple", "lavender"),
    ("green", "meadow"),
    ("yellow", "desert"),
    ("blue", "sea"),
}


def can_tell(said: dict[str, str]) -> bool:
    """Tell whether a caption asks for one coloured thing at a place, of a colour that its surroundings do not have."""
    needed = ("first.colour", "first.place", "ground", "time")
    if (
        said.get("count") != "1"
        or any(name not in said for name in needed)
        or said.get("style", "illustration") != "illustration"
    ):
        return False
    # Clouds, flakes, foam, a moon, windows and stars are white; a rainbow has every colour.
    colour = said["first.colour"]
    return colour != "white" and (colour, said["ground"]) not in _ALIKE and said.get("weather", "rainbow") != "rainbow"


def colour_shares(rgb: NDArray[np.uint8], time: str) -> dict[str, dict[str, float]]:
    """Return place -> colour -> share of the pixels of the place's window that the paint covers at that hour."""
    width = rgb.shape[1]
    shares: dict[str, dict[str, float]] = {}
    for place in PLACES:
        left = round((PLACE_X[place] - _HALF_WINDOW) * width)
        window = rgb[:, left : round((PLACE_X[place] + _HALF_WINDOW) * width)].reshape(-1, 3).astype(np.float32)
        shares[place] = {}
        for name, paint in PAINTS.items():
            body = tint(paint, THING_TINT[time])
            near = np.zeros(len(window), dtype=bool)
            for colour in (body, shade(body, 0.74)):
                near |= np.linalg.norm(window - np.array(colour, dtype=np.float32), axis=1) < NEAR
            shares[place][name] = float(near.mean())
    return shares


def within_blocks(rgb: NDArray[np.uint8]) -> float:
    """Return the share of the differences between neighbouring pixels that lies in the middle halves of the style's
    blocks (64 rows of them), in both directions: about 0.5 where there are no blocks, 0 where all is blocks with sharp
    edges.
    """
    block = max(1, rgb.shape[0] // PIXEL_ROWS)
    inner = whole = 0.0
    for picture in (rgb, rgb.swapaxes(0, 1)):
        steps = np.abs(np.diff(picture.astype(np.float32), axis=0)).sum(axis=(1, 2))
        within = np.arange(1, len(picture)) % block
        inner += float(steps[(within > block / 4) & (within <= 3 * block / 4)].sum())
        whole += float(steps.sum())
    return inner / whole if whole else 0.5


def pixel_verdicts(said: dict[str, str], rgb: NDArray[np.uint8]) -> dict[str, bool]:
    """Tell what pixels can: the asked colour is there (``colour``), most of it at the asked place (``place``), and
    blocks are there just where the style of pixels was asked for (``style``)."""
    verdicts = {"style": (within_blocks(rgb) < BLOCKY) == (said["style"] == "pixel")} if "style" in said else {}
    return verdicts | (_of_colours(said, rgb) if can_tell(said) else {})


def _of_colours(said: dict[str, str], rgb: NDArray[np.uint8]) -> dict[str, bool]:
    shares = colour_shares(rgb, said["time"])
    colour, place = said["first.colour"], said["first.place"]
    # What a thing adds to its window: the land and the sky lie behind all three alike.
    added = {
        name: shares[place][name] - min(shares[other][name] for other in PLACES if other != place) for name in PAINTS
    }
    return {
        "colour": added[colour] >= LEAST and added[colour] == max(added.values()),
        "place": added[colour] >= LEAST and all(shares[place][colour] >= shares[other][colour] for other in PLACES),
    }
