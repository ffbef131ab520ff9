"""The result of a run: one tree with all that there is to report. Every report derives from it or from its JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.contract import Level, Requirement, of_profile
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.verdict import Finding, Judgement, Verdict
from local_dream_conformance.result import extension_line
from local_dream_conformance.result.extension_line import ExtensionLine
from local_dream_conformance.result.judged import Judged
from local_dream_conformance.result.waiver import Waiver

if TYPE_CHECKING:
    from local_dream_conformance.recordings.recording import Recording

FORMAT = 1
JUDGED = (Verdict.PASS, Verdict.FAIL, Verdict.WARN, Verdict.WAIVED, Verdict.STALE)


class Outcome(StrEnum):
    """What a run says of the target as a whole."""

    CONFORMANT = "conformant"
    NOT_CONFORMANT = "not-conformant"
    INCONCLUSIVE = "inconclusive"
    """Nothing failed, but a MUST was blocked or untested, or nothing was judged at all."""
    SUITE_ERROR = "suite-error"
    UNREACHABLE = "unreachable"


EXIT = {
    Outcome.CONFORMANT: 0,
    Outcome.NOT_CONFORMANT: 1,
    Outcome.SUITE_ERROR: 1,
    Outcome.UNREACHABLE: 6,
    Outcome.INCONCLUSIVE: 7,
}


@dataclass(frozen=True)
class ScenarioLine:
    """One scenario in the plan. `state` is "made", "planned" (not made: the run ended before), "failed", "unavailable",
    "over-budget" or "not-recorded"; `reason` says why it was not made.
    """

    name: str
    cost: Cost
    state: str
    reason: str = ""


@dataclass(frozen=True)
class ExchangeLine:
    """One exchange, without its bytes. Times in seconds on the run's clock."""

    label: str
    scenario: str
    method: str
    target: str
    status: int | None
    end: str
    started: float
    ended: float
    sent_bytes: int
    received_bytes: int

    @classmethod
    def of(cls, scenario: str, exchange: Exchange) -> ExchangeLine:
        request = exchange.request
        return cls(
            exchange.label,
            scenario,
            request.method,
            request.target,
            exchange.status,
            str(exchange.end),
            round(exchange.started, 6),
            round(exchange.started + exchange.ended_at, 6),
            len(request.body),
            len(exchange.body),
        )


@dataclass(frozen=True)
class Replayed:
    """The recording that was judged in place of a server. `started`, in ISO 8601, is when it was made, "" if unknown.

    `partial` says that its scenarios are not complete.
    """

    started: str
    suite_version: str
    contract_version: str
    partial: bool

    @classmethod
    def of(cls, recording: Recording) -> Replayed:
        return cls(recording.started, recording.suite_version, recording.contract_version, recording.partial)


@dataclass(frozen=True)
class Result:
    """`started` is UTC in ISO 8601. `deselected` are requirements of the profile that the user left out (-k, paths);
    `unjudged` those that cannot be judged from outside. `problem` is the one line of a run that could not begin.
    """

    suite_version: str
    contract_version: str
    python: str
    started: str
    duration: float
    settings: dict[str, Any]
    launched: str
    strict: bool
    plan: tuple[ScenarioLine, ...]
    planned: Cost
    spent: Cost
    judged: tuple[Judged, ...]
    deselected: tuple[Requirement, ...]
    unjudged: tuple[Requirement, ...]
    exchanges: tuple[ExchangeLine, ...] = ()
    curls: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    waivers: tuple[Waiver, ...] = ()
    """Those whose requirements were selected."""
    replay: Replayed | None = None

    def count(self, verdict: Verdict, level: Level | None = None) -> int:
        """How many requirements have the verdict."""
        return len(self.having(verdict, level=level))

    def having(self, *verdicts: Verdict, level: Level | None = None) -> list[Judged]:
        """The requirements with one of the verdicts."""
        return [
            judged
            for judged in self.judged
            if judged.judgement.verdict in verdicts and level in (None, judged.requirement.level)
        ]

    @property
    def open_musts(self) -> list[Judged]:
        """The MUSTs that were blocked or not tested, without those of extensions that nobody said the target has."""
        declared = {line.name for line in self.extensions if line.declared}
        return [
            judged
            for judged in self.having(Verdict.BLOCKED, Verdict.UNTESTED, level=Level.MUST)
            if (name := of_profile(judged.requirement.profile)) == "" or name in declared
        ]

    @property
    def extensions(self) -> tuple[ExtensionLine, ...]:
        """What the run says of each extension that it judged."""
        return extension_line.lines(self.judged, self.settings.get("extensions", ()))

    @property
    def outcome(self) -> Outcome:
        if self.problem:
            return Outcome.UNREACHABLE
        if self.having(Verdict.FAIL, Verdict.STALE) or (self.strict and self.having(Verdict.WARN)):
            return Outcome.NOT_CONFORMANT
        if self.having(Verdict.ERROR):
            return Outcome.SUITE_ERROR
        if self.open_musts or not self.having(*JUDGED):
            return Outcome.INCONCLUSIVE
        return Outcome.CONFORMANT

    @property
    def exit_code(self) -> int:
        return EXIT[self.outcome]

    def to_json(self) -> dict[str, Any]:
        """The whole result as JSON values."""
        verdicts = Counter(str(judged.judgement.verdict) for judged in self.judged)
        return {
            "format": FORMAT,
            "outcome": str(self.outcome),
            "exit_code": self.exit_code,
            "problem": self.problem,
            "suite": {"name": "local-dream-conformance", "version": self.suite_version, "python": self.python},
            "contract": self.contract_version,
            "started": self.started,
            "duration": round(self.duration, 3),
            "settings": self.settings,
            "launched": self.launched or None,
            "counts": {str(verdict): verdicts[str(verdict)] for verdict in Verdict},
            "plan": {"cost": asdict(self.planned), "probes": [asdict(line) for line in self.plan]},
            "spent": asdict(self.spent),
            "requirements": [_judged_json(judged) for judged in self.judged],
            "deselected": [requirement.id for requirement in self.deselected],
            "unjudged": [{"id": r.id, "text": r.text, "reason": r.unjudged} for r in self.unjudged],
            "exchanges": [_exchange_json(line) for line in self.exchanges],
            "curl": self.curls,
            "extensions": [asdict(line) for line in self.extensions],
            "waivers": [waiver.to_json() for waiver in self.waivers],
            "replayed": None if self.replay is None else asdict(self.replay),
        }


def _exchange_json(line: ExchangeLine) -> dict[str, Any]:
    return {"probe" if name == "scenario" else name: value for name, value in asdict(line).items()}


def _judged_json(judged: Judged) -> dict[str, Any]:
    requirement = {key: value for key, value in asdict(judged.requirement).items() if key != "unjudged"}
    return {**requirement, "level": str(judged.requirement.level), **judgement_json(judged.judgement)}


def judgement_json(judgement: Judgement) -> dict[str, Any]:
    """A judgement as JSON values; judgement_from_json is its inverse."""
    return {**asdict(judgement), "verdict": str(judgement.verdict), "evidence": list(judgement.evidence)} | {
        "findings": [asdict(finding) for finding in judgement.findings]
    }


def judgement_from_json(value: dict[str, Any]) -> Judgement:
    """The judgement that judgement_json made the value of."""
    return Judgement(
        value["id"],
        Verdict(value["verdict"]),
        value["reason"],
        findings(value["findings"]),
        value["assertions"],
        tuple(value["evidence"]),
    )


def findings(values: Sequence[dict[str, str]]) -> tuple[Finding, ...]:
    """Findings from their JSON values."""
    return tuple(Finding(**value) for value in values)
