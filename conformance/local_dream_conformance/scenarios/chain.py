"""Generations with an image, each of which differs from the one before it in one thing.

What a server leaves out of the way of an image, keys a cache without, or keeps of the request before, shows in the one
generation whose picture does not follow the change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.fields import max_seed
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.selectors import picture
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.drafts import Draft
from local_dream_conformance.scenarios.forms import Change, changes, spelt
from local_dream_conformance.scenarios.narrowing import Planned, served
from local_dream_conformance.scenarios.picture_files import PictureFile
from local_dream_conformance.scenarios.scenario import Scenario, no_img2img
from local_dream_conformance.scenarios.spelling import SPELT
from local_dream_conformance.scenarios.test_images import card

STRENGTH = 0.7
"""A strength that leaves something of the image, and those early steps in which some models alone are guided."""
HIGH_CFG = 10.8
SIGNS = ", caf\u00e9 \U0001f3e0"
"""What takes several bytes, between which a body can be cut."""


def _chain(target: Target) -> Iterator[Exchange]:
    """Eight generations with an image: another seed, another image, a mask without white, none again, another negative
    prompt, another cfg, another prompt.

    The seed is that which has the same amount as the first where it is read as signed. The mask keeps all of the image,
    and the request without it is that before it once more, chunked in the middle of a character. The last prompt is the
    one before it twice, the second time on a line of its own. Nothing more is sent where the first gives no picture.
    """
    draft = _first(target.settings)
    for label, change in _changes(target.settings).items():
        forms: dict[str, Change] = dict(spelt(label)) if label in SPELT else {}
        if label == "chain/no-mask":
            forms |= changes("chunked", "json-raw", "chunk-torn")
        if label == "chain/mask":
            forms |= {"mask-black": change, "mask-transparent": partial(_transparent, change)}
        else:
            draft = change(draft)
        *probes, shown = served(target, label, Planned(draft, forms))
        yield from (*probes, shown)
        if label == "chain/image" and picture(generation(shown)) is None:
            return


def _transparent(change: Change, draft: Draft) -> Draft:
    return (draft if draft.mask else change(draft)).masked(colour="rgba", transparent=True)


def _first(settings: Settings) -> Draft:
    fields = {**requests.plain(settings), "denoise_strength": STRENGTH}
    fields["steps"] = settings.steps or requests.FEWEST_STEPS + 1
    fields["prompt"] += SIGNS
    return Draft(fields, image=PictureFile(card(*requests.size(settings))))


def _changes(settings: Settings) -> dict[str, Change]:
    """What each generation changes of the one before it."""
    width, height = requests.size(settings)
    mirrored = np.ascontiguousarray(card(width, height)[:, ::-1])
    black = np.zeros((height, width), np.bool_)
    return {
        "chain/image": lambda draft: draft,
        "chain/seed": lambda draft: draft.with_fields(seed=max_seed() + 1 - requests.seed(settings)),
        "chain/other-image": lambda draft: draft.imaged(pixels=mirrored),
        "chain/mask": lambda draft: replace(draft, mask=PictureFile(black)),
        "chain/no-mask": lambda draft: draft,
        "chain/negative": lambda draft: draft.with_fields(negative_prompt=requests.NEGATIVE),
        "chain/cfg": lambda draft: draft.with_fields(cfg=HIGH_CFG),
        "chain/prompt": lambda draft: draft.prompted("\n" + draft.fields["prompt"]),
    }


SCENARIO = Scenario("chain", Cost(generations=8), _chain, after=("base",), available=no_img2img)
