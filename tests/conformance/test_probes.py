"""The probes: what they cost, what they send, and what they do at servers that refuse, accept, stall or are gone."""

from __future__ import annotations

import base64
import math
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import conformance.probes
from conformance.events import generation
from conformance.extension import Declared
from conformance.probe import Cost
from conformance.probes import PROBES, payload
from conformance.probes.concurrency import LONG_ENOUGH, STEPS_TO_ABANDON
from conformance.probes.pictures import DEFAULTS, SUSPECTS
from conformance.settings import Budget, Settings
from conformance.target import Target, spent_on
from conformance.transcript import End, Exchange, Transcript
from mockserver.app import create_app
from mockserver.settings import ServerSettings
from mockserver.synthetic import Pacing, SyntheticEngine
from tests.conformance.moody_server import Asked, MoodyServer, moody, valid_only
from tests.conformance.scripted_server import Script, serving
from tests.conformance.test_recorder import CHUNKED, chunk, drip, flood, silence, vanish
from tests.mockserver.live_server import running

HARDENED = ("nulls", "repeat", "edges", "hostile", "huge-prompt", "upscale-range")
EXTENSIONS = ("cors", "cors-upscale", "tokenize", "formats", "size", "aspect-ratio", "schedulers")
CORE = tuple(name for name in PROBES if name not in (*HARDENED, *EXTENSIONS) and not name.startswith("generated"))
EVERY = (*CORE, *HARDENED)
QUICK: dict[str, Any] = {"idle_timeout": 20.0, "total_timeout": 40.0}


def cost_of(names: tuple[str, ...]) -> Cost:
    return sum((PROBES[name].cost for name in names), Cost())


def run(url: str, *names: str, **settings: Any) -> tuple[dict[str, Exchange], Target]:
    """Runs probes in their order; their exchanges by label."""
    done: dict[str, Transcript] = {}
    target = Target(Settings(url=url, **{**QUICK, **settings}), done.__getitem__)
    for name in names:
        assert PROBES[name].available(target.settings) is None
        done[name] = Transcript(name, tuple(PROBES[name].run(target)))
    found = [exchange for transcript in done.values() for exchange in transcript.exchanges]
    assert len({exchange.label for exchange in found}) == len(found)
    return {exchange.label: exchange for exchange in found}, target


def sent(exchange: Exchange) -> dict[str, Any]:
    body: dict[str, Any] = exchange.request.json
    return body


# The plan


def test_the_plan_costs_no_more_than_promised() -> None:
    core, every = cost_of(CORE), cost_of(EVERY)
    assert (core.generations, core.upscales) == (8, 5)
    assert (every.generations, every.upscales) == (13, 5)
    extensions = cost_of(EXTENSIONS)
    assert (extensions.generations, extensions.upscales) == (3, 1)
    declared = Settings(url="http://x", extensions=(Declared("schedulers", ("euler", "lcm")),))
    assert PROBES["schedulers"].priced(declared).cost == Cost(generations=2)
    assert PROBES["base"].priced(declared) == PROBES["base"]


def test_the_registry_is_in_order_and_described() -> None:
    described = conformance.probes.__doc__ or ""
    for place, (name, probe) in enumerate(PROBES.items()):
        assert probe.name == name
        assert set(probe.after) <= set(list(PROBES)[:place])
        assert f"| {name} [{probe.cost.generations},{probe.cost.upscales}] |" in described
        assert probe.run.__doc__


def test_what_is_not_available() -> None:
    bare = Settings(url="http://x", img2img=False)
    lacking = {name for name, probe in PROBES.items() if probe.available(bare)}
    assert lacking == {"refuse-image", "strength", "upscale", "cors-upscale", "schedulers"}
    full = Settings(url="http://x", upscaler_path="p", extensions=(Declared("schedulers", ("euler",)),))
    assert PROBES["size"].available(Settings(url="http://x", size=(512, 512)))
    assert not any(probe.available(full) for probe in PROBES.values())


# At an honest server


@pytest.fixture(scope="module")
def honest() -> Iterator[str]:
    engine = SyntheticEngine(Pacing(step=0.02))
    with running(create_app(engine, ServerSettings())) as url:
        yield url


@pytest.fixture(scope="module")
def whole(honest: str) -> Mapping[str, Exchange]:
    """A whole run, with the promise about its cost checked probe by probe."""
    done: dict[str, Transcript] = {}
    settings = Settings(url=honest, profile="hardened", upscaler_path="default", destructive=True, **QUICK)
    target = Target(settings, done.__getitem__)
    for name in EVERY:
        before = target.spent
        done[name] = Transcript(name, tuple(PROBES[name].run(target)))
        assert target.spent == before + PROBES[name].cost, name
    return {e.label: e for transcript in done.values() for e in transcript.exchanges}


def test_labels_belong_to_their_probe_and_are_described(whole: Mapping[str, Exchange]) -> None:
    described = (conformance.probes.__doc__ or "").replace("\n", " ")
    for label in whole:
        probe, _, part = label.partition("/")
        assert probe in PROBES
        words = "FIELD-KIND" if part.startswith("type/") and probe == "refuse" else part.replace("type/", "")
        assert all(word in described for word in words.split("-")), label


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
        *("overlap/second", "nulls", "repeat", "edges/seed-zero", "edges/seed-max", "huge-prompt"),
    ):
        assert generation(whole[label]).complete, label
        assert not generation(whole[label]).problems
    assert all(exchange.status == 200 for label, exchange in whole.items() if label.startswith("upscale/"))
    assert not [label for label in whole if "bisect" in label]


def test_runs_that_are_compared_differ_in_what_they_say(whole: Mapping[str, Exchange]) -> None:
    base = sent(whole["base"])
    assert whole["repeat"].request.body == whole["base"].request.body
    first, second = sent(whole["overlap/first"]), sent(whole["overlap/second"])
    assert first == {**base, "prompt": first["prompt"], "show_diffusion_stride": 2}
    assert first["prompt"] != base["prompt"]
    assert {name: second[name] for name in ("prompt", "steps", "width", "height")}.items() <= base.items()
    assert "seed" not in second
    assert second["show_diffusion_stride"] == 0
    assert "use_cfg" in second
    explicit, low = sent(whole["defaults/explicit"]), sent(whole["strength/low"])
    assert low == {**explicit, "denoise_strength": 0.1, "image": low["image"]}
    assert base64.b64decode(low["image"]).startswith(b"\xff\xd8\xff")
    assert base64.b64decode(explicit["image"]).startswith(b"\x89PNG")
    assert explicit == {**DEFAULTS, **sent(whole["defaults/absent"])}
    assert set(sent(whole["defaults/absent"])) == {"prompt", "seed", "image"}
    assert {"scheduler": "euler_a", "denoise_strength": 0.9}.items() <= sent(whole["hang-up/next"]).items()
    nulls = sent(whole["nulls"])
    assert {name for name in nulls if nulls[name] is None} == {
        *("negative_prompt", "cfg", "scheduler", "denoise_strength", "image", "mask"),
        *("show_diffusion_process", "show_diffusion_stride", "use_opencl"),
    }


def test_oddities_of_transport_are_really_sent(whole: Mapping[str, Exchange]) -> None:
    assert whole["overlap/first"].request.header("transfer-encoding") == "chunked"
    assert whole["hang-up/next"].request.header("expect") == "100-continue"
    assert 100 in whole["hang-up/next"].interim
    assert dict(whole["keep-alive/health"].notes)["reused-connection"] == "true"
    flags = [
        whole[f"upscale/{name}"].request.header("x-use-opencl") for name in ("odd", "tall", "square", "wide", "small")
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
    names = tuple(name for name in CORE if PROBES[name].available(Settings(url="x", img2img=False)) is None)
    exchanges, _ = run(honest, *names, img2img=False)
    for label, exchange in exchanges.items():
        body = exchange.request.json
        if isinstance(body, dict):
            assert body.get("image") is None, label
            assert body.get("mask") is None, label
    assert generation(exchanges["hang-up/next"]).complete


# At servers with a mind of their own


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
        }
        return next((status for name, status in rules if facts[name]), valid_only(asked))

    return refuses


@pytest.mark.parametrize(
    ("rule", "status", "probe", "refusals", "main"),
    [
        ("image-null", 500, "hang-up", ["null-image-mask"], {"mask": None}),
        ("mask-null", 500, "hang-up", ["null-image-mask", "null-mask"], {"image": None}),
        ("chunked", 411, "overlap", ["first-chunked"], {}),
        ("unknown", 400, "overlap", ["second-oddities", "second-unknown-fields"], {}),
        ("stride-zero", 400, "overlap", ["second-oddities"], {}),
        ("expect", 417, "hang-up", ["next-expect"], {}),
        ("jpeg", 400, "strength", ["jpeg-unfit"], {}),
    ],
)
def test_a_refused_oddity_is_kept_and_the_plainer_request_served(
    rule: str, status: int, probe: str, refusals: list[str], main: dict[str, Any]
) -> None:
    mains = {"hang-up": ("abandoned", "next"), "overlap": ("first", "second"), "strength": ("low",)}[probe]
    with moody(MoodyServer(refuses=first_refused((rule, status)))) as state:
        exchanges, target = run(state.url, probe)
    labels = {label.partition("/")[2] for label in exchanges if exchanges[label].status == status}
    assert labels - {"refused-meanwhile"} == set(refusals)
    assert all(exchanges[f"{probe}/{name}"].status == 200 for name in mains)
    assert target.spent == PROBES[probe].cost
    assert main.items() <= sent(exchanges[f"{probe}/{mains[0]}"]).items()


def test_a_refused_flag_is_kept_and_the_picture_sent_without_it() -> None:
    def refuses(asked: Asked) -> int | None:
        return 400 if asked.headers.get("x-use-opencl") in ("1", "0") else None

    with moody(MoodyServer(refuses=refuses)) as state:
        exchanges, target = run(state.url, "upscale", upscaler_path="p")
    refused = {label for label, exchange in exchanges.items() if exchange.status == 400}
    assert refused == {"upscale/tall-flagged", "upscale/wide-flagged"}
    assert exchanges["upscale/tall"].request.header("x-use-opencl") is None
    assert exchanges["upscale/tall"].request.body == exchanges["upscale/tall-flagged"].request.body
    assert target.spent == Cost(upscales=5)


def test_both_nulls_refused_leave_the_plain_request() -> None:
    with moody(MoodyServer(refuses=first_refused(("image-null", 500), ("mask-null", 400)))) as state:
        exchanges, _ = run(state.url, "hang-up")
    assert not {"image", "mask"} & set(sent(exchanges["hang-up/abandoned"]))
    assert exchanges["hang-up/null-image"].status == 500


def test_a_server_that_refuses_everything_is_asked_for_the_last_attempt_too() -> None:
    with moody(MoodyServer(refuses=lambda asked: 500)) as state:
        exchanges, target = run(state.url, *CORE[:-2])
    assert target.spent == Cost()
    assert all(exchanges[label].status == 500 for label in ("base", "hang-up/abandoned", "overlap/second"))


def test_a_busy_server_is_asked_again_when_the_first_run_is_over() -> None:
    state = MoodyServer(holds=lambda fields: fields.get("show_diffusion_stride") == 2)

    def refuses(asked: Asked) -> int | None:
        if "use_cfg" in asked.fields and not state.release.is_set():
            state.release.set()
            return 503
        return valid_only(asked)

    state.refuses = refuses
    with moody(state):
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

    with moody(MoodyServer(refuses=refuses)) as state:
        exchanges, target = run(state.url, "hang-up", img2img=False)
    assert exchanges["hang-up/next-busy"].status == 503
    assert exchanges["hang-up/next"].status == 200
    assert len(refusals) == 3
    assert target.spent == Cost(generations=2)


def test_a_server_that_accepts_everything_is_spared() -> None:
    with moody(MoodyServer(refuses=lambda asked: None, paint=lambda fields: 100)) as state:
        core, _ = run(state.url, "range")
        every, _ = run(state.url, "range", profile="hardened")
    ends = [exchange.end for label, exchange in core.items() if label != "range/health"]
    assert len(ends) == 3
    assert len(every) > 15
    assert all(spent_on(exchange).generations for label, exchange in core.items() if label != "range/health")


def test_what_should_be_refused_and_is_not_is_hung_up_on() -> None:
    with moody(MoodyServer(refuses=lambda asked: None)) as state:
        exchanges, _ = run(state.url, "refuse", steps=50)
        assert state.hung_up.wait(20)
    accepted = exchanges["refuse/json-nan"]
    assert accepted.end is End.HUNG_UP
    assert generation(accepted).terminal is None


@pytest.mark.parametrize("culprit", list(DEFAULTS))
def test_a_default_that_is_another_is_found(culprit: str) -> None:
    def paint(fields: dict[str, Any]) -> int:
        return 200 if culprit in fields else 50

    with moody(MoodyServer(paint=paint)) as state:
        exchanges, _ = run(state.url, "defaults")
    guilty = set(DEFAULTS)
    for label, exchange in exchanges.items():
        if label.startswith("defaults/bisect-"):
            explicit = set(dict(exchange.notes)["explicit"].split())
            assert explicit == set(sent(exchange)) - {"prompt", "seed", "image"}
            guilty = guilty & explicit if culprit in explicit else guilty - explicit
    assert culprit in guilty
    assert guilty == next(set(fields) for fields in SUSPECTS if culprit in fields)
    assert len(exchanges) <= 2 + 3


def test_defaults_that_hold_are_not_bisected_and_the_budget_is_kept() -> None:
    with moody(MoodyServer()) as state:
        exchanges, _ = run(state.url, "defaults")
        assert set(exchanges) == {"defaults/absent", "defaults/explicit"}
    with moody(MoodyServer(paint=lambda fields: 200 if "cfg" in fields else 50)) as state:
        _, target = run(state.url, "defaults", budget=Budget(3, 0))
    assert target.spent == Cost(generations=3)


def test_a_silent_server_is_not_asked_for_ever() -> None:
    with serving(silence) as url:
        exchanges, target = run(url, *CORE[:-2], idle_timeout=0.05, total_timeout=10.0)
    asked = [label for label in exchanges if label.startswith("refuse/")]
    assert len(asked) == 4
    assert target.spent == Cost()
    assert all(exchange.end is End.IDLE_TIMEOUT for exchange in exchanges.values())


def test_a_server_that_is_gone_breaks_nothing() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()
    declared = (Declared("schedulers", ("euler",)),)
    names = (name for name in PROBES if name != "generated")
    exchanges, target = run(url, *names, upscaler_path="p", extensions=declared)
    assert target.spent == Cost()
    assert all(exchange.end is End.UNREACHABLE for exchange in exchanges.values())


def nonsense(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(bytes(range(256)))


def stuck(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(CHUNKED + chunk(b"event: progress\ndata: {}\n\n"))
    over.wait()


@pytest.mark.parametrize(
    ("script", "names", "total", "ends"),
    [
        (flood, ("base", "hang-up"), 60.0, {End.TOO_LARGE}),
        (drip, ("base", "hang-up", "overlap"), 0.3, {End.TOTAL_TIMEOUT}),
        (stuck, ("base", "hang-up", "overlap"), 60.0, {End.IDLE_TIMEOUT, End.HUNG_UP}),
        (vanish, EVERY, 60.0, {End.RESET}),
        (nonsense, EVERY, 60.0, {End.MALFORMED, End.RESET, End.HUNG_UP}),
    ],
)
def test_probes_survive_a_hostile_server(script: Script, names: tuple[str, ...], total: float, ends: set[End]) -> None:
    with serving(script) as url:
        exchanges, _ = run(url, *names, upscaler_path="p", idle_timeout=0.3, total_timeout=total)
    for label, exchange in exchanges.items():
        if label != "health/head" and not label.startswith("hostile/"):
            assert exchange.end in ends, label


def test_the_abandoned_run_is_long_enough_at_the_speed_of_the_server() -> None:
    with moody(MoodyServer()) as state:
        exchanges, _ = run(state.url, "hang-up")
        assert sent(exchanges["hang-up/abandoned"])["steps"] == STEPS_TO_ABANDON[0]
    with running(create_app(SyntheticEngine(Pacing(step=0.1)), ServerSettings())) as url:
        exchanges, _ = run(url, "base", "hang-up")
    steps = sent(exchanges["hang-up/abandoned"])["steps"]
    assert STEPS_TO_ABANDON[0] <= steps <= math.ceil(LONG_ENOUGH / 0.1)


def test_requests_are_the_same_in_every_run() -> None:
    one, other = (Settings(url=url, seed=5) for url in ("http://a", "http://b"))
    assert payload.plain(one) == payload.plain(other)
    assert payload.absent(one) == payload.absent(other)
    assert len({payload.seed(Settings(url="x", seed=seed)) for seed in range(50)}) == 50
    for seed in range(50):
        prompt, other_prompt = payload.prompts(Settings(url="x", seed=seed))
        assert prompt != other_prompt
