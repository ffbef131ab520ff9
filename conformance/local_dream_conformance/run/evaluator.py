"""The judge: evaluates the checks of a requirement on the evidence and says one of the verdicts.

Pure over its evidence: it makes no calls of its own (evidence may be fetched lazily behind `Evidence`), so that a live
run and a replay are judged by the same code.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from local_dream_conformance.checks.check import REQUIRED, SURVIVAL, Check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.contract import Contract, Level, Requirement, of_profile
from local_dream_conformance.core.errors import MissingEvidence, NotApplicable, TargetGone
from local_dream_conformance.core.exchange import GONE, Exchange
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Finding, Judgement, Verdict
from local_dream_conformance.evidence.deaths import is_evidence
from local_dream_conformance.scenarios import destructive


class ScenarioFailed(Exception):
    """A scenario raised: the suite's own fault. The message is its traceback."""


class Evidence(Protocol):
    """Where the judge finds exchanges."""

    def exchanges(self, check: Check) -> Mapping[str, Exchange]:
        """The exchanges that a check may look at.

        Raises NotApplicable where the settings say that the target lacks what a needed scenario asks for,
        MissingEvidence where a needed scenario was not run, TargetGone where it could not be since the target was gone,
        ScenarioFailed where one raised. A check of deaths gets what there is.
        """

    def left_out(self, check: Check) -> Mapping[str, str]:
        """The labels of exchanges that a check might have looked at, had they been made, with the reason (GONE for
        one)."""


PRECEDENCE = (
    Verdict.ERROR,
    Verdict.FAIL,
    Verdict.WARN,
    Verdict.BLOCKED,
    Verdict.UNTESTED,
    Verdict.PASS,
    Verdict.NOT_APPLICABLE,
)
"""Of several checks of one requirement the first of these counts: broken beats unknown, unknown beats kept."""

BROKEN = (Verdict.ERROR, Verdict.FAIL, Verdict.WARN, Verdict.BLOCKED)


class Evaluator:
    """Judges requirements, each once."""

    def __init__(
        self, contract: Contract, checks: Mapping[str, Sequence[Check]], evidence: Evidence, settings: Settings
    ) -> None:
        self.contract = contract
        self.checks = checks
        self.evidence = evidence
        self.settings = settings
        self._judged: dict[str, Judgement] = {}
        self._path: list[str] = []

    def judge(self, id: str) -> Judgement:
        """The verdict on a requirement. Raises KeyError for an id that the contract does not have."""
        requirement = self.contract.by_id[id]
        if id not in self._judged:
            self._path.append(id)
            try:
                self._judged[id] = self._cleaned(self._judge(requirement))
            finally:
                self._path.pop()
        return self._judged[id]

    def _judge(self, requirement: Requirement) -> Judgement:
        checks = self.checks.get(requirement.id, ())
        if not checks:
            return Judgement(requirement.id, Verdict.ERROR, "no check proves this requirement")
        judged = [self._prerequisites(check) or self._evaluate(requirement, check) for check in checks]
        worst = min(judged, key=lambda judgement: PRECEDENCE.index(judgement.verdict))
        return replace(
            worst,
            findings=tuple(finding for judgement in judged for finding in judgement.findings),
            assertions=sum(judgement.assertions for judgement in judged),
            evidence=tuple(dict.fromkeys(label for judgement in judged for label in judgement.evidence)),
            blocked_by=_in_the_way(judged),
            unusable=_all_unusable(judged),
        )

    def _prerequisites(self, check: Check) -> Judgement | None:
        """Why the check cannot be judged, or None where all that it requires holds."""
        stops: list[Judgement] = []
        for id in check.requires:
            if id in self._path:
                return Judgement(check.id, Verdict.ERROR, f"requires itself: {' -> '.join((*self._path, id))}")
            if id not in self.contract.by_id and check.requires == REQUIRED:
                continue  # a contract of somebody's own need not have what ours requires by default
            if id not in self.contract.by_id:
                return Judgement(check.id, Verdict.ERROR, f"requires {id}, which the contract does not have")
            earlier = self.judge(id)
            if earlier.verdict is Verdict.NOT_APPLICABLE:
                stops = stops or [Judgement(check.id, earlier.verdict, f"{id}: {earlier.reason}")]
            elif earlier.verdict is Verdict.UNTESTED and earlier.assertions and not earlier.findings:
                continue  # a scenario was cut short; what there is of it holds
            elif earlier.verdict is Verdict.UNTESTED:
                why = f"{id}: {earlier.reason}"
                stops.append(Judgement(check.id, earlier.verdict, why, blocked_by=earlier.blocked_by or (id,)))
            elif earlier.verdict is Verdict.BLOCKED:
                stops.append(Judgement(check.id, Verdict.BLOCKED, earlier.reason, blocked_by=earlier.blocked_by))
            elif earlier.verdict in BROKEN:
                stops.append(Judgement(check.id, Verdict.BLOCKED, f"{id} does not hold", blocked_by=(id,)))
        return replace(stops[0], blocked_by=_in_the_way(stops)) if stops else None

    def _evaluate(self, requirement: Requirement, check: Check) -> Judgement:
        context: Context | None = None
        verdict, reason, unusable = Verdict.PASS, "", False
        try:
            context = self._context(check)
            check.function(context)
        except NotApplicable as stop:
            verdict, reason = Verdict.NOT_APPLICABLE, str(stop)
        except MissingEvidence as stop:
            verdict, reason, unusable = Verdict.UNTESTED, _missing(str(stop), context), not stop.ours
        except TargetGone:
            verdict, reason = self._blocked()
        except ScenarioFailed as stop:
            verdict, reason = Verdict.ERROR, str(stop)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:  # pytest's skip and fail are no Exceptions, and have no place in a check either
            verdict, reason = Verdict.ERROR, f"the check raised\n{traceback.format_exc(limit=-4)}"
        if context is None:
            return Judgement(requirement.id, verdict, reason, blocked_by=self._blockers(verdict))
        if context.findings and verdict is not Verdict.ERROR:
            verdict, reason = _broken(requirement, context.findings[0], self.settings)
        elif verdict is not Verdict.ERROR and (unknown := _what_is_missing(context, verdict)):
            verdict, reason = self._blocked() if GONE in unknown else (Verdict.UNTESTED, unknown[0])
            unusable = False
        elif verdict is Verdict.PASS and not context.assertions:
            verdict, reason = Verdict.ERROR, f"the check {check.function.__qualname__} asserted nothing"
        elif verdict is Verdict.PASS:
            reason = context.remark
        return Judgement(
            requirement.id,
            verdict,
            reason,
            tuple(context.findings),
            context.assertions,
            tuple(context.looked_at or (context.exchanges if unusable else ())),
            blocked_by=self._blockers(verdict),
            unusable=unusable and verdict is Verdict.UNTESTED,
        )

    def _context(self, check: Check) -> Context:
        """What the check looks at.

        Unless it judges that, it is spared what a target that is gone did not answer: of the scenarios that it needs
        that is missing, of others only where it asks for it by name.
        """
        exchanges = self.evidence.exchanges(check)
        left_out = dict(self.evidence.left_out(check))
        overlooked: set[str] = set()
        if not check.deaths:
            needed = (*check.needs, *check.also)
            silent = {label: GONE for label, exchange in exchanges.items() if not is_evidence(exchange)}
            overlooked = {label for label in silent if label.partition("/")[0] not in needed}
            exchanges = {label: exchange for label, exchange in exchanges.items() if label not in silent}
            left_out |= silent
        withheld = {} if self.settings.destructive else destructive.REASONS
        return Context(exchanges, self.settings, left_out=left_out, overlooked=frozenset(overlooked), withheld=withheld)

    def _blocked(self) -> tuple[Verdict, str]:
        """By the death of the target, and by nothing else."""
        return Verdict.BLOCKED, f"{SURVIVAL} does not hold" if SURVIVAL in self.contract.by_id else GONE

    def _blockers(self, verdict: Verdict) -> tuple[str, ...]:
        return (SURVIVAL,) if verdict is Verdict.BLOCKED and SURVIVAL in self.contract.by_id else ()

    def _cleaned(self, judgement: Judgement) -> Judgement:
        """Without secrets: a target may echo a token in what a finding quotes."""
        redact = self.settings.redact
        findings = tuple(_mapped(finding, redact) for finding in judgement.findings)
        return replace(judgement, reason=redact(judgement.reason), findings=findings)


def _what_is_missing(context: Context, verdict: Verdict) -> list[str]:
    """Why the check cannot say what it would have said, GONE among the reasons where the target is; [] where it can.

    What it tried to look at counts in any case. Where it found too little, all counts that could have been there.
    """
    if verdict is Verdict.NOT_APPLICABLE or (verdict is Verdict.PASS and context.assertions):
        return list(context.missed.values())
    known = verdict is Verdict.UNTESTED and bool(context.missed_withheld)
    if verdict is Verdict.PASS or (verdict is Verdict.UNTESTED and not known):
        return list((context.missed or _needed(context)).values())
    return list(context.missed.values())


def _needed(context: Context) -> dict[str, str]:
    """What was left out of the scenarios that the check needs, and never sent of others."""
    return {label: reason for label, reason in context.left_out.items() if label not in context.overlooked}


def _in_the_way(judged: Sequence[Judgement]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id for judgement in judged for id in judgement.blocked_by))


def _all_unusable(judged: Sequence[Judgement]) -> bool:
    """Whether every check of a requirement that could not be judged for want of evidence had answers to look at."""
    untested = [one for one in judged if one.verdict is Verdict.UNTESTED and not one.blocked_by]
    return bool(untested) and all(one.unusable for one in untested)


def _missing(what: str, context: Context | None) -> str:
    if context is not None and context.missed_withheld:
        return next(iter(context.missed_withheld.values()))
    return what if " " in what else f"the evidence holds no exchange {what}"


def _broken(requirement: Requirement, finding: Finding, settings: Settings) -> tuple[Verdict, str]:
    if requirement.level is Level.MUST:
        return Verdict.FAIL, ""
    if requirement.level is Level.SHOULD:
        return Verdict.WARN, ""
    if settings.declares(of_profile(requirement.profile)):
        return Verdict.FAIL, ""
    return Verdict.NOT_APPLICABLE, f"optional, and the target does not do it: expected {finding.expected}"


def _mapped(finding: Finding, change: Callable[[str], str]) -> Finding:
    return Finding(
        change(finding.expected), change(finding.got), finding.exchange, change(finding.at), change(finding.cause)
    )
