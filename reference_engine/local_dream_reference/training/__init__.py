"""Training of the text-to-image model: ``python -m local_dream_reference.training --help``."""
