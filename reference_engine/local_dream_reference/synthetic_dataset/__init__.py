"""A small illustrated world: landscapes with an hour, a weather and a few coloured things, drawn and described by
code.
"""

from __future__ import annotations

from local_dream_reference.synthetic_dataset.grammar import describe
from local_dream_reference.synthetic_dataset.painter import Painting, paint
from local_dream_reference.synthetic_dataset.scene import Scene, Thing, sample_scene
from local_dream_reference.synthetic_dataset.split import is_held_out, sample_split

__all__ = ["Painting", "Scene", "Thing", "describe", "is_held_out", "paint", "sample_scene", "sample_split"]
