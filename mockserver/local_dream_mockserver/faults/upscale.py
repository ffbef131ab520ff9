"""What the files need that are still to become functions."""

from local_dream_mockserver.faults.effects.upscale import rgb_of, saved

__all__ = ["rgb_of", "saved"]
