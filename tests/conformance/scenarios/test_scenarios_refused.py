"""The scenarios at servers that refuse, accept everything, are busy, stall or are gone."""

from __future__ import annotations

import math
import socket
import threading
from typing import Any

import pytest

from local_dream_conformance.checks.accepted_forms import taken
from local_dream_conformance.core.budget import Budget, Cost
from local_dream_conformance.core.errors import NotSent
from local_dream_conformance.core.exchange import GONE, End, Exchange, Transcript
from local_dream_conformance.core.fields import documented
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.spending import spent_on
from local_dream_conformance.http import life
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import SCENARIOS, requests
from local_dream_conformance.scenarios.defaults import SUSPECTS
from local_dream_conformance.scenarios.forms import forms_of
from local_dream_conformance.scenarios.lasting import BOUNDS, LONG_ENOUGH
from local_dream_conformance.scenarios.requests import DEFAULTS
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.config import ServerSettings
from tests.conformance.http.wire_scripts import CHUNKED, chunk, drip, flood, silence, vanish
from tests.conformance.scenarios.accepting_server import accepting_server
from tests.conformance.scenarios.refusing_server import CUT, Asked, RefusingServer, refusing_server, valid_only
from tests.conformance.scenarios.running import CORE, DECLARED, EVERY, run, sent
from tests.conformance.scripted_server import Script, serving
from tests.mockserver.live_server import running


def first_refused(*rules: tuple[str, int]) -> Any:
    """Refuses bodies with certain fields (or, by name, with certain properties) besides what has no prompt."""

    def refuses(asked: Asked) -> int | None:
        fields = asked.fields
        facts = {
            "image-null": "image" in fields and fields["image"] is None,
            "mask-null": "mask" in fields and fields["mask"] is None,
            "chunked": asked.headers.get("transfer-encoding") == "chunked",
            "expect": "expect" in asked.headers,
            "unknown": "use_cfg" in fields,
            "stride-zero": fields.get("show_diffusion_stride") == 0,
            "jpeg": str(fields.get("image", "")).startswith("/9j/"),
            "tall": fields.get("height", 512) > fields.get("width", 512),
            "eighths": fields.get("width", 512) % 16 == 8,
            "long": len(fields.get("prompt", "")) > 1000,
        }
        return next((status for name, status in rules if facts[name]), valid_only(asked))

    return refuses


@pytest.mark.parametrize(
    ("rules", "scenario", "named"),
    [
        (["image-null"], "overlap", {"image-null"}),
        (["mask-null"], "overlap", {"mask-null"}),
        (["image-null", "mask-null"], "overlap", {"image-null", "mask-null"}),
        (["chunked"], "overlap", {"chunked"}),
        (["unknown"], "overlap", {"unknown-fields"}),
        (["stride-zero"], "overlap", {"stride-zero"}),
        (["expect"], "hang-up", {"expect"}),
        (["tall"], "hang-up", {"size-tall"}),
        (["eighths"], "hang-up", {"size-odd-eighths"}),
        (["long", "tall"], "hang-up", {"prompt-longest", "size-tall"}),
        (["jpeg"], "strength", {"image-jpeg", "image-progressive"}),
    ],
)
def test_a_refused_form_is_named_and_a_plainer_request_served(rules: list[str], scenario: str, named: set[str]) -> None:
    mains = {"hang-up": ("abandoned", "next"), "overlap": ("first", "second"), "strength": ("low",)}[scenario]
    with refusing_server(RefusingServer(refuses=first_refused(*((rule, 417) for rule in rules)))) as state:
        exchanges, target = run(state.url, "base", scenario)
    refused = [exchange for exchange in exchanges.values() if exchange.status == 417]
    assert {forms_of(exchange)[0] for exchange in refused if len(forms_of(exchange)) == 1} == named
    for name in mains:
        main = exchanges[f"{scenario}/{name}"]
        assert main.status == 200
        assert not named & set(forms_of(main))
        assert exchanges.get(f"{scenario}/{name}-forms-0", refused[0]).status == 417
    lost = SCENARIOS["base"].cost + SCENARIOS[scenario].cost
    assert lost.generations <= target.spent.generations <= lost.generations + 4 * len(named)


def test_forms_are_narrowed_within_the_budget() -> None:
    with refusing_server(RefusingServer(refuses=first_refused(("jpeg", 400)))) as state:
        exchanges, target = run(state.url, "base", "strength", budget=Budget(1, 0))
    assert target.spent == Cost(generations=1)
    assert set(exchanges) == {"base"}  # at the cap nothing is sent that might be accepted
    with refusing_server(RefusingServer(refuses=first_refused(("long", 400)))) as state:
        exchanges, target = run(state.url, "base", "hang-up", budget=Budget(3, 0))
    assert target.spent == Cost(generations=3)


def test_a_refused_upscale_is_narrowed() -> None:
    def refuses(asked: Asked) -> int | None:
        return 400 if asked.headers.get("x-use-opencl") in ("1", "0") else None

    with refusing_server(RefusingServer(refuses=refuses)) as state:
        exchanges, target = run(state.url, "upscale", upscaler_path="p")
    named = {label for label, e in exchanges.items() if e.status == 400 and forms_of(e) == ("opencl-flag",)}
    assert {label.partition("-")[0] for label in named} == {"upscale/again", "upscale/wide"}
    assert exchanges["upscale/again"].status == 200
    assert exchanges["upscale/again"].request.header("x-use-opencl") is None
    assert forms_of(exchanges["upscale/again"]) == ("upscale-square", "upscale-type-absent")
    assert target.spent.upscales <= 5 + 2


def test_an_upscale_that_loses_its_connection_is_narrowed() -> None:
    def refuses(asked: Asked) -> int | None:
        return CUT if asked.headers.get("x-image-height") == "1" else None

    with refusing_server(RefusingServer(refuses=refuses)) as state:
        exchanges, target = run(state.url, "upscale", upscaler_path="p")
    lost = [forms_of(one) for one in exchanges.values() if one.status is None]
    assert lost == [("upscale-thin", "upscale-names-upper"), ("upscale-thin",)]
    assert forms_of(exchanges["upscale/small"]) == ("upscale-names-upper",)
    assert target.spent.upscales <= 5 + 3


def test_a_server_that_fails_now_and_then_names_no_form() -> None:
    asked_before: list[str] = []

    def refuses(asked: Asked) -> int | None:
        if asked.path == "/generate" and valid_only(asked) is None:
            asked_before.append(asked.path)
            return 500 if len(asked_before) == 2 else None
        return valid_only(asked)

    with refusing_server(RefusingServer(refuses=refuses)) as state:
        exchanges, _ = run(state.url, "base", "strength")
    assert exchanges["strength/low-forms-0"].status == 500
    assert all(taken(exchange) for label, exchange in exchanges.items() if label != "strength/low-forms-0")


def test_a_server_that_refuses_everything_is_asked_for_the_last_attempt_too() -> None:
    with refusing_server(RefusingServer(refuses=lambda asked: 500)) as state:
        exchanges, target = run(state.url, *CORE[:-2])
    assert target.spent == Cost()
    assert all(exchanges[label].status == 500 for label in ("base", "hang-up/abandoned", "overlap/second"))


def test_a_busy_server_is_asked_again_when_the_first_run_is_over() -> None:
    state = RefusingServer(holds=lambda fields: fields.get("show_diffusion_stride") == 2)

    def refuses(asked: Asked) -> int | None:
        if "use_cfg" in asked.fields and not state.release.is_set():
            state.release.set()
            return 503
        return valid_only(asked)

    state.refuses = refuses
    with refusing_server(state):
        exchanges, target = run(state.url, "overlap")
    first, second = exchanges["overlap/first"], exchanges["overlap/second"]
    assert exchanges["overlap/second-busy"].status == 503
    assert exchanges["overlap/second-busy"].started < first.started + first.ended_at
    assert second.status == 200
    assert second.started > first.started + first.ended_at
    assert target.spent == Cost(generations=2)


def test_a_server_that_is_busy_with_the_abandoned_run_is_asked_until_it_serves() -> None:
    refusals: list[Asked] = []

    def refuses(asked: Asked) -> int | None:
        if "scheduler" in asked.fields and len(refusals) < 3:
            refusals.append(asked)
            return 503
        return valid_only(asked)

    with refusing_server(RefusingServer(refuses=refuses)) as state:
        exchanges, target = run(state.url, "hang-up", img2img=False)
    assert exchanges["hang-up/next-busy"].status == 503
    assert exchanges["hang-up/next"].status == 200
    assert len(refusals) == 3
    assert target.spent == Cost(generations=2)


def test_of_what_a_server_accepts_no_more_of_that_kind_is_sent() -> None:
    with accepting_server() as state:
        core, _ = run(state.url, "range")
        every, _ = run(state.url, "range", profile="hardened")
        types, _ = run(state.url, "refuse")
    assert len(core) == 3 + 1
    judged = [broken(exchange) for label, exchange in every.items() if label != "range/health"]
    assert all(judged.count(ids) == 1 for ids in judged if ids)
    fields = [label.rpartition("-")[0] for label in types if "/type/" in label]
    assert len(fields) == len(set(fields)) > 10
    assert {"refuse/json-malformed", "refuse/json-array"} < set(types)
    assert not {"refuse/json-nan", "refuse/json-null"} & set(types)


def broken(exchange: Exchange) -> set[str]:
    """The requirements that the values of a request break."""
    known = [(documented()[name], value) for name, value in sent(exchange).items() if name in documented()]
    return {id for field, value in known if field.has_type(value) for id in field.ids_broken_by(value)}


def test_what_should_be_refused_and_is_not_is_read_to_its_end_and_is_short() -> None:
    with accepting_server() as state:
        exchanges, _ = run(state.url, "refuse", "refuse-image", "range", "formats", profile="all", steps=50)
    accepted = [exchange for exchange in exchanges.values() if spent_on(exchange).generations]
    assert len(accepted) > 20
    assert all(generation(exchange).complete for exchange in accepted)
    objects = [exchange for exchange in accepted if isinstance(sent(exchange), dict) and "steps" in sent(exchange)]
    assert {exchange.label for exchange in objects if sent(exchange)["steps"] == 50} == {"formats/png"}


@pytest.mark.parametrize("culprit", list(DEFAULTS))
def test_a_default_that_is_another_is_found(culprit: str) -> None:
    def paint(fields: dict[str, Any]) -> int:
        return 200 if culprit in fields else 50

    with refusing_server(RefusingServer(paint=paint)) as state:
        exchanges, _ = run(state.url, "defaults")
    guilty = set(DEFAULTS)
    for label, exchange in exchanges.items():
        if label.startswith("defaults/bisect-"):
            explicit = set(dict(exchange.notes)["explicit"].split())
            assert explicit - {"image"} == set(sent(exchange)) - {"prompt", "seed", "image", "mask"}
            guilty = guilty & explicit if culprit in explicit else guilty - explicit
    assert culprit in guilty
    assert guilty == next(set(fields) for fields in SUSPECTS if culprit in fields)
    assert len(exchanges) <= 2 + 4


def test_defaults_that_hold_are_not_bisected_and_the_budget_is_kept() -> None:
    with refusing_server(RefusingServer()) as state:
        exchanges, _ = run(state.url, "defaults")
        assert set(exchanges) == {"defaults/absent", "defaults/explicit"}
    with refusing_server(RefusingServer(paint=lambda fields: 200 if "cfg" in fields else 50)) as state:
        _, target = run(state.url, "defaults", budget=Budget(3, 0))
    assert target.spent == Cost(generations=3)


def test_a_silent_server_is_not_asked_for_ever() -> None:
    with serving(silence) as url:
        exchanges, target = run(url, *CORE[:-2], idle_timeout=0.05, total_timeout=10.0)
    asked = [label for label in exchanges if label.startswith("refuse/")]
    assert asked == ["refuse/prompt-missing", "refuse/health"]  # the second that it leaves unanswered: no third
    assert target.spent == Cost()
    assert all(exchange.end is End.IDLE_TIMEOUT for exchange in exchanges.values())


def test_nothing_is_sent_to_a_server_that_is_gone() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()
    done: dict[str, Transcript] = {}
    target = Target(Settings(url=url), done.__getitem__, cost_of=spent_on)
    assert target.send("health/get", requests.HEALTH).end is End.UNREACHABLE
    assert target.life.is_gone
    for scenario in SCENARIOS.values():
        if scenario.name not in DECLARED:
            with pytest.raises(NotSent, match=GONE):
                list(scenario.run(target))


def nonsense(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(bytes(range(256)))


def stuck(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(CHUNKED + chunk(b"event: progress\ndata: {}\n\n"))
    over.wait()


@pytest.mark.parametrize(
    ("script", "names", "idle", "total", "ends"),
    [
        (flood, ("base", "hang-up"), 60.0, 60.0, {End.TOO_LARGE}),
        (drip, ("base", "hang-up", "overlap"), 60.0, 0.3, {End.TOTAL_TIMEOUT}),
        (stuck, ("base", "hang-up", "overlap"), 0.3, 60.0, {End.IDLE_TIMEOUT, End.HUNG_UP}),
        (vanish, EVERY, 60.0, 60.0, {End.RESET}),
        (nonsense, EVERY, 60.0, 60.0, {End.MALFORMED, End.RESET, End.HUNG_UP}),
    ],
)
def test_probes_survive_a_hostile_server(
    script: Script, names: tuple[str, ...], idle: float, total: float, ends: set[End], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "SECOND_LOOK", 0.01)  # taken after each of a hundred answers; test_life has its own tests
    with serving(script) as url:
        exchanges, _ = run(url, *names, upscaler_path="p", idle_timeout=idle, total_timeout=total)
    for label, exchange in exchanges.items():
        if label != "health/head" and not label.startswith("hostile/"):
            assert exchange.end in ends, label


def test_the_abandoned_run_is_long_enough_at_the_speed_of_the_server() -> None:
    with refusing_server(RefusingServer()) as state:
        exchanges, _ = run(state.url, "hang-up")
        assert sent(exchanges["hang-up/abandoned"])["steps"] == BOUNDS[0]
    with running(create_app(SyntheticEngine(Pacing(step=0.1)), ServerSettings())) as url:
        exchanges, _ = run(url, "base", "hang-up")
    first, *_, last = generation(exchanges["base"]).progress
    pace = (last.at - first.at) / (sent(exchanges["base"])["steps"] - 1)  # as seen: a busy machine has another than 0.1
    fewest, most = BOUNDS
    assert sent(exchanges["hang-up/abandoned"])["steps"] == max(fewest, min(most, 1 + math.ceil(LONG_ENOUGH / pace)))


def test_requests_are_the_same_in_every_run() -> None:
    one, other = (Settings(url=url, seed=5) for url in ("http://a", "http://b"))
    assert requests.plain(one) == requests.plain(other)
    assert requests.absent(one) == requests.absent(other)
    assert len({requests.seed(Settings(url="x", seed=seed)) for seed in range(50)}) == 50
    for seed in range(50):
        prompt, other_prompt = requests.prompts(Settings(url="x", seed=seed))
        assert prompt != other_prompt
