"""Checks of generations with an image that differ in one thing, and of three generations at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from local_dream_conformance.core.exchange import Request
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.run import suite
from tests.conformance import transcripts
from tests.conformance.in_memory_server import PLAIN, InMemoryServer, image64
from tests.conformance.transcripts import Pixels, answer, coded, picture, words

suite.load()
ALIVE = answer("health/get", 200, to=Request("GET", "/health"))
WRONG = (Verdict.FAIL, Verdict.WARN)
IDS = ["GEN-PIC-07", *(f"GEN-PIC-{number}" for number in ("09", 10, 12, 13, 16, 17, 20, 21, 24, 25))]
BLACK = coded(np.zeros((64, 128, 3), np.uint8), "png")
Fields = dict[str, Any]


def chain() -> dict[str, Fields]:
    """The requests of the scenario, by label."""
    fields: Fields = {**PLAIN, "image": image64(), "denoise_strength": 0.7}
    other: Fields = {"seed": 2**32 - fields["seed"], "image": coded(picture(128, 64, 98), "png")}
    found = {"chain/image": fields, "chain/seed": {**fields, "seed": other["seed"]}}
    found["chain/other-image"] = found["chain/no-mask"] = {**fields, **other}
    found["chain/mask"] = {**fields, **other, "mask": BLACK}
    found["chain/negative"] = {**fields, **other, "negative_prompt": "a green meadow"}
    found["chain/cfg"] = {**found["chain/negative"], "cfg": 12.0}
    found["chain/prompt"] = {**found["chain/cfg"], "prompt": "a green bicycle"}
    order = ("image", "seed", "other-image", "mask", "no-mask", "negative", "cfg", "prompt")
    return {f"chain/{name}": found[f"chain/{name}"] for name in order}


def broken(server: InMemoryServer) -> dict[str, str]:
    asked = {"base": {**PLAIN, "show_diffusion_process": True}, **chain()}
    run = [server.answer(label, fields) for label, fields in asked.items()]
    judgements = {id: transcripts.judge(id, ALIVE, *run) for id in IDS}
    return {id: words(found) for id, found in judgements.items() if found.verdict in WRONG}


def test_an_honest_server_breaks_nothing() -> None:
    assert broken(InMemoryServer()) == {}


@dataclass
class Remembering(InMemoryServer):
    """Paints `change` of what it is asked for, which gets the requests before."""

    change: Callable[[list[Fields], Fields], Mapping[str, Any]] = lambda before, meant: meant
    before: list[Fields] = field(default_factory=list)

    def _paint(self, meant: Mapping[str, Any]) -> Pixels:
        painted = super()._paint(self.change(self.before, dict(meant)))
        self.before.append(dict(meant))
        return painted


def cached(name: str) -> Callable[[list[Fields], Fields], Fields]:
    def change(before: list[Fields], meant: Fields) -> Fields:
        def rest(fields: Fields) -> Fields:
            return {other: value for other, value in fields.items() if other != name}

        return next((one for one in before if rest(one) == rest(meant)), meant)

    return change


def with_image(**always: Any) -> Callable[[list[Fields], Fields], Fields]:
    return lambda before, meant: {**meant, **always}


CHANGES: dict[str, tuple[Callable[[list[Fields], Fields], Fields], set[str], str]] = {
    "cached without the image": (cached("image"), {"GEN-PIC-24"}, "without regard to its image"),
    "cached without the mask": (cached("mask"), {"GEN-PIC-12", "GEN-PIC-25"}, "without regard to its mask"),
    "a black mask is none": (
        lambda before, meant: {**meant, "mask": None},
        {"GEN-PIC-12", "GEN-PIC-25"},
        "white nowhere is taken for none",
    ),
    "the mask before": (
        lambda before, meant: {
            **meant,
            "mask": meant.get("mask") or next((b["mask"] for b in before if "mask" in b), 0),
        },
        {"GEN-PIC-07", "GEN-PIC-16"},
        "the seed does not settle the picture",
    ),
    "no sign of the seed": (
        lambda before, meant: {**meant, "seed": min(meant["seed"], 2**32 - meant["seed"])},
        {"GEN-PIC-09"},
        "seed",
    ),
    "one prompt": (with_image(prompt="x"), {"GEN-PIC-10"}, "the prompt is ignored"),
    "no negative prompt": (with_image(negative_prompt=""), {"GEN-PIC-17"}, "negative_prompt is ignored"),
    "one cfg": (with_image(cfg=7.5), {"GEN-PIC-20"}, "cfg is ignored"),
}


@pytest.mark.parametrize(("change", "ids", "said"), CHANGES.values(), ids=CHANGES)
def test_what_an_image_makes_a_server_forget(
    change: Callable[[list[Fields], Fields], Fields], ids: set[str], said: str
) -> None:
    found = broken(Remembering(change=change))
    assert found.keys() == ids, found
    assert said in " ".join(found.values())


def test_pictures_that_are_their_image_tell_nothing_of_other_fields() -> None:
    found = broken(Remembering(change=with_image(denoise_strength=0)))
    assert found.keys() == {"GEN-PIC-16"}, found
