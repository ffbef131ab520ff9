"""The synthetic engine's tokenizer: words, cut into pieces of a few letters, and signs. The same count every time."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 5
"""Letters that one token holds at most."""
WINDOW = 77
"""Tokens that a prompt may have, with the two that mark its start and its end."""
TOKEN = re.compile(rf"\w{{1,{LONGEST}}}|[^\w\s]")


@dataclass(frozen=True, slots=True)
class SyntheticTokenCount:
    """See `engine.TokenCount`."""

    count: int
    max_length: int
    overflow_offset: int | None


def count_tokens(prompt: str) -> SyntheticTokenCount:
    """Counts as text encoders do: with the two marks; the first token that does not fit is where the end mark is."""
    starts = [found.start() for found in TOKEN.finditer(prompt)]
    count = len(starts) + 2
    return SyntheticTokenCount(count, WINDOW, starts[WINDOW - 2] if count > WINDOW else None)
