"""The model card beside the weights: prose from a template, figures only from commands that measured them.

The template has blocks between ``<!-- measured: NAME -->`` and ``<!-- end: NAME -->``. The export fills
``training``, the evaluation fills ``evaluation``; nobody types a figure.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

CARD: Final = "README.md"
_TEMPLATE: Final = Path(__file__).parent / "model_card_template.md"


def fill(folder: Path, block: str, text: str) -> Path:
    """Put ``text`` into a block of the card in ``folder``, which is made from the template if it is not there yet."""
    card = folder / CARD
    content = card.read_text() if card.exists() else _TEMPLATE.read_text()
    pattern = re.compile(rf"(<!-- measured: {block} -->\n).*?(<!-- end: {block} -->)", re.DOTALL)
    filled, count = pattern.subn(lambda match: f"{match[1]}{text.strip()}\n{match[2]}", content)
    if count != 1:
        raise ValueError(f"{card}: expected one block {block!r} between its two comments, found {count}")
    card.write_text(filled)
    return card
