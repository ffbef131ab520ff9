"""The reference engine: a small diffusers text-to-image model, its world, its training, and a 4x upscaler."""
