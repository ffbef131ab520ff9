"""Benchmarks run as commands: what they convert is in the cache of the engine's tests, not the user's."""

from tests.reference_engine.conftest import cache

__all__ = ["cache"]
