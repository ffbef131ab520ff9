"""Checks of generations with an image that differ in one thing, and of three generations at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from local_dream_conformance.core.exchange import End, Exchange, Request
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.run import suite
from tests.conformance import transcripts
from tests.conformance.in_memory_server import PLAIN, InMemoryServer, image64
from tests.conformance.transcripts import Pixels, answer, coded, generation, picture, progress, refusal, stream, words

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


# Three at once

FIRST = generation("queue/first", picture(seed=1), fields={**PLAIN, "steps": 9}, started=10.0, gap=0.5)
LEFT = answer("queue/left", None, to=FIRST.request, started=10.2, took=0.4, end=End.HUNG_UP)
THIRD = generation("queue/third", picture(seed=2), fields=PLAIN, started=10.4, gap=0.5)
SECOND = [
    generation("overlap/first", picture(seed=3), fields={**PLAIN, "prompt": "two cats"}, started=1.0),
    generation("overlap/second", picture(seed=4), fields={**PLAIN, "seed": 8}, started=1.1),
]
HELD: dict[str, tuple[list[Exchange], Verdict, str]] = {
    "all served": ([FIRST, LEFT, THIRD], Verdict.PASS, ""),
    "busy": ([FIRST, LEFT, refusal("queue/third-busy", 503, started=10.4), THIRD], Verdict.PASS, ""),
    "busy all along": ([FIRST, LEFT, refusal("queue/third", 503, started=10.4)], Verdict.PASS, ""),
    "refused": ([FIRST, LEFT, refusal("queue/third", 500, started=10.4)], Verdict.WARN, "status 500"),
    "silent": (
        [FIRST, LEFT, answer("queue/third", None, to=FIRST.request, started=10.4, end=End.IDLE_TIMEOUT)],
        Verdict.WARN,
        "keeps the queue from going on?",
    ),
    "not ended": (
        [FIRST, LEFT, stream("queue/third", [progress(1, 4)], fields=PLAIN, started=10.4, end=End.IDLE_TIMEOUT)],
        Verdict.WARN,
        "without complete",
    ),
    "too late": ([FIRST, LEFT, replace(THIRD, started=20.0)], Verdict.NOT_APPLICABLE, "too fast"),
    "alone": ([refusal("queue/first", 500)], Verdict.UNTESTED, "did not stream"),
}


@pytest.mark.parametrize(("exchanges", "verdict", "said"), HELD.values(), ids=HELD)
def test_a_third_generation_beside_one_that_is_left(exchanges: list[Exchange], verdict: Verdict, said: str) -> None:
    judgement = transcripts.judge("ROB-13", ALIVE, generation("base"), *SECOND, *exchanges)
    assert judgement.verdict is verdict, words(judgement)
    assert said in words(judgement) + judgement.reason
    assert len(judgement.findings) == (verdict is Verdict.WARN)
