"""Extension schedulers: further samplers, each with a picture of its own, and none in another's place."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest

from local_dream_mockserver.mock.synthetic import SCHEDULERS, Pacing, SyntheticDescription, SyntheticEngine
from local_dream_mockserver.server.spec import component, synonyms
from tests.mockserver.live_server import events_of, serving, small

ADDED = component("GenerateRequest")["properties"]["scheduler"]["x-extension-values"]["schedulers"]


class Few(SyntheticEngine):
    """Has but one of them."""

    def describe(self) -> SyntheticDescription:
        return SyntheticDescription(schedulers=("dpm", "euler_a", "lcm"))


def statuses(client: httpx.Client, names: Sequence[str]) -> dict[str, int]:
    return {name: client.post("/generate", json=small(scheduler=name)).status_code for name in names}


def test_the_engine_has_all_of_the_contract() -> None:
    assert {*SCHEDULERS, *synonyms()} == {"dpm", "euler_a", *ADDED}


def test_each_gives_a_picture_of_its_own() -> None:
    with serving(SyntheticEngine(Pacing(first=0, step=0))) as client:
        answers = [client.post("/generate", json=small(scheduler=name, seed=1)).text for name in SCHEDULERS]
        assert len({events_of(answer)[-1]["image"] for answer in answers}) == len(SCHEDULERS)


def test_a_synonym_gives_the_same_picture() -> None:
    with serving(Few()) as client:
        answers = [client.post("/generate", json=small(scheduler=name, seed=1)).text for name in ("eulera", "euler_a")]
        assert len({events_of(answer)[-1]["image"] for answer in answers}) == 1


def test_one_that_the_engine_has_not_is_refused() -> None:
    with serving(Few()) as client:
        assert statuses(client, ["lcm", "euler"]) == {"lcm": 200, "euler": 400}
        message = client.post("/generate", json=small(scheduler="euler")).json()["error"]["message"]
        assert message == "scheduler: this engine has no euler; use one of dpm, euler_a, lcm"


def test_without_it_there_are_two() -> None:
    with serving(SyntheticEngine(), without=frozenset({"schedulers"})) as client:
        assert set(statuses(client, ADDED).values()) == {400}
        message = client.post("/generate", json=small(scheduler="lcm")).json()["error"]["message"]
        assert "one of dpm, euler_a, or" in message


@pytest.mark.parametrize("name", ["DPM", "ddim", ""])
def test_an_unknown_name_is_refused(name: str) -> None:
    with serving(SyntheticEngine()) as client:
        assert statuses(client, [name]) == {name: 400}
