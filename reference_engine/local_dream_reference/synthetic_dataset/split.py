"""The held-out combinations: which scenes training never sees.

The split is a pure function of the combination, so every process and every machine agrees on it without a file.
"""

from __future__ import annotations

import hashlib

import numpy as np

from local_dream_reference.synthetic_dataset.scene import Scene, Thing, sample_scene

SPLIT_SEED = 20261
HELD_OUT_SHARE = 0.1


def is_held_out_combination(thing: Thing, scene: Scene) -> bool:
    """Tell whether (kind, colour, ground, time of day) is one of the tenth of combinations kept for evaluation."""
    key = f"{SPLIT_SEED}/{thing.kind}/{thing.colour}/{scene.ground}/{scene.time}"
    digest = hashlib.sha256(key.encode()).digest()
    return int.from_bytes(digest[:4], "big") < HELD_OUT_SHARE * 2**32


def is_held_out(scene: Scene) -> bool:
    """Tell whether any thing of the scene is a held-out combination."""
    return any(is_held_out_combination(thing, scene) for thing in scene.things)


def sample_split(rng: np.random.Generator, *, held_out: bool) -> Scene:
    """Draw scenes until one lies on the asked side of the split."""
    while True:
        scene = sample_scene(rng)
        if is_held_out(scene) == held_out:
            return scene
