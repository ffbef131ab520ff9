"""An engine that tells which process it is. Replicas load it by name, and tests end its process."""

from __future__ import annotations

import os
from collections.abc import Mapping

from local_dream_mockserver.mock.synthetic import SyntheticEngine
from local_dream_mockserver.mock.synthetic import create as create_synthetic
from local_dream_mockserver.mock.synthetic_tokens import SyntheticTokenCount


class MortalEngine(SyntheticEngine):
    """The prompt "who" counts as many tokens as its process's id."""

    def tokenize(self, prompt: str) -> SyntheticTokenCount:
        return SyntheticTokenCount(os.getpid(), 77, None) if prompt == "who" else super().tokenize(prompt)


def create(options: Mapping[str, str]) -> MortalEngine:
    """The entry point; options as those of the synthetic engine."""
    return MortalEngine(create_synthetic(options)._pacing)
