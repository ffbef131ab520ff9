"""The scenarios: what they cost, and what they send to an honest server."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from local_dream_conformance import scenarios
from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import End, Exchange, Transcript
from local_dream_conformance.core.extension import Declared
from local_dream_conformance.core.fields import documented
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.images import pixels_of
from local_dream_conformance.evidence.selectors import pictured_fields
from local_dream_conformance.evidence.spending import spent_on
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import SCENARIOS
from local_dream_conformance.scenarios.forms import FORMS, MANY_STEPS, forms_of
from local_dream_conformance.scenarios.requests import DEFAULTS, without
from local_dream_conformance.scenarios.spelling import PARAMETERS, PLAIN, SPELT
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.config import ServerSettings
from tests.conformance.scenarios.running import (
    CORE,
    DECLARATIONS,
    DECLARED,
    EVERY,
    EXTENSIONS,
    QUICK,
    cost_of,
    run,
    sent,
)
from tests.mockserver.live_server import running
from tests.scenarios_page.page import PAGE, page


def test_the_plan_costs_no_more_than_promised() -> None:
    core, every = cost_of(CORE), cost_of(EVERY)
    assert (core.generations, core.upscales) == (8, 5)
    assert (every.generations, every.upscales) == (27, 5)
    extensions = cost_of(EXTENSIONS)
    assert (extensions.generations, extensions.upscales) == (4, 1)
    declared = Settings(url="http://x", extensions=(Declared("schedulers", ("euler", "lcm")),))
    assert SCENARIOS["schedulers"].priced(declared).cost == Cost(generations=2)
    assert SCENARIOS["base"].priced(declared) == SCENARIOS["base"]


def test_the_registry_is_in_order_and_described() -> None:
    for place, (name, scenario) in enumerate(SCENARIOS.items()):
        assert scenario.name == name
        assert set(scenario.after) <= set(list(SCENARIOS)[:place])
        assert scenario.run.__doc__


def test_what_is_not_available() -> None:
    bare = Settings(url="http://x", img2img=False)
    lacking = {name for name, scenario in SCENARIOS.items() if scenario.available(bare)}
    assert lacking == {
        "refuse-image",
        "chain",
        "strength",
        "upscale",
        "cors-upscale",
        *DECLARED,
        "destructive",
    }
    given: dict[str, Any] = {"upscaler_path": "p", "control_url": "http://x:1", "destructive": True}
    full = Settings(url="http://x", extensions=DECLARATIONS, **given)
    assert SCENARIOS["size"].available(Settings(url="http://x", size=(512, 512)))
    assert not any(scenario.available(full) for scenario in SCENARIOS.values())


# At an honest server


@pytest.fixture(scope="module")
def honest() -> Iterator[str]:
    engine = SyntheticEngine(Pacing(step=0.02))
    with running(create_app(engine, ServerSettings())) as url:
        yield url


@pytest.fixture(scope="module")
def whole(honest: str) -> Mapping[str, Exchange]:
    """A whole run, with the promise about its cost checked scenario by scenario."""
    done: dict[str, Transcript] = {}
    settings = Settings(url=honest, profile="hardened", upscaler_path="default", destructive=True, **QUICK)
    target = Target(settings, done.__getitem__, cost_of=spent_on)
    for name in EVERY:
        before = target.spent
        done[name] = Transcript(name, tuple(SCENARIOS[name].run(target)))
        left = Cost(generations=int(name == "queue"))  # one of its clients hangs up before it has its turn
        assert target.spent + left == before + SCENARIOS[name].cost, name
    return {e.label: e for transcript in done.values() for e in transcript.exchanges}


def test_labels_belong_to_their_scenario(whole: Mapping[str, Exchange]) -> None:
    assert {label.partition("/")[0] for label in whole} == set(EVERY)


def test_the_page_of_scenarios_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "docs/scenarios.md is stale; run python -m tests.scenarios_page"


def test_labels_of_refusals_are_described() -> None:
    """Those that an honest server never causes: those of busy servers, and of one that a hang-up spoils."""
    folder = Path(scenarios.__file__ or "").parent
    found = {
        label
        for path in folder.glob("*.py")
        for label in re.findall(r'labelled\(exchange, "([a-z/-]+)"', path.read_text(encoding="utf-8"))
    }
    assert len(found) == 4
    for label in found:
        name, _, part = label.partition("/")
        assert part in (SCENARIOS[name].run.__doc__ or ""), label


def test_an_honest_server_refuses_what_must_be_refused(whole: Mapping[str, Exchange]) -> None:
    prefixes = ("refuse/", "refuse-image/", "range/", "upscale-refuse/", "upscale-range/", "hostile/")
    for label, exchange in whole.items():
        if label.endswith("/health") or label.startswith("health/get"):
            assert exchange.status == 200, label
        elif label.startswith(prefixes) and not label.endswith("-cut"):
            assert exchange.status == 400, label
            assert exchange.end is End.COMPLETE


def test_an_honest_server_serves_what_must_be_served(whole: Mapping[str, Exchange]) -> None:
    for label in (
        *("base", "defaults/absent", "defaults/explicit", "strength/low", "hang-up/next", "overlap/first"),
        *("overlap/second", "nulls", "negative", "edges/seed-max", "edges/seed-next", "huge-prompt"),
        *(label for label in whole if label.startswith("chain/")),
        *("queue/first", "queue/third"),
    ):
        assert generation(whole[label]).complete, label
        assert not generation(whole[label]).problems
    assert all(exchange.status == 200 for label, exchange in whole.items() if label.startswith("upscale/"))
    assert not [label for label in whole if "bisect" in label]


def test_runs_that_are_compared_differ_in_what_they_say(whole: Mapping[str, Exchange]) -> None:
    base = sent(whole["base"])
    again = ("show_diffusion_process", "negative_prompt")
    assert without(sent(whole["negative"]), *again) == without(base, *again)
    first, second = sent(whole["overlap/first"]), sent(whole["overlap/second"])
    assert first == {**base, "prompt": first["prompt"], "show_diffusion_stride": 2}
    assert first["prompt"] != base["prompt"]
    assert {name: second[name] for name in ("prompt", "steps", "width", "height")}.items() <= base.items()
    assert second["seed"] - base["seed"] == 2**31
    largest = sent(whole["edges/seed-max"])
    same = without(largest, "seed", "image", "mask", "use_opencl", "show_diffusion_process")
    assert largest["seed"] - sent(whole["edges/seed-next"])["seed"] == 1
    assert without(sent(whole["edges/seed-next"]), "seed", "image", "mask") == same
    assert without(sent(whole["fields/scheduler"]), "seed", "image", "mask") == {**same, "scheduler": "euler_a"}
    for label in ("edges/seed-next", "fields/scheduler"):
        for name in ("image", "mask"):
            one, other = (pixels_of(base64.b64decode(body[name])) for body in (largest, sent(whole[label])))
            assert np.array_equal(one, other)
    assert second["show_diffusion_stride"] == 0
    assert "use_cfg" in second
    explicit, absent = sent(whole["defaults/explicit"]), sent(whole["defaults/absent"])
    assert set(absent) == {"prompt", "image", "mask"}
    complete = generation(whole["defaults/absent"]).complete
    assert complete
    reported = {"seed": complete.payload["seed"]}
    assert explicit == {**DEFAULTS, **absent, **reported, "image": explicit["image"], "mask": explicit["mask"]}
    for name in ("image", "mask"):
        assert explicit[name] != absent[name]
        one, other = (pixels_of(base64.b64decode(body[name])) for body in (explicit, absent))
        assert np.array_equal(one, other)
    low = sent(whole["strength/low"])
    assert (low["denoise_strength"], low["steps"], low["seed"]) == (0, MANY_STEPS, 0)
    assert base64.b64decode(low["image"]).startswith(b"\xff\xd8\xff")
    assert {"scheduler": "euler_a", "denoise_strength": 1}.items() <= sent(whole["hang-up/next"]).items()
    nulls = sent(whole["nulls"])
    needed = {"prompt", "seed", "steps", "width", "height"}
    assert {name for name in nulls if nulls[name] is None} == set(documented()) - needed


def test_each_generation_of_the_chain_differs_from_the_one_before_in_one_thing(whole: Mapping[str, Exchange]) -> None:
    chain = [label for label in whole if label.startswith("chain/")]
    asked = [pictured_fields(whole[label].request) for label in chain]
    differ = [{name for name in {*one, *other} if one.get(name) != other.get(name)} for one, other in pairwise(asked)]
    assert differ == [{"seed"}, {"image"}, {"mask"}, {"mask"}, {"negative_prompt"}, {"cfg"}, {"prompt"}]
    assert chain[0] == "chain/image"
    assert asked[2] == asked[4]
    assert asked[0]["seed"] + asked[1]["seed"] == 2**32
    prompts = [fields["prompt"] for fields in asked]
    assert prompts[-1].split("\n") == [prompts[0]] * 2
    assert not whole["chain/no-mask"].request.body.isascii()
    assert not pixels_of(base64.b64decode(asked[3]["mask"])).any()


def test_the_second_of_three_is_left_while_the_first_runs(whole: Mapping[str, Exchange]) -> None:
    first, left, third = (whole[f"queue/{name}"] for name in ("first", "left", "third"))
    assert left.end is End.HUNG_UP
    assert first.started < left.started < third.started < left.started + left.ended_at
    assert third.started < first.started + first.ended_at
    assert len({sent(exchange)["steps"] for exchange in (first, left, third)}) == 3
    assert pictured_fields(third.request) == pictured_fields(whole["base"].request, without=("seed",))
    assert "seed" not in sent(first)
    assert "seed" in sent(left)
    assert len(generation(first).previews) >= 11


def test_every_form_is_sent_and_most_pairs_of_them(whole: Mapping[str, Exchange]) -> None:
    """Every form of the catalogue is in some request of the plan, and those of the core alone are told apart.

    Strength 0 alone is what servers are asked for that do not leave out steps, or do not take it with many.
    """
    carried = [set(forms_of(exchange)) for exchange in whole.values() if forms_of(exchange)]
    assert set.union(*carried) == set(FORMS) - {"strength-zero"}
    core = {name for label, e in whole.items() if label.partition("/")[0] in CORE for name in forms_of(e)}
    only_hardened = set(FORMS) - core
    assert len(only_hardened) < len(FORMS) // 8, only_hardened
    together = {frozenset(pair) for names in carried for pair in combinations(sorted(names), 2)}
    assert len(together) > 800


def test_a_request_is_spelt_in_every_way_and_in_as_many_pairs_of_ways_as_can_be(whole: Mapping[str, Exchange]) -> None:
    """Of the rows that are really sent: every value, in core too, and of two parameters a pair in every row, or all."""
    rows = {
        label: {name: next((v for v in values if v in forms_of(whole[label])), PLAIN) for name, values in ways.items()}
        for ways in (PARAMETERS,)
        for label in SPELT
    }
    assert {label: {value for value in row.values() if value} for label, row in rows.items()} == {
        label: set(forms.split()) for label, forms in SPELT.items()
    }
    core = [row for label, row in rows.items() if label.partition("/")[0] in CORE]
    for name, values in PARAMETERS.items():
        assert {row[name] for row in core} == set(values), name
    for one, other in combinations(PARAMETERS, 2):
        seen = {(row[one], row[other]) for row in rows.values()}
        assert len(seen) == min(len(rows), len(PARAMETERS[one]) * len(PARAMETERS[other])), (one, other)


def test_oddities_of_transport_are_really_sent(whole: Mapping[str, Exchange]) -> None:
    assert whole["overlap/first"].request.header("transfer-encoding") == "chunked"
    assert whole["hang-up/next"].request.header("expect") == "100-continue"
    assert 100 in whole["hang-up/next"].interim
    assert dict(whole["keep-alive/health"].notes)["reused-connection"] == "true"
    flags = [
        whole[f"upscale/{name}"].request.header("x-use-opencl") for name in ("odd", "again", "square", "wide", "small")
    ]
    assert flags == ["true", "1", "false", "0", None]


def test_the_abandoned_run_was_under_way(whole: Mapping[str, Exchange]) -> None:
    abandoned, meanwhile = whole["hang-up/abandoned"], whole["hang-up/health-meanwhile"]
    assert abandoned.end is End.HUNG_UP
    assert generation(abandoned).progress
    assert generation(abandoned).terminal is None
    assert abandoned.started < meanwhile.started < abandoned.started + abandoned.ended_at
    assert whole["hang-up/refused-meanwhile"].status == 400
    assert whole["hang-up/next"].started > abandoned.started + abandoned.ended_at


def test_size_steps_and_seed_of_the_settings_are_used(honest: str) -> None:
    names = ("base", "defaults", "strength", "hang-up", "overlap")
    one, _ = run(honest, *names, size=(64, 128), steps=2)
    other, _ = run(honest, "base", seed=2)
    for label, exchange in one.items():
        body = exchange.request.json or {}
        if "prompt" in body:
            assert (body["width"], body["height"]) == (64, 128), label
    assert sent(one["base"])["steps"] == 2
    assert sent(other["base"])["seed"] != sent(one["base"])["seed"]


def test_without_img2img_no_image_is_sent(honest: str) -> None:
    names = tuple(name for name in CORE if SCENARIOS[name].available(Settings(url="x", img2img=False)) is None)
    exchanges, _ = run(honest, *names, img2img=False)
    for label, exchange in exchanges.items():
        body = exchange.request.json
        if isinstance(body, dict):
            assert body.get("image") is None, label
            assert body.get("mask") is None, label
    assert generation(exchanges["hang-up/next"]).complete
