"""Training of the text-to-image model: ``python -m reference_engine.training --help``."""
