"""A sheet of samples for the model card."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PIL import Image

from local_dream_reference.engine import ReferenceEngine
from local_dream_reference.evaluation.asking import Ask, draw
from local_dream_reference.training.samples import held_out_captions

SHEET: Final = "samples.jpg"
_COLUMNS, _ROWS, _TILE = 6, 4, 256
_SEED = 7003


def draw_sheet(engine: ReferenceEngine, path: Path) -> None:
    """Draw the first held-out captions of a fixed seed, none chosen by eye, each with the API's defaults."""
    side = engine.describe().native_size
    sheet = Image.new("RGB", (_COLUMNS * _TILE, _ROWS * _TILE))
    for number, caption in enumerate(held_out_captions(_SEED, _COLUMNS * _ROWS)):
        rgb = draw(engine, Ask(prompt=caption.text, seed=number, width=side, height=side))
        tile = Image.fromarray(rgb).resize((_TILE, _TILE), Image.Resampling.LANCZOS)
        sheet.paste(tile, (number % _COLUMNS * _TILE, number // _COLUMNS * _TILE))
    sheet.save(path, quality=80)
