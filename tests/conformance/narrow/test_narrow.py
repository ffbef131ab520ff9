"""Each narrow server is found by the core profile, under the requirement of the form, and by nothing else.

A few of them are tried in every run of the tests; `python -m tests.conformance.narrow` tries all.
"""

from __future__ import annotations

import pytest

from local_dream_conformance.core.budget import Cost
from tests.conformance.narrow.judged import judged
from tests.conformance.narrow.server import narrow
from tests.conformance.narrow.spots import GENERATE, SPOTS, UPSCALE

ALWAYS = (
    *("content-type-absent", "prompt-quotes", "image-16-bit", "mask-rgba", "cfg-0", "width-alone", "mask-null"),
    *("upscale-of-one-row", "header-names-in-capitals", "json-slashes"),
)


@pytest.mark.parametrize("name", ALWAYS)
def test_a_narrow_server_is_found_and_its_form_named(name: str) -> None:
    id, bites = SPOTS[name]
    with narrow(bites, "/upscale" if name in UPSCALE else "/generate") as url:
        found = judged(url)
    assert id in found.broken
    assert found.named[id]
    assert found.blocked == ()
    assert found.cost.generations <= 8 + 9


def test_a_server_without_a_narrow_spot_costs_what_is_planned() -> None:
    with narrow(lambda came: False, "/generate") as url:
        found = judged(url)
    assert found.broken == ()
    assert found.cost == Cost(generations=8, upscales=5)


def test_a_bound_of_steps_is_found_where_they_cost_nothing() -> None:
    """At strength 0 on a server that leaves out steps by it: also where steps are slow, and few are asked for."""
    with narrow(GENERATE["steps-beyond-100"][1], "/generate") as url:
        found = judged(url)
    assert any(said.endswith("denoise_strength: 0 and steps: 250") for said in found.named["GEN-REQ-23"])
    with narrow(GENERATE["strength-0"][1], "/generate") as url:
        found = judged(url)
    assert any(said.endswith("denoise_strength: 0") for said in found.named["GEN-REQ-23"])


def test_two_narrow_spots_are_both_named() -> None:
    spots = [GENERATE["cfg-0"][1], GENERATE["mask-rgba"][1], GENERATE["prompt-quotes"][1]]
    with narrow(lambda came: any(bites(came) for bites in spots), "/generate") as url:
        found = judged(url)
    assert {"GEN-REQ-23", "GEN-REQ-26", "GEN-REQ-28"} <= set(found.broken)
    assert found.blocked == ()


def test_there_are_many_and_each_has_its_requirement() -> None:
    assert len(SPOTS) >= 60
    assert {id for id, _ in SPOTS.values()} >= {f"GEN-REQ-{number}" for number in range(23, 30)}
