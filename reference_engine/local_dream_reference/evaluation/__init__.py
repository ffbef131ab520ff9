"""Measures what the model does of what it is asked: ``python -m local_dream_reference.evaluation``."""
