"""``<lora:NAME:WEIGHT>`` in a prompt, as people type it: taken out of the text, and read."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

Marks: TypeAlias = tuple[tuple[str, float], ...]
"""Names of LoRA files with their weights, in the order of the prompt."""
MARK: Final = re.compile(r"<lora:([^:<>]{1,200})(?::([+-]?(?:\d{1,6}(?:\.\d{0,9})?|\.\d{1,9})))?(?::[^<>]{0,200})?>")


def marks_of(prompt: str) -> Marks:
    """The marks of a prompt; one without a weight weighs 1. The last mark of a name counts."""
    found = {match[1].strip(): float(match[2] or 1) for match in MARK.finditer(prompt)}
    return tuple(found.items())


def without_marks(prompt: str) -> str:
    """The prompt as the text encoder is to read it."""
    return MARK.sub("", prompt)
