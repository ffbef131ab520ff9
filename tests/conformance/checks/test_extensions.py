"""The checks of the extensions, on what a server on paper answers to the real scenarios."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from local_dream_conformance.checks.check import REGISTRY
from local_dream_conformance.core import contract
from local_dream_conformance.core.budget import Budget
from local_dream_conformance.core.contract import Level, of_profile
from local_dream_conformance.core.exchange import Exchange, Request
from local_dream_conformance.core.extension import NAMES, Declared, parse
from local_dream_conformance.core.fields import of_extensions
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.run import suite
from local_dream_conformance.run.evaluator import Evaluator
from tests.conformance.extended_server import ExtendedServer, ask
from tests.conformance.transcripts import SETTINGS, Found, answer, generation, refusal, request, words

suite.load()
CONTRACT = contract.load()
SCENARIOS = (
    "keep-alive",
    "base",
    "negative",
    "upscale-refuse",
    "cors",
    "cors-upscale",
    "tokenize",
    "formats",
    "size",
    "aspect-ratio",
    "prompt-weights",
    "schedulers",
)
DECLARED = replace(
    SETTINGS,
    upscaler_path="up.bin",
    extensions=(Declared("schedulers", ("euler", "lcm", "eulera")), Declared("prompt_weights")),
)
KNOWN = replace(SETTINGS, upscaler_path="up.bin")
EXTENSIONS = [r for r in CONTRACT.requirements if of_profile(r.profile)]
ALONE = ("busy", "upscaler-only")
"""What a server that has all the others does not show here: it queues, and it has a /generate."""


def judged(server: ExtendedServer, settings: Settings = DECLARED, *more: Exchange) -> dict[str, Judgement]:
    """What the suite says of every requirement of an extension."""
    exchanges = [*ask(server, settings, *SCENARIOS), *overlapping(), *more]
    judge = Evaluator(CONTRACT, REGISTRY, Found({e.label: e for e in exchanges}.values()), settings)
    return {r.id: judge.judge(r.id) for r in EXTENSIONS}


def overlapping() -> list[Exchange]:
    first = generation("overlap/first", started=0.0, gap=0.5)
    return [first, generation("overlap/second", started=0.2, gap=0.5)]


def having(judgements: dict[str, Judgement], verdict: Verdict) -> set[str]:
    return {id for id, judgement in judgements.items() if judgement.verdict is verdict}


def of(*names: str) -> set[str]:
    return {r.id for r in EXTENSIONS if of_profile(r.profile) in names}


def test_the_names_are_those_of_the_spec() -> None:
    assert tuple(NAMES) == tuple(sorted({of_profile(r.profile) for r in EXTENSIONS}, key=NAMES.index))
    assert {field.extension for field in of_extensions().values()} <= set(NAMES)


def test_the_first_requirement_of_each_asks_whether_it_is_there() -> None:
    roots = {of_profile(r.profile): r for r in reversed(EXTENSIONS)}
    assert all(root.level is Level.MAY for root in roots.values())
    assert [r.id for r in EXTENSIONS if r.level is Level.MAY] == [r.id for r in EXTENSIONS if r in roots.values()]


def test_a_server_that_has_them_keeps_all_that_they_ask() -> None:
    judgements = judged(ExtendedServer())
    assert having(judgements, Verdict.NOT_APPLICABLE) == of(*ALONE)
    assert having(judgements, Verdict.PASS) == of(*NAMES) - of(*ALONE)
    assert judgements["EXT-FMT-01"].reason == "output_format png: complete has format 'png'"
    assert judgements["EXT-SIZ-01"].reason == "size 192 with 128x64 gives 192x192"
    assert judgements["EXT-ASP-01"].reason == "aspect_ratio 2:3 with 128x64 gives 80x128"
    assert re.fullmatch(r"POST /tokenize is answered with count 3[0-9]", judgements["EXT-TOK-01"].reason)
    assert "OPTIONS /generate is answered with status 204" in judgements["EXT-COR-01"].reason
    assert "a stream that ends with complete" in judgements["EXT-BSY-01"].reason


@pytest.mark.parametrize("wrong", ["", "fixed-size"])
def test_a_server_without_them_is_asked_for_three_generations_and_nothing_is_held_against_it(wrong: str) -> None:
    lacking = tuple(name for name in NAMES if name not in ALONE)
    server = ExtendedServer(without=lacking, wrong=wrong)
    judgements = judged(server, KNOWN)
    assert having(judgements, Verdict.NOT_APPLICABLE) == of(*lacking, *ALONE) - of("schedulers")
    assert having(judgements, Verdict.UNTESTED) == of("schedulers"), "its scenario is not available"
    generations = [
        label for label, sent in server.asked if sent.target == "/generate" and "prompt" in (sent.json or {})
    ]
    assert generations == ["base", "negative", "formats/png", "size/square", "aspect-ratio/portrait"]
    tokens = [label for label, sent in server.asked if sent.target == "/tokenize"]
    assert tokens == ["tokenize/short"]
    assert judgements["EXT-TOK-01"].reason.startswith("POST /tokenize is answered with status 404")
    assert judgements["EXT-FMT-05"].reason == "EXT-FMT-02: EXT-FMT-01: output_format png: complete has no format"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "schedulers"])
def test_a_declared_extension_that_is_absent_is_one_failure(name: str) -> None:
    declared = replace(KNOWN, extensions=(Declared(name),))
    judgements = judged(ExtendedServer(without=NAMES), declared)
    assert having(judgements, Verdict.FAIL) == {min(of(name))}
    assert having(judgements, Verdict.BLOCKED) == of(name) - {min(of(name))}
    assert f"the extension {name}, which --extension declares" in words(judgements[min(of(name))])


WRONG = {
    "output-unsaid": {"EXT-FMT-02"},
    "other-format-said": {"EXT-FMT-02", "EXT-FMT-04"},
    "codes-jpeg-for-png": {"EXT-FMT-02"},
    "raw-unsaid": {"EXT-FMT-02"},
    "preview-ignored": {"EXT-FMT-03"},
    "preview-unsaid": {"EXT-FMT-03"},
    "one-format": {"EXT-FMT-03", "EXT-FMT-04"},
    "coded-bgr": {"EXT-FMT-05"},
    "coded-upside-down": {"EXT-FMT-05"},
    "refuses-nothing": {"EXT-FMT-06", "EXT-SIZ-03", "EXT-ASP-04"},
    "size-for-width": {"EXT-SIZ-02"},
    "ratio-h-w": {"EXT-ASP-02"},
    "ratio-from-shorter": {"EXT-ASP-02"},
    "ratio-all-portrait": {"EXT-ASP-02"},
    "ratio-rounds": {"EXT-ASP-03"},
    "ratio-wide-ignored": {"EXT-ASP-03"},
    "tokenize-html": {"EXT-TOK-02"},
    "count-text": {"EXT-TOK-02"},
    "count-clamped": {"EXT-TOK-03"},
    "limit-varies": {"EXT-TOK-03"},
    "counts-different-words": {"EXT-TOK-03"},
    "offset-bytes": {"EXT-TOK-04"},
    "offset-characters": {"EXT-TOK-04"},
    "offset-none": {"EXT-TOK-04"},
    "offset-null": {"EXT-TOK-04"},
    "tokenize-500": {"EXT-TOK-05"},
    "tokenize-request-error": {"EXT-TOK-05"},
    "tokenize-no-prompt": {"EXT-TOK-06"},
    "no-allow-headers": {"EXT-COR-03", "EXT-COR-04"},
    "other-allow-headers": {"EXT-COR-03", "EXT-COR-04"},
    "allows-content-type-only": {"EXT-COR-04"},
    "cors-not-on-errors": {"EXT-COR-05"},
    "cors-not-on-404": {"EXT-COR-05"},
    "cors-not-on-streams": {"EXT-COR-05"},
    "exposes-nothing": {"EXT-COR-06"},
    "no-max-age": {"EXT-COR-07"},
    "refuses-lcm": {"EXT-SCH-02"},
    "falls-back-lcm": {"EXT-SCH-03"},
    "falls-back": {"EXT-SCH-03", "EXT-SCH-04"},
    "falls-back-eulera": {"EXT-SCH-03", "EXT-SCH-04"},
    "eulera-is-its-own": {"EXT-SCH-04"},
    "weights-counted": {"EXT-WGT-02"},
    "weights-ignored": {"EXT-WGT-03"},
    "weight-one-counts": {"EXT-WGT-04"},
}
CAUSES = {
    "coded-bgr": "it looks BGR",
    "coded-upside-down": "it looks upside down",
    "one-format": "one format is taken for both fields",
    "ratio-h-w": "read as H:W",
    "size-for-width": "one of the two only",
    "offset-bytes": "counts bytes",
    "offset-characters": "not UTF-16 code units",
    "count-clamped": "stops at max_length",
    "falls-back": "falls back to dpm",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_found_under_its_id_and_no_other(wrong: str) -> None:
    judgements = judged(ExtendedServer(wrong=wrong))
    assert having(judgements, Verdict.FAIL) | having(judgements, Verdict.WARN) == WRONG[wrong]
    assert having(judgements, Verdict.ERROR) == set()
    if wrong in CAUSES:
        assert any(CAUSES[wrong] in words(judgements[id]) for id in WRONG[wrong])


def test_every_requirement_is_broken_by_something() -> None:
    elsewhere = {"EXT-BSY-02", "EXT-BSY-03", "EXT-UPO-02", "EXT-COR-02"}
    roots = {r.id for r in EXTENSIONS if r.level is Level.MAY}
    assert set().union(*WRONG.values()) | elsewhere | roots == {r.id for r in EXTENSIONS}


def test_the_landscape_is_asked_for_where_there_are_ratios_and_the_budget_allows() -> None:
    for without, budget, asked in (
        ((), Budget(), True),
        (("aspect_ratio",), Budget(), False),
        ((), Budget(generations=0), False),
    ):
        server = ExtendedServer(without=without)
        ask(server, replace(KNOWN, budget=budget), "base", "aspect-ratio")
        assert ("aspect-ratio/landscape" in [label for label, _ in server.asked]) is asked


def test_previews_of_another_size_and_none_at_all() -> None:
    assert judged(ExtendedServer(preview_shrink=2))["EXT-FMT-05"].verdict is Verdict.PASS
    assert judged(ExtendedServer(preview_shrink=2, wrong="coded-bgr"))["EXT-FMT-05"].verdict is Verdict.FAIL


def test_a_tokenizer_without_offset_is_right_too() -> None:
    judgement = judged(ExtendedServer(wrong="no-offset"))["EXT-TOK-04"]
    assert (judgement.verdict, judgement.reason) == (
        Verdict.NOT_APPLICABLE,
        "no overflow_offset in the answers of /tokenize",
    )


def test_a_preflight_that_wants_credentials() -> None:
    refused = judged(ExtendedServer(wrong="preflight-401"))
    assert refused["EXT-COR-01"].verdict is Verdict.NOT_APPLICABLE
    assert "make those requests that need no preflight" in refused["EXT-COR-01"].reason
    half = answer("cors/preflight-upscale", 401, to=Request("OPTIONS", "/upscale"))
    judgements = judged(ExtendedServer(), DECLARED, half)
    assert judgements["EXT-COR-02"].verdict is Verdict.FAIL
    assert "no credentials" in words(judgements["EXT-COR-02"])
    assert judgements["EXT-COR-07"].verdict is Verdict.PASS, "what is not let in need not say for how long"


@pytest.mark.parametrize(
    ("lacking", "quiet"),
    [("upscale", {"EXT-COR-04", "EXT-COR-06"}), ("generate", {"EXT-COR-03"})],
)
def test_pages_need_no_preflight_of_what_is_not_there(lacking: str, quiet: set[str]) -> None:
    exchanges = ask(ExtendedServer(without=(lacking,)), KNOWN, *SCENARIOS)
    judge = Evaluator(CONTRACT, REGISTRY, Found(exchanges), KNOWN)
    of_cors = {id: judge.judge(id) for id in of("cors")}
    assert having(of_cors, Verdict.NOT_APPLICABLE) == quiet
    assert having(of_cors, Verdict.PASS) == of("cors") - quiet
    assert all(f"no /{lacking}" in of_cors[id].reason for id in quiet)


def test_a_path_that_is_no_upscaler_does_not_show_that_there_is_no_upscale() -> None:
    missing = answer("cors-upscale/page", 404, to=Request("POST", "/upscale", (("Origin", "https://page.example"),)))
    assert judged(ExtendedServer(), DECLARED, missing)["EXT-COR-06"].verdict is Verdict.UNTESTED


def test_another_origin_is_not_let_in() -> None:
    assert judged(ExtendedServer(wrong="other-origin"))["EXT-COR-01"].verdict is Verdict.NOT_APPLICABLE


def test_the_origin_itself_will_do_instead_of_the_star() -> None:
    asked = (("Origin", "https://page.example"),)
    let = (("Access-Control-Allow-Origin", "https://page.example"),)
    exchange = refusal("cors/refused-generate", to=request({}, headers=asked))
    judgement = judged(ExtendedServer(), DECLARED, replace(exchange, headers=(*exchange.headers, *let)))["EXT-COR-05"]
    assert judgement.verdict is Verdict.PASS
    twice = replace(exchange, headers=(*exchange.headers, *let, *let))
    assert judged(ExtendedServer(), DECLARED, twice)["EXT-COR-05"].verdict is Verdict.FAIL


BUSY = (("Retry-After", "5"),)


@pytest.mark.parametrize(
    ("after", "broken"),
    [
        ("5", set()),
        ("Wed, 21 Oct 2026 07:28:00 GMT", set()),
        ("", {"EXT-BSY-02"}),
        ("soon", {"EXT-BSY-02"}),
        ("-1", {"EXT-BSY-02"}),
    ],
)
def test_a_busy_server(after: str, broken: set[str]) -> None:
    headers = (("Retry-After", after),) if after else ()
    refused = refusal("overlap/second-busy", 503, to=request(), started=0.2)
    busy = replace(refused, headers=(*refused.headers, *headers))
    judgements = judged(ExtendedServer(), DECLARED, busy)
    assert judgements["EXT-BSY-01"].reason == "overlap/second-busy is answered with status 503"
    assert having(judgements, Verdict.FAIL) == broken
    bare = answer("overlap/second-busy", 503, to=request(), headers=BUSY, started=0.2)
    assert having(judged(ExtendedServer(), DECLARED, bare), Verdict.FAIL) == {"EXT-BSY-03"}


def test_another_refusal_is_not_busy() -> None:
    judgements = judged(ExtendedServer(), DECLARED, refusal("overlap/second-busy", 429, to=request(), started=0.2))
    assert judgements["EXT-BSY-01"].verdict is Verdict.NOT_APPLICABLE
    assert "status 429" in judgements["EXT-BSY-01"].reason


def test_too_quick_to_be_busy() -> None:
    late = generation("overlap/second", started=60.0)
    assert judged(ExtendedServer(), DECLARED, late)["EXT-BSY-01"].verdict is Verdict.UNTESTED


def test_an_upscaler_alone() -> None:
    server = ExtendedServer(without=("generate", "formats", "size", "aspect_ratio", "tokenize"))
    exchanges = ask(server, KNOWN, *SCENARIOS)
    judge = Evaluator(CONTRACT, REGISTRY, Found(exchanges), KNOWN)
    assert judge.judge("EXT-UPO-01").reason == "POST /generate is answered with status 404"
    assert judge.judge("EXT-UPO-02").verdict is Verdict.PASS
    for id in ("EXT-FMT-01", "EXT-SIZ-01", "EXT-ASP-01", "EXT-TOK-01"):
        assert judge.judge(id).verdict is Verdict.NOT_APPLICABLE
        assert judge.judge(id).evidence, "it was asked"
    odd = ask(ExtendedServer(without=("generate",), wrong="generate-405"), KNOWN, *SCENARIOS)
    assert Evaluator(CONTRACT, REGISTRY, Found(odd), KNOWN).judge("EXT-UPO-02").verdict is Verdict.FAIL


def test_neither_is_there() -> None:
    gone = [refusal(label, 404, to=request()) for label in ("keep-alive/refused",)]
    upscales = [answer("upscale-refuse/width-missing", 404, to=Request("POST", "/upscale"))]
    judge = Evaluator(CONTRACT, REGISTRY, Found([*gone, *upscales]), SETTINGS)
    judgement = judge.judge("EXT-UPO-01")
    assert judgement.verdict is Verdict.NOT_APPLICABLE
    assert "and POST /upscale with 404" in judgement.reason


def test_a_declared_scheduler_that_no_one_takes() -> None:
    judgements = judged(ExtendedServer(without=("schedulers",)))
    assert having(judgements, Verdict.FAIL) == {"EXT-SCH-01"}


def test_without_a_synonym_there_is_nothing_to_compare() -> None:
    declared = replace(DECLARED, extensions=(Declared("schedulers", ("euler", "lcm")),))
    assert judged(ExtendedServer(), declared)["EXT-SCH-04"].verdict is Verdict.NOT_APPLICABLE


def test_one_step_tells_schedulers_not_apart() -> None:
    assert judged(ExtendedServer(), replace(DECLARED, steps=1))["EXT-SCH-03"].verdict is Verdict.UNTESTED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tokenise", "give one of formats, size"),
        ("schedulers", "schedulers=NAME"),
        ("schedulers=dpm", "some of dpm_karras"),
        ("size=512", "give size alone"),
    ],
)
def test_declarations_that_are_none(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text)


def test_declarations() -> None:
    assert str(parse("schedulers=lcm, euler,lcm")) == "schedulers=lcm,euler"
    assert parse("upscaler-only") == Declared("upscaler-only")
