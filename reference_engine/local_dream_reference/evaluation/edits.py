"""What a negative prompt, an input picture and a mask do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from local_dream_reference.engine import ReferenceEngine
from local_dream_reference.evaluation.asking import Ask, Rgb, as_tensor, draw
from local_dream_reference.synthetic_dataset import lexicon
from local_dream_reference.synthetic_dataset.scene import COLOURS, KINDS
from local_dream_reference.training.attribute_classifier import AttributeClassifier, Sight, look
from local_dream_reference.training.drawings import Drawings, generator

_SEED = 7002
_STRENGTHS = (0.2, 0.4, 0.6, 0.8, 1.0)
#: Attribute values that a prompt may leave open and that a negative prompt can name.
_REMOVABLE = {"time": ("day", "night", "sunset"), "ground": ("meadow", "sea")}
"""What comes by itself, and is a picture of another kind without it."""


@dataclass(frozen=True, slots=True)
class Edits:
    """What was measured.

    Attributes:
        removed: share of pictures that lost what the negative prompt named, of those that showed it without.
        removed_of: how many those are.
        distances: strength -> mean absolute difference to the input picture, 0..255.
        monotone: share of input pictures for which the difference grows with every strength.
        kept: largest mean absolute difference (0..255) outside a mask, over all pictures.
        changed: mean absolute difference inside the mask.
    """

    removed: float
    removed_of: int
    distances: dict[float, float]
    monotone: float
    kept: float
    changed: float


def measure_edits(engine: ReferenceEngine, judge: AttributeClassifier, *, count: int, steps: int = 20) -> Edits:
    """Measure with ``count`` negative prompts and a quarter as many input pictures."""
    removed, removed_of = _negative(engine, judge, count, steps)
    inputs = max(2, count // 4)
    distances, monotone = _strengths(engine, inputs, steps)
    kept, changed = _masks(engine, inputs, steps)
    return Edits(removed, removed_of, distances, monotone, kept, changed)


def _shown(sight: Sight) -> list[tuple[str, str]]:
    return [(name, sight.scene[name]) for name, values in _REMOVABLE.items() if sight.scene[name] in values]


def _negative(engine: ReferenceEngine, judge: AttributeClassifier, count: int, steps: int) -> tuple[float, int]:
    """Draw prompts that say nothing of the scene, then name in the negative prompt something that came by itself."""
    rng, side = generator(_SEED, "negative", 0), engine.describe().native_size
    gone, tried = 0, 0
    for number in tqdm(range(4 * count), desc="negative prompts", leave=False):
        if tried == count:
            break
        colour, kind = COLOURS[int(rng.integers(len(COLOURS)))], KINDS[int(rng.integers(len(KINDS)))]
        plain = Ask(prompt=f"a {colour} {kind}", seed=number, width=side, height=side, steps=steps)
        shown = _shown(look(judge, as_tensor(draw(engine, plain)))[0])
        if not shown:
            continue
        name, value = shown[int(rng.integers(len(shown)))]
        words = ", ".join(lexicon.SCENE_WORDS[name][value].tags[:2])
        against = Ask(prompt=plain.prompt, negative_prompt=words, seed=number, width=side, height=side, steps=steps)
        gone += look(judge, as_tensor(draw(engine, against)))[0].scene[name] != value
        tried += 1
    return gone / max(1, tried), tried


def _inputs(side: int, count: int) -> list[tuple[Rgb, str]]:
    drawings = Drawings("evaluation inputs", (side, side), seed=_SEED, held_out=True)
    return [(drawings[index].picture, drawings[index].caption.text) for index in range(count)]


def _strengths(engine: ReferenceEngine, count: int, steps: int) -> tuple[dict[float, float], float]:
    side = engine.describe().native_size
    rows = []
    for number, (picture, text) in enumerate(tqdm(_inputs(side, count), desc="strengths", leave=False)):
        asks = [
            Ask(prompt=text, seed=number, image=picture, denoise_strength=s, width=side, height=side, steps=steps)
            for s in _STRENGTHS
        ]
        rows.append([_distance(draw(engine, ask), picture) for ask in asks])
    table = np.array(rows)
    growing = (np.diff(table, axis=1) > 0).all(axis=1)
    return dict(zip(_STRENGTHS, table.mean(axis=0).tolist(), strict=True)), float(growing.mean())


def _masks(engine: ReferenceEngine, count: int, steps: int) -> tuple[float, float]:
    side = engine.describe().native_size
    mask = np.zeros((side, side), dtype=np.uint8)
    mask[side // 4 : 3 * side // 4, side // 4 : 3 * side // 4] = 255
    kept, changed = [], []
    for number, (picture, _) in enumerate(tqdm(_inputs(side, count), desc="masks", leave=False)):
        result = draw(
            engine,
            Ask(
                prompt="a large red house", seed=number, image=picture, mask=mask, denoise_strength=1.0,
                width=side, height=side, steps=steps,
            ),
        )  # fmt: skip
        kept.append(_distance(result[mask == 0], picture[mask == 0]))
        changed.append(_distance(result[mask > 0], picture[mask > 0]))
    return float(max(kept)), float(np.mean(changed))


def _distance(first: Rgb, second: Rgb) -> float:
    return float(np.abs(first.astype(np.float32) - second.astype(np.float32)).mean())
