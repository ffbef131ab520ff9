"""The matrix can fail: every kind of hole, shown on made-up trials; and real trials, with a check muted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from local_dream_conformance.core.contract import of_profile
from local_dream_conformance.core.verdict import Finding, Judgement, Verdict
from local_dream_conformance.run import suite
from local_dream_conformance.run.suite import Suite
from local_dream_mockserver.faults.catalogue import Fault, Layer, Quirk, entries
from local_dream_mockserver.faults.emulated.releases import personalities
from local_dream_mockserver.proxy.mutator import ResponseMutator
from tests.matrix import muted, report
from tests.matrix.expectations import Expectation
from tests.matrix.matrix import Excuse, Matrix, load_exceptions
from tests.matrix.remembered import remembering
from tests.matrix.trial import HONEST, PROFILE, Trial, attempt, settings_of

SUITE = suite.load()
IDS = [r.id for r in SUITE.contract.in_profile(PROFILE) if not r.unjudged]
BAD = Fault(
    name="bad",
    sentence="Bad.",
    layer=Layer.EVENT,
    make=ResponseMutator,
    breaks=("GEN-EVT-04",),
)
EXPECTED = {name: Expectation(consequences=("GEN-EVT-05",)) for name in ("bad", "worse")}
WORSE = replace(BAD, name="worse")
ODD = Quirk(name="odd", sentence="Odd.", layer=Layer.EVENT, make=ResponseMutator, discouraged=("GEN-SSE-02",))


def judged(**verdicts: Verdict) -> dict[str, Judgement]:
    """All requirements hold but these (with _ for -)."""
    found = {id: Judgement(id, Verdict.PASS, assertions=1) for id in IDS}
    for id, verdict in verdicts.items():
        name = id.replace("_", "-")
        broken = verdict in (Verdict.FAIL, Verdict.WARN)
        found[name] = Judgement(name, verdict, "", (Finding("this", "that", "base"),) if broken else ())
    return found


def check_name(id: str) -> str:
    return muted.name(SUITE.checks[id][0])


def trial(name: str, applied: int = 3, **verdicts: Verdict) -> Trial:
    broken = {check_name(id.replace("_", "-")): True for id, verdict in verdicts.items() if verdict is Verdict.FAIL}
    return Trial(name, judged(**verdicts), applied, 1.0, broken)


CAUGHT = trial("bad", GEN_EVT_04=Verdict.FAIL, GEN_EVT_05=Verdict.FAIL)
EXCUSED = {id: Excuse(id, 0, "made up") for id in IDS if id != "GEN-EVT-04"}
GOOD = {
    HONEST: trial(HONEST, 0),
    "bad": CAUGHT,
    "worse": replace(CAUGHT, name="worse"),
    "odd": trial("odd", GEN_SSE_02=Verdict.WARN),
}


def matrix(trials: Mapping[str, Trial] | None = None, excuses: Mapping[str, Excuse] = EXCUSED) -> Matrix:
    entries: dict[str, Fault | Quirk] = {"bad": BAD, "worse": WORSE, "odd": ODD}
    return Matrix(SUITE, entries, {**GOOD, **(trials or {})}, excuses, expectations=EXPECTED)


def test_a_matrix_without_holes() -> None:
    assert list(matrix().holes()) == []
    assert matrix().kills["GEN-EVT-04"] == ["bad", "worse"]


@pytest.mark.parametrize(
    ("trials", "hole"),
    [
        ({"bad": trial("bad")}, "fault bad: GEN-EVT-04 is pass, though the fault breaks it"),
        ({"bad": trial("bad", GEN_EVT_04=Verdict.BLOCKED)}, "fault bad: GEN-EVT-04 is blocked, though"),
        (
            {"bad": trial("bad", GEN_EVT_04=Verdict.FAIL, GEN_EVT_12=Verdict.FAIL)},
            "fault bad: GEN-EVT-12 is fail (expected this, got that in base), which is not among its consequences",
        ),
        ({"bad": replace(CAUGHT, applied=0)}, "bad: was never served"),
        ({"bad": replace(CAUGHT, applied=0)}, "GEN-EVT-04: killed by 1 of 2 faults (worse)"),
        ({"bad": Trial("bad", problem="nobody\nis there")}, "bad: the suite did not begin: nobody ... is there"),
        ({"bad": trial("bad", HLT_01=Verdict.ERROR)}, "bad: HLT-01 is an error of the suite"),
        ({"odd": trial("odd", GEN_SSE_02=Verdict.WARN, HLT_01=Verdict.FAIL)}, "quirk odd: HLT-01 is fail"),
        ({"odd": trial("odd", GEN_SSE_02=Verdict.WARN, HLT_01=Verdict.BLOCKED)}, "quirk odd: HLT-01 is blocked"),
        ({"odd": trial("odd", GEN_SSE_02=Verdict.WARN, HLT_01=Verdict.UNTESTED)}, "quirk odd: HLT-01 is untested"),
        ({"odd": trial("odd")}, "quirk odd: GEN-SSE-02 is pass, though the quirk goes against it"),
        ({HONEST: trial(HONEST, GEN_EVT_07=Verdict.WARN)}, "the honest server: GEN-EVT-07 is warn"),
    ],
)
def test_each_hole_is_seen(trials: dict[str, Trial], hole: str) -> None:
    holes = list(matrix(trials).holes())
    assert any(line.startswith(hole) for line in holes), holes


def test_exceptions_are_held_to_what_they_say() -> None:
    id = "GEN-EVT-04"
    assert list(matrix(excuses={**EXCUSED, id: Excuse(id, 2, "x")}).holes()) == []
    assert list(matrix(excuses={**EXCUSED, id: Excuse(id, 1, "x")}).holes()) == [
        f"{id}: killed by 2 faults, though exceptions.toml says that 1 are conceivable"
    ]
    assert list(matrix(excuses={**EXCUSED, "GEN-X-01": Excuse("GEN-X-01", 1, "x")}).holes()) == [
        "GEN-X-01: in exceptions.toml, but not in the contract"
    ]


def test_a_check_that_finds_no_fault_by_itself_is_a_hole() -> None:
    name = check_name("GEN-EVT-04")
    unproven = replace(CAUGHT, proven={name: False})
    holes = list(matrix({"bad": unproven, "worse": replace(unproven, name="worse")}).holes())
    assert holes == [f"check {name}: no fault shows that it can fail"]


def test_an_unproven_check_needs_an_excuse_and_keeps_it_only_while_it_is_true() -> None:
    name = check_name("GEN-EVT-04")
    unproven = replace(CAUGHT, proven={name: False})
    made = matrix({"bad": unproven, "worse": replace(unproven, name="worse")})
    assert list(replace(made, unproven={name: "x"}).holes()) == []
    assert list(replace(matrix(), unproven={name: "x"}).holes()) == [
        f"check {name}: exceptions.toml says that nothing proves it, and bad does"
    ]


def test_each_of_two_checks_is_tried_alone(real: Suite) -> None:
    one, other = real.checks["UPS-REQ-08"]
    assert one.function is not other.function
    left = muted.alone(real, one).checks["UPS-REQ-08"]
    assert [check.function is was.function for check, was in zip(left, (one, other), strict=True)] == [True, False]


def test_the_exceptions_are_readable() -> None:
    for id, excuse in load_exceptions().items():
        assert id in IDS
        assert 0 <= excuse.faults < 2
        assert excuse.reason.endswith(".")


def test_an_exception_without_a_reason_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "exceptions.toml"
    path.write_text('[[exception]]\nid = "HLT-01"\nfaults = 1\nreason = " "\n')
    with pytest.raises(ValueError, match="needs id, faults and reason"):
        load_exceptions(path)


def test_the_documents_tell_of_holes() -> None:
    broken = matrix({"bad": trial("bad")})
    markdown, json = report.files(broken).values()
    assert "## Holes\n\n- fault bad: GEN-EVT-04 is pass, though the fault breaks it" in markdown
    assert "| `bad` | Bad. | GEN-EVT-04 | NO |" in markdown
    assert "| `worse` | Bad. | GEN-EVT-04 | yes |" in markdown
    assert '"caught": []' in json
    assert "## Holes" not in report.files(matrix())[report.MARKDOWN]


@pytest.fixture(scope="module")
def real() -> Suite:
    return remembering(suite.load())


@pytest.fixture(scope="module")
def honest(real: Suite) -> Trial:
    return attempt(real, None)


def only(names: list[str], real: Suite, honest: Trial) -> Matrix:
    """A matrix of real trials of these entries. What they do not break is excused."""
    chosen = {name: entries()[name] for name in names}
    trials = {name: attempt(real, entry) for name, entry in chosen.items()} | {HONEST: honest}
    broken = {id for entry in chosen.values() if isinstance(entry, Fault) for id in entry.breaks}
    excuses = {id: Excuse(id, 0, "not tried here") for id in IDS if id not in broken}
    return Matrix(real, chosen, trials, excuses)


def test_the_trial_of_an_extension_judges_all_extensions_and_what_their_requests_show(real: Suite) -> None:
    made = attempt(real, entries()["coded-bgr"])
    of_extensions = {r.id for r in real.contract.requirements if of_profile(r.profile)}
    assert of_extensions <= made.judgements.keys() < set(IDS)
    assert {id for id in made.judgements if made.broken(id)} == {"EXT-FMT-05"}
    there = {id for id in of_extensions if made.judgements[id].verdict is Verdict.PASS}
    assert there == {f"EXT-FMT-0{number}" for number in (1, 2, 3, 4, 6)}, "the other extensions are off"
    assert {"GEN-PIC-02", "GEN-SSE-05", "ROB-02"} <= made.judgements.keys()
    assert made.proven == {check_name("EXT-FMT-05"): True}


def test_the_honest_server_is_judged_by_all_requirements(honest: Trial) -> None:
    assert sorted(honest.judgements) == sorted(IDS)
    passed = {id for id, judgement in honest.judgements.items() if judgement.verdict is Verdict.PASS}
    assert {"EXT-FMT-05", "EXT-SIZ-02", "EXT-ASP-03", "EXT-TOK-04", "EXT-COR-06", "EXT-SCH-03"} <= passed


def test_where_no_extension_is_at_stake_none_is_judged() -> None:
    assert settings_of(entries()["crlf"]) == {"profile": "hardened"}
    assert settings_of(personalities()["2.4"]) == {"profile": "all"}
    assert settings_of(personalities()["2.7"]) == {"profile": "all", "extension": ("ultrafix",)}
    assert settings_of(entries()["lcm-refused"]) == {"profile": "all", "extension": ("schedulers=euler,lcm,eulera",)}
    assert settings_of(entries()["pages-without-generate"])["extension"] == ("cors", "upscaler-only")


def test_a_mute_check_makes_holes_in_real_trials(real: Suite, honest: Trial) -> None:
    assert not [hole for hole in only(["crlf", "cr", "two-in-a-packet"], real, honest).holes() if "GEN-SSE-05" in hole]
    check = real.checks["GEN-SSE-05"][0]
    holes = list(only(["crlf", "cr"], muted.mute(real, check), honest).holes())
    assert "fault crlf: GEN-SSE-05 is pass, though the fault breaks it" in holes
    assert "GEN-SSE-05: killed by 0 of 2 faults (none)" in holes
    assert f"check {muted.name(check)}: no fault shows that it can fail" in holes
