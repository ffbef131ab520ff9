from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from local_dream_conformance.core import contract
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.fields import documented
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.evidence.default_pair import PAINTED
from local_dream_conformance.run import suite
from tests.conformance.in_memory_server import BARE, DEFAULTS, PICKED, PLAIN, InMemoryServer, asked, run
from tests.conformance.transcripts import (
    FIELDS,
    SETTINGS,
    Pixels,
    answer,
    complete,
    judge,
    picture,
    progress,
    refusal,
    request,
    stream,
    words,
)
from tests.field_values import another

suite.load()
WRONG = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)
IDS = [requirement.id for requirement in contract.load().requirements if requirement.group == "generate-defaults"]
HALVES = (("steps", "cfg", "scheduler"), ("steps", "cfg"), ("steps",))
"""Three bisections that tell steps, cfg and scheduler apart, as the scenario would choose them."""
HEALTHY = answer("health/get", 200)
OTHER: Mapping[str, Any] = {
    name: another({**documented()[name].schema, "default": DEFAULTS[name]}) for name in PAINTED.values()
}
"""For each field a default that is not the written one."""


def evidence(server: InMemoryServer, *bisected: tuple[str, ...], img2img: bool = True) -> list[Exchange]:
    exchanges = run(server, img2img=img2img)
    sent = asked(img2img=img2img)
    bare, whole = {**sent["defaults/absent"], "seed": PICKED}, sent["defaults/explicit"]
    for number, names in enumerate(bisected, 1):
        label = f"defaults/bisect-{number}"
        exchanges[label] = server.answer(label, bare | {name: whole[name] for name in names})
    return [HEALTHY, *exchanges.values()]


def broken(exchanges: list[Exchange]) -> dict[str, Judgement]:
    judgements = {id: judge(id, *exchanges) for id in IDS}
    return {id: found for id, found in judgements.items() if found.verdict in WRONG}


def test_an_honest_run_passes() -> None:
    exchanges = evidence(InMemoryServer())
    for id in IDS:
        judgement = judge(id, *exchanges)
        assert judgement.verdict is Verdict.PASS, words(judgement)


@pytest.mark.parametrize(("id", "field"), PAINTED.items(), ids=PAINTED.values())
def test_a_wrong_default_fails_at_its_own_requirement(id: str, field: str) -> None:
    others = [name for name in PAINTED.values() if name != field]
    found = broken(evidence(InMemoryServer(defaults={field: OTHER[field]}), tuple(others)))
    assert list(found) == [id], {other: words(judgement) for other, judgement in found.items()}
    finding = found[id].findings[0]
    assert finding.expected == f"without {field} what {field} {DEFAULTS[field]!r} gives"
    assert finding.exchange == "defaults/absent"
    assert finding.cause == "this default is another one?"


@pytest.mark.parametrize(("id", "field"), [("GEN-DEF-03", "cfg"), ("GEN-DEF-06", "scheduler")])
def test_bisections_find_the_one_to_blame(id: str, field: str) -> None:
    assert list(broken(evidence(InMemoryServer(defaults={field: OTHER[field]}), *HALVES))) == [id]


def test_bisections_find_two_to_blame() -> None:
    server = InMemoryServer(defaults={"cfg": 4.0, "scheduler": "euler_a"})
    found = broken(evidence(server, ("steps", "cfg", "scheduler"), ("steps", "use_opencl")))
    assert list(found) == ["GEN-DEF-03", "GEN-DEF-06"]


def test_without_bisections_all_that_may_be_to_blame_are_named() -> None:
    found = broken(evidence(InMemoryServer(defaults={"cfg": 4.0})))
    assert set(found) == set(PAINTED)
    assert "this default or that of" in words(found["GEN-DEF-03"])


@pytest.mark.parametrize(
    ("field", "ids"),
    [("width", ["GEN-DEF-04"]), ("height", ["GEN-DEF-05"]), ("steps", ["GEN-DEF-02", "GEN-DEF-07"])],
)
def test_what_the_answers_show_is_blamed_without_bisections(field: str, ids: list[str]) -> None:
    exchanges = evidence(InMemoryServer(defaults={field: OTHER[field]}))
    assert list(broken(exchanges)) == ids
    hidden = judge("GEN-DEF-03", *exchanges)
    assert hidden.verdict is Verdict.UNTESTED
    assert field in hidden.reason


class Converged(InMemoryServer):
    """Its pictures look the same after any number of steps."""

    def _paint(self, meant: Mapping[str, Any]) -> Pixels:
        return super()._paint({**meant, "steps": 4})


def test_steps_that_do_not_show_in_the_picture_are_counted() -> None:
    found = broken(evidence(Converged(defaults={"steps": 5})))
    assert list(found) == ["GEN-DEF-02"]
    assert "the same picture and total_steps" in words(found["GEN-DEF-02"])
    assert broken(evidence(Converged())) == {}


def test_whims_are_not_blamed_on_defaults() -> None:
    exchanges = evidence(InMemoryServer(whim=20), *HALVES)
    for id in PAINTED:
        judgement = judge(id, *exchanges)
        assert judgement.verdict is Verdict.BLOCKED
        assert "GEN-PIC-07" in judgement.reason


def test_a_default_that_cannot_be_sent_is_named_from_the_refusal() -> None:
    refused = refusal(
        "defaults/explicit",
        message="negative_prompt is not supported",
        to=request(asked()["defaults/explicit"]),
    )
    kept = [exchange for exchange in evidence(InMemoryServer()) if exchange.label != "defaults/explicit"]
    found = broken([*kept, refused])
    assert list(found) == ["GEN-DEF-01"]
    assert "negative_prompt is not supported" in words(found["GEN-DEF-01"])
    assert found["GEN-DEF-01"].findings[0].exchange == "defaults/explicit"


def test_a_request_with_everything_left_out_must_come_to_a_picture() -> None:
    failed = refusal("defaults/absent", 500, to=request(asked()["defaults/absent"]))
    kept = [exchange for exchange in evidence(InMemoryServer()) if exchange.label != "defaults/absent"]
    judgement = judge("GEN-DEF-02", *kept, failed)
    assert judgement.verdict is Verdict.BLOCKED
    assert judgement.reason == "GEN-REQ-05 does not hold"


def test_where_the_size_is_fixed_or_no_image_is_taken_some_defaults_do_not_show() -> None:
    exchanges = evidence(InMemoryServer(), img2img=False)
    plain = replace(SETTINGS, img2img=False)
    fixed = replace(SETTINGS, size=(128, 64))
    assert judge("GEN-DEF-07", *exchanges, settings=plain).verdict is Verdict.NOT_APPLICABLE
    assert judge("GEN-DEF-03", *exchanges, settings=plain).verdict is Verdict.PASS
    for id in ("GEN-DEF-04", "GEN-DEF-05"):
        assert judge(id, *exchanges, settings=fixed).verdict is Verdict.NOT_APPLICABLE


def test_a_field_that_was_sent_both_times_proves_nothing() -> None:
    server = InMemoryServer()
    absent = server.answer("defaults/absent", {**BARE, "cfg": 7.5})
    explicit = server.answer("defaults/explicit", {**DEFAULTS, **BARE})
    base = server.answer("base", PLAIN)
    judgement = judge("GEN-DEF-03", HEALTHY, base, absent, explicit)
    assert judgement.verdict is Verdict.UNTESTED
    assert "cfg" in judgement.reason


def test_previews_that_nobody_asked_for() -> None:
    found = broken(evidence(InMemoryServer(defaults={"show_diffusion_process": True})))
    assert list(found) == ["GEN-DEF-08"]
    assert "image in" in words(found["GEN-DEF-08"])


@pytest.mark.parametrize(
    "server",
    [InMemoryServer(defaults={"show_diffusion_stride": 2}), InMemoryServer(ignores=("show_diffusion_stride",))],
    ids=["another default", "ignored"],
)
def test_a_stride_that_is_not_one_where_it_is_left_out(server: InMemoryServer) -> None:
    found = broken(evidence(server))
    assert list(found) == ["GEN-DEF-09"]
    assert "the stride is ignored, or 2 is its default" in words(found["GEN-DEF-09"])


def test_the_stride_does_not_show_without_previews_or_with_one_step() -> None:
    exchanges = evidence(InMemoryServer(ignores=("show_diffusion_process",)))
    assert judge("GEN-DEF-09", *exchanges).reason == "GEN-EVT-09: the server sends no previews"
    server = InMemoryServer()
    short = {**PLAIN, "steps": 1, "show_diffusion_process": True}
    runs = server.answer("base", short), server.answer("overlap/first", {**short, "show_diffusion_stride": 2})
    assert "--steps 1" in judge("GEN-DEF-09", *runs).reason
    alone = judge("GEN-DEF-09", server.answer("base", {**PLAIN, "show_diffusion_process": True}))
    assert alone.verdict is Verdict.UNTESTED


def seedless(label: str, seed: Any) -> Exchange:
    fields = {name: value for name, value in FIELDS.items() if name != "seed"}
    last = {**complete(picture()), "seed": seed}
    return stream(label, [*(progress(step, 4) for step in range(1, 5)), last], fields=fields)


@pytest.mark.parametrize(("seed", "said"), [(-5, "signed"), (2**32, "4294967296")])
def test_a_picked_seed_fits_into_32_bits(seed: int, said: str) -> None:
    judgement = judge("GEN-DEF-11", InMemoryServer().answer("base", PLAIN), seedless("overlap/second", seed))
    assert judgement.verdict is Verdict.FAIL
    assert said in words(judgement)


def test_picked_seeds_differ() -> None:
    base = InMemoryServer().answer("base", PLAIN)
    same = judge("GEN-DEF-12", base, seedless("hang-up/next", 42), seedless("overlap/second", 42))
    assert same.verdict is Verdict.WARN
    assert "seed 42 both times" in words(same)
    assert judge("GEN-DEF-12", base, seedless("overlap/second", 42)).verdict is Verdict.UNTESTED
    assert judge("GEN-DEF-11", base).verdict is Verdict.UNTESTED


def test_seeds_of_generations_at_once_say_nothing_where_requests_share_their_state() -> None:
    base = InMemoryServer().answer("base", PLAIN)
    two = replace(seedless("queue/first", 42), started=10.0), replace(seedless("queue/third", 42), started=10.0)
    assert judge("GEN-DEF-12", base, *two).verdict is Verdict.WARN
    other = stream("overlap/first", [progress(1, 1), {**complete(picture()), "seed": 42}], fields=FIELDS)
    assert FIELDS["seed"] != 42
    told = judge("GEN-DEF-12", base, other, *two)
    assert told.verdict is Verdict.UNTESTED
    assert "ran at once" in told.reason
    later = replace(two[1], started=99.0)
    assert judge("GEN-DEF-12", base, other, two[0], later).verdict is Verdict.WARN


@pytest.mark.parametrize(
    ("id", "field", "other"), [("GEN-DEF-05", "height", "width"), ("GEN-DEF-04", "width", "height")]
)
def test_a_side_that_is_left_out_alone(id: str, field: str, other: str) -> None:
    exchanges = evidence(InMemoryServer())
    sent = {**PLAIN, other: 64}
    del sent[field]
    for length, verdict in ((512, Verdict.PASS), (64, Verdict.FAIL)):
        alone = stream("strength/low", [progress(4, 4), complete(picture(64, 64)) | {field: length}], fields=sent)
        judgement = judge(id, *exchanges, alone)
        assert judgement.verdict is verdict, words(judgement)
    assert "as long as the other one?" in words(judgement)
