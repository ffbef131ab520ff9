"""Does the picture show what the prompt says? Prompts describe combinations that training never showed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from local_dream_reference.engine import ReferenceEngine
from local_dream_reference.evaluation.asking import Ask, as_tensor, draw
from local_dream_reference.evaluation.pixels import pixel_verdicts
from local_dream_reference.synthetic_dataset.grammar import describe
from local_dream_reference.synthetic_dataset.split import sample_split
from local_dream_reference.training.attribute_classifier import AttributeClassifier, compare, look, shares, verdicts
from local_dream_reference.training.drawings import Drawings, generator

_SEED = 7001


@dataclass(frozen=True, slots=True)
class Adherence:
    """Shares of right answers, 0..1.

    Attributes:
        judge: what the judge says of held-out drawings, per attribute: its own accuracy.
        pixels_on_drawings: the same for the pixel tests, which need no training.
        by_cfg: cfg -> attribute -> share, as the judge sees it; ``all`` is every attribute of a prompt at once.
        pixels: attribute -> share at the first cfg, by the pixel tests.
    """

    judge: dict[str, float]
    pixels_on_drawings: dict[str, float]
    by_cfg: dict[float, dict[str, float]]
    pixels: dict[str, float]


def measure_adherence(
    engine: ReferenceEngine,
    judge: AttributeClassifier,
    *,
    count: int,
    cfgs: tuple[float, ...] = (7.5, 1.0),
    steps: int = 20,
) -> Adherence:
    """Draw ``count`` held-out prompts at each cfg and judge them."""
    side = engine.describe().native_size
    own, own_pixels = _drawings(judge, side, max(count, 50))
    rng = generator(_SEED, "evaluation captions", 0)
    captions = [describe(sample_split(rng, held_out=True), rng) for _ in range(count)]
    by_cfg: dict[float, dict[str, float]] = {}
    pixels: dict[str, float] = {}
    for cfg in cfgs:
        results, direct = [], []
        for number, caption in enumerate(tqdm(captions, desc=f"held-out prompts, cfg {cfg}", leave=False)):
            rgb = draw(engine, Ask(prompt=caption.text, seed=number, cfg=cfg, width=side, height=side, steps=steps))
            results.append(verdicts(caption.said, look(judge, as_tensor(rgb))[0]))
            if cfg == cfgs[0]:
                direct.append(pixel_verdicts(caption.said, rgb))
        by_cfg[cfg] = shares(results)
        pixels = pixels or shares([told for told in direct if told])
    return Adherence(own, own_pixels, by_cfg, pixels)


def _drawings(judge: AttributeClassifier, side: int, count: int) -> tuple[dict[str, float], dict[str, float]]:
    drawings = Drawings("evaluation drawings", (side, side), seed=_SEED, held_out=True)
    results, direct = [], []
    for index in tqdm(range(count), desc="held-out drawings", leave=False):
        drawing = drawings[index]
        results.append(compare(drawing.scene, look(judge, as_tensor(drawing.picture))[0]))
        direct.append(pixel_verdicts(drawing.caption.said, np.asarray(drawing.picture)))
    return shares(results), shares([told for told in direct if told])
