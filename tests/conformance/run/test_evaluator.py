from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from local_dream_conformance.checks.check import Check
from local_dream_conformance.core import contract
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence, NotApplicable
from local_dream_conformance.core.exchange import End, Exchange, Request
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.run.evaluator import Evaluator, ScenarioFailed

LEVELS = {"A": "MUST", "B": "MUST", "C": "MUST", "S": "SHOULD", "M": "MAY"}
CONTRACT = contract.load(
    "openapi: 3.2.0\npaths: {}\nx-requirements:\n"
    + "".join(
        f"  - {{id: {name}-01, level: {level}, profile: core, source: seed, group: g, text: T.}}\n"
        for name, level in LEVELS.items()
    )
)
EXCHANGE = Exchange("base", Request("GET", "/"), 0.0, End.COMPLETE, 1.0)


class Fixed:
    """Evidence that is there, or an exception in its place; counts how often it was asked for."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.problem = problem
        self.asked = 0

    def cut_short(self, check: Check) -> str:
        return ""

    def exchanges(self, check: Check) -> Mapping[str, Exchange]:
        self.asked += 1
        if self.problem is not None:
            raise self.problem
        return {"base": EXCHANGE}

    def left_out(self, check: Check) -> Mapping[str, str]:
        return {}


def holds(context: Context) -> None:
    context.expect(True, expected="yes", got="yes", exchange=context["base"])


def breaks(context: Context) -> None:
    context.expect(
        False, expected="yes", got="no, tok-123", exchange=context["base"], at="byte 1", cause="tok-123 was sent"
    )


def asserts_nothing(context: Context) -> None:
    assert context["base"]


def raises(context: Context) -> None:
    breaks(context)
    raise ZeroDivisionError


def skips(context: Context) -> None:
    pytest.skip("as if nothing had happened")


def does_not_apply(context: Context) -> None:
    context.not_applicable("no images here")


def breaks_then_does_not_apply(context: Context) -> None:
    breaks(context)
    context.not_applicable("no images here")


def lacks(context: Context) -> None:
    assert context["absent"]


def breaks_then_lacks(context: Context) -> None:
    breaks(context)
    lacks(context)


def judge(
    id: str,
    *functions: Callable[[Context], None],
    requires: Mapping[str, tuple[Callable[[Context], None], tuple[str, ...]]] | None = None,
    after: tuple[str, ...] = (),
    evidence: Fixed | None = None,
) -> Judgement:
    checks = {id: [Check(id, function, ("base",), (), after) for function in functions]}
    for other, (function, further) in (requires or {}).items():
        checks[other] = [Check(other, function, ("base",), (), further)]
    settings = Settings("http://h", headers=(("Authorization", "Bearer tok-123"),))
    return Evaluator(CONTRACT, checks, evidence or Fixed(), settings).judge(id)


@pytest.mark.parametrize(
    ("function", "verdicts"),
    [
        (holds, {"A-01": "pass", "S-01": "pass", "M-01": "pass"}),
        (breaks, {"A-01": "fail", "S-01": "warn", "M-01": "not-applicable"}),
        (asserts_nothing, {"A-01": "error", "S-01": "error", "M-01": "error"}),
        (raises, {"A-01": "error", "S-01": "error"}),
        (skips, {"A-01": "error"}),
        (does_not_apply, {"A-01": "not-applicable"}),
        (breaks_then_does_not_apply, {"A-01": "fail"}),
        (breaks_then_lacks, {"A-01": "fail", "S-01": "warn"}),
        (lacks, {"A-01": "untested"}),
    ],
)
def test_verdict_of_one_check_by_level(function: Callable[[Context], None], verdicts: dict[str, str]) -> None:
    assert {id: str(judge(id, function).verdict) for id in verdicts} == verdicts


@pytest.mark.parametrize(
    ("problem", "verdict"),
    [
        (NotApplicable("--no-img2img"), Verdict.NOT_APPLICABLE),
        (MissingEvidence("the scenario base is over budget"), Verdict.UNTESTED),
        (ScenarioFailed("the scenario base raised"), Verdict.ERROR),
    ],
)
def test_verdict_where_there_is_no_evidence(problem: Exception, verdict: Verdict) -> None:
    judgement = judge("A-01", holds, evidence=Fixed(problem))
    assert (judgement.verdict, judgement.reason) == (verdict, str(problem))


@pytest.mark.parametrize(
    ("functions", "verdict"),
    [
        ((holds, holds), "pass"),
        ((holds, breaks), "fail"),
        ((holds, does_not_apply), "pass"),
        ((holds, lacks), "untested"),
        ((breaks, lacks), "fail"),
        ((breaks, raises), "error"),
        ((does_not_apply, does_not_apply), "not-applicable"),
        ((), "error"),
    ],
)
def test_all_checks_of_a_requirement_must_hold(functions: tuple[Callable[[Context], None], ...], verdict: str) -> None:
    assert str(judge("A-01", *functions).verdict) == verdict


def test_a_judgement_counts_and_names_its_evidence() -> None:
    judgement = judge("A-01", holds, breaks)
    assert judgement.assertions == 2
    assert judgement.evidence == ("base",)
    assert [finding.exchange for finding in judgement.findings] == ["base"]


def test_secrets_do_not_leave_the_judge() -> None:
    finding = judge("A-01", breaks).findings[0]
    assert (finding.got, finding.cause) == ("no, ***", "*** was sent")


@pytest.mark.parametrize(
    ("function", "verdict", "reason"),
    [
        (holds, "pass", ""),
        (breaks, "blocked", "B-01 does not hold"),
        (raises, "blocked", "B-01 does not hold"),
        (does_not_apply, "not-applicable", "B-01: no images here"),
        (lacks, "untested", "B-01: the evidence holds no exchange absent"),
    ],
)
def test_what_must_hold_first(function: Callable[[Context], None], verdict: str, reason: str) -> None:
    judgement = judge("A-01", holds, after=("B-01",), requires={"B-01": (function, ())})
    assert (str(judgement.verdict), judgement.reason) == (verdict, reason)


def test_blocking_names_the_root() -> None:
    requires = {"B-01": (holds, ("C-01",)), "C-01": (breaks, ())}
    judgement = judge("A-01", holds, after=("B-01",), requires=requires)
    assert (judgement.verdict, judgement.reason) == (Verdict.BLOCKED, "C-01 does not hold")


@pytest.mark.parametrize(
    ("after", "words"),
    [(("A-01",), "requires itself: A-01 -> A-01"), (("Z-09",), "requires Z-09, which the contract does not have")],
)
def test_impossible_prerequisites_are_errors(after: tuple[str, ...], words: str) -> None:
    judgement = judge("A-01", holds, after=after)
    assert (judgement.verdict, judgement.reason) == (Verdict.ERROR, words)


def test_each_requirement_is_judged_once() -> None:
    evidence = Fixed()
    checks = {
        "A-01": [Check("A-01", holds, ("base",), (), ("B-01",))],
        "B-01": [Check("B-01", holds, ("base",), (), ())],
    }
    twice = Evaluator(CONTRACT, checks, evidence, Settings("http://h"))
    assert twice.judge("A-01") is twice.judge("A-01")
    twice.judge("B-01")
    assert evidence.asked == 2
