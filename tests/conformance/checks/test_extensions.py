"""The checks of the extensions, on what a server on paper answers to the real scenarios."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from local_dream_conformance.checks.check import REGISTRY
from local_dream_conformance.core.contract import Level, of_profile
from local_dream_conformance.core.exchange import Request
from local_dream_conformance.core.extension import NAMES as ALL_NAMES
from local_dream_conformance.core.extension import Declared, parse
from local_dream_conformance.core.fields import of_extensions
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.run.evaluator import Evaluator
from tests.conformance.checks.extension_verdicts import (
    CONTRACT,
    DECLARED,
    EXTENSIONS,
    KNOWN,
    NAMES,
    SCENARIOS,
    having,
    judged,
    of,
)
from tests.conformance.extended_server import ExtendedServer, ask
from tests.conformance.transcripts import SETTINGS, Found, answer, refusal, request, words

UNASKED = ("schedulers", "ultrafix", "reference_images")
"""What is asked for only where it is declared."""
ALONE = ("busy", "upscaler-only")
"""What a server that has all the others does not show here: it queues, and it has a /generate."""


def test_the_names_are_those_of_the_spec() -> None:
    found = {of_profile(r.profile) for r in CONTRACT.requirements} - {""}
    assert tuple(ALL_NAMES) == tuple(sorted(found, key=ALL_NAMES.index))
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
    assert having(judgements, Verdict.NOT_APPLICABLE) == of(*lacking, *ALONE) - of(*UNASKED)
    assert having(judgements, Verdict.UNTESTED) == of(*UNASKED), "their scenarios are not available"
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
    "ultrafix-one-tile": {"EXT-UFX-02"},
    "ultrafix-swaps": {"EXT-UFX-03"},
    "ultrafix-in-one-half": {"EXT-UFX-04"},
    "ultrafix-500": {"EXT-UFX-05"},
    "ultrafix-takes-masks": {"EXT-UFX-06"},
    "takes-any-tile": {"EXT-UFX-07"},
    "reference-gives-the-size": {"EXT-REF-02"},
    "references-unseen": {"EXT-REF-03"},
    "takes-any-references": {"EXT-REF-04"},
    "references-500": {"EXT-REF-04"},
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
    "ultrafix-one-tile": "one tile is sent",
    "ultrafix-swaps": "tiles are in other places",
    "ultrafix-in-one-half": "only some of the tiles",
    "reference-gives-the-size": "its size from a reference",
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


def test_the_landscape_is_asked_for_where_there_are_ratios() -> None:
    for without, asked in (((), True), (("aspect_ratio",), False)):
        server = ExtendedServer(without=without)
        ask(server, KNOWN, "base", "aspect-ratio")
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
