"""Measures what the model does of what it is asked: ``python -m reference_engine.evaluation``."""
