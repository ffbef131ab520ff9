"""A small illustrated world: landscapes with an hour, a weather and a few coloured things, drawn and described by
code.
"""

from __future__ import annotations

from reference_engine.world.grammar import describe
from reference_engine.world.painter import Painting, paint
from reference_engine.world.scene import Scene, Thing, sample_scene
from reference_engine.world.split import is_held_out, sample_split

__all__ = ["Painting", "Scene", "Thing", "describe", "is_held_out", "paint", "sample_scene", "sample_split"]
