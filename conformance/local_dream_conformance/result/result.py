"""The result of a run: one tree with all that there is to report, which is also the form of its JSON.

Every report derives from it. The published schema is generated from these types (`schema`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, TypedDict

import msgspec
from msgspec import Meta, Struct

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.contract import Level, Requirement, of_profile
from local_dream_conformance.core.exchange import End, Exchange
from local_dream_conformance.core.verdict import ENDED, Verdict
from local_dream_conformance.result import cause, extension_line, requirement_result
from local_dream_conformance.result.cause import Cause
from local_dream_conformance.result.extension_line import ExtensionLine
from local_dream_conformance.result.requirement_result import RequirementResult
from local_dream_conformance.result.waiver import Waiver

if TYPE_CHECKING:
    from local_dream_conformance.recordings.recording import Recording

FORMAT = 1
NAME: Literal["local-dream-conformance"] = "local-dream-conformance"
JUDGED = (Verdict.PASS, Verdict.FAIL, Verdict.WARN, Verdict.WAIVED, Verdict.STALE)
Count = Annotated[int, Meta(ge=0)]


class Outcome(StrEnum):
    """What a run says of the target as a whole."""

    CONFORMANT = "conformant"
    NOT_CONFORMANT = "not-conformant"
    INCONCLUSIVE = "inconclusive"
    """Nothing failed, but a MUST was blocked or untested, or requirements are missing that nobody left out on the
    command line, or nothing was judged at all."""
    SUITE_ERROR = "suite-error"
    UNREACHABLE = "unreachable"


EXIT: dict[Outcome, Literal[0, 1, 6, 7]] = {
    Outcome.CONFORMANT: 0,
    Outcome.NOT_CONFORMANT: 1,
    Outcome.SUITE_ERROR: 1,
    Outcome.UNREACHABLE: 6,
    Outcome.INCONCLUSIVE: 7,
}


class SuiteInfo(Struct, frozen=True):
    """The suite that judged, and the Python that it ran under."""

    name: Literal["local-dream-conformance"]
    version: str
    python: str


class BudgetLimits(TypedDict):
    """The most that the run was allowed to cost the target; null is no limit."""

    generations: int | None
    upscales: int | None


class PublicSettings(TypedDict):
    """What Settings.public() has: the values of headers are left out."""

    url: str
    profile: Literal["core", "hardened", "all"]
    strict: bool
    size: Annotated[str, Meta(pattern="^[0-9]+x[0-9]+$")] | None
    steps: int | None
    upscaler_path: str | None
    img2img: bool
    idle_timeout: float
    total_timeout: float
    destructive: bool
    headers: list[str]
    budget: BudgetLimits
    seed: int
    waivers: NotRequired[str | None]
    known: NotRequired[list[str]]
    max_duration: NotRequired[float | None]
    extensions: NotRequired[list[str]]
    fields: NotRequired[list[str]]
    cacert: NotRequired[str | None]
    insecure: NotRequired[bool]
    relaunch: NotRequired[str | None]


ScenarioState = Literal["made", "planned", "failed", "unavailable", "over-budget", "not-recorded"]


class ScenarioLine(Struct, frozen=True):
    """One scenario in the plan. `planned`: not made, since the run ended before. `reason` says why it was not made,
    or not to its end."""

    name: str
    cost: Cost
    state: ScenarioState
    reason: str = ""


class PlanLine(Struct, frozen=True, rename={"scenarios": "probes"}):
    """What the run meant to do, and what it meant to cost the target."""

    cost: Cost
    scenarios: tuple[ScenarioLine, ...]


class ExchangeLine(Struct, frozen=True, rename={"scenario": "probe"}):
    """One exchange, without its bytes. Times in seconds on the run's clock."""

    label: str
    scenario: str
    method: str
    target: str
    status: int | None
    end: End
    started: float
    ended: float
    sent_bytes: Count
    received_bytes: Count

    @classmethod
    def of(cls, scenario: str, exchange: Exchange) -> ExchangeLine:
        request = exchange.request
        return cls(
            exchange.label,
            scenario,
            request.method,
            request.target,
            exchange.status,
            exchange.end,
            round(exchange.started, 6),
            round(exchange.started + exchange.ended_at, 6),
            len(request.body),
            exchange.size,
        )


class Unjudged(Struct, frozen=True):
    """A requirement that cannot be judged from outside, with the reason."""

    id: str
    text: str
    reason: str


class Replayed(Struct, frozen=True):
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


class Result(Struct, frozen=True, kw_only=True):
    """What --json-report writes. Later versions of the suite may add properties; a change that takes one away or
    changes what it means gets a new format number.

    `started` is UTC in ISO 8601, `duration` in seconds. `problem` is the one line of a run that could not begin.
    `launched` names the suite's own server where that was judged. `deselected` are ids of the profile that the user
    left out (-k, paths); `selection` are the words of the command line that did, "" where it was something else. `curl`
    has a command for each exchange that a finding names. `causes` has what is broken, by what findings have in common.
    `waivers` are those whose requirements were selected.
    """

    format: Literal[1] = 1
    outcome: Outcome
    exit_code: Literal[0, 1, 6, 7]
    problem: str
    suite: SuiteInfo
    contract: str
    started: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
    duration: Annotated[float, Meta(ge=0)]
    settings: PublicSettings
    launched: str | None
    counts: dict[Verdict, Count]
    plan: PlanLine
    spent: Cost
    requirements: tuple[RequirementResult, ...]
    deselected: tuple[str, ...]
    unjudged: tuple[Unjudged, ...]
    exchanges: tuple[ExchangeLine, ...]
    curl: dict[str, str]
    extensions: tuple[ExtensionLine, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    replayed: Replayed | None = None
    selection: str = ""
    causes: tuple[Cause, ...] = ()

    def count(self, *standings: str, level: str | None = None) -> int:
        """How many requirements have one of the standings."""
        return len(self.having(*standings, level=level))

    def having(self, *standings: str, level: str | None = None) -> list[RequirementResult]:
        """The requirements with one of the standings: verdicts, or EXCUSED."""
        return requirement_result.having(self.requirements, *standings, level=level)

    @property
    def left_out_by(self) -> str:
        """What left requirements of the profile out."""
        return self.selection or "PYTEST_ADDOPTS, a configuration file, a conftest.py or a plugin?"

    @property
    def open_musts(self) -> list[RequirementResult]:
        """The MUSTs that were blocked or not tested, without those that are excused, and without those of extensions
        that nobody said the target has."""
        return _open_musts(self.requirements, self.extensions)

    def to_json(self) -> dict[str, Any]:
        """As JSON values. Texts of a target may have lone surrogates in them, which msgspec's own JSON refuses."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


def make(
    *,
    suite_version: str,
    contract_version: str,
    python: str,
    started: str,
    duration: float,
    settings: dict[str, Any],
    launched: str,
    scenarios: Sequence[ScenarioLine],
    planned: Cost,
    spent: Cost,
    requirements: Sequence[RequirementResult],
    deselected: Sequence[Requirement],
    unjudged: Sequence[Requirement],
    exchanges: Sequence[ExchangeLine] = (),
    curls: dict[str, str] | None = None,
    problem: str = "",
    selection: str = "",
    waivers: Sequence[Waiver] = (),
    replayed: Replayed | None = None,
) -> Result:
    """The result of a run, with what follows from its parts: outcome, exit code, counts and extensions."""
    extensions = extension_line.lines(requirements, settings["extensions"])
    missing = bool(deselected) and not selection
    outcome = _outcome(requirements, extensions, strict=settings["strict"], missing=missing)
    if problem:
        outcome = Outcome.UNREACHABLE
    verdicts = Counter(one.verdict for one in requirements)
    return Result(
        outcome=outcome,
        exit_code=EXIT[outcome],
        problem=problem,
        suite=SuiteInfo(NAME, suite_version, python),
        contract=contract_version,
        started=started,
        duration=round(duration, 3),
        settings=msgspec.convert(settings, PublicSettings),
        launched=launched or None,
        counts={verdict: verdicts[verdict] for verdict in Verdict},
        plan=PlanLine(planned, tuple(scenarios)),
        spent=spent,
        requirements=tuple(requirements),
        deselected=tuple(requirement.id for requirement in deselected),
        unjudged=tuple(Unjudged(one.id, one.text, one.unjudged) for one in unjudged),
        exchanges=tuple(exchanges),
        curl=curls or {},
        extensions=extensions,
        waivers=tuple(waivers),
        replayed=replayed,
        selection=selection,
        causes=cause.causes(requirements),
    )


def _outcome(
    requirements: Sequence[RequirementResult], extensions: Sequence[ExtensionLine], *, strict: bool, missing: bool
) -> Outcome:
    """`missing`: there are requirements in the profile that nobody on the command line left out."""
    verdicts = {one.verdict for one in requirements}
    if verdicts & {Verdict.FAIL, Verdict.STALE} or (strict and Verdict.WARN in verdicts):
        return Outcome.NOT_CONFORMANT
    if Verdict.ERROR in verdicts:
        return Outcome.SUITE_ERROR
    missing = missing or any(one.reason == ENDED for one in requirements)
    if missing or _open_musts(requirements, extensions) or verdicts.isdisjoint(JUDGED):
        return Outcome.INCONCLUSIVE
    return Outcome.CONFORMANT


def _open_musts(
    requirements: Sequence[RequirementResult], extensions: Sequence[ExtensionLine]
) -> list[RequirementResult]:
    expected = {"", *(line.name for line in extensions if line.declared)}
    found = requirement_result.having(requirements, Verdict.BLOCKED, Verdict.UNTESTED, level=Level.MUST)
    return [one for one in found if of_profile(one.profile) in expected]
