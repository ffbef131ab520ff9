"""A result as the reports read it, sorted for people.

Every text that a target can have a part in is escaped here, once: no control characters, no unbounded length. The
templates escape for their own format on top.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from functools import cached_property

import msgspec

from local_dream_conformance.core.budget import counted, describe
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.verdict import ENDED, Finding, Verdict
from local_dream_conformance.result import cause
from local_dream_conformance.result.cause import Cause
from local_dream_conformance.result.requirement_result import EXCUSED, RequirementResult
from local_dream_conformance.result.result import Outcome, Result

LONG = 2000
"""Most characters of a text that quotes the target."""
LEVELS = ("MUST", "SHOULD", "MAY")
TITLES = {
    Outcome.CONFORMANT: "Conformant",
    Outcome.NOT_CONFORMANT: "Not conformant",
    Outcome.INCONCLUSIVE: "Inconclusive",
    Outcome.SUITE_ERROR: "Suite error",
    Outcome.UNREACHABLE: "Unreachable",
}
BROKEN = (Verdict.FAIL, Verdict.STALE, Verdict.ERROR)
NOT_JUDGED = (EXCUSED, Verdict.BLOCKED, Verdict.UNTESTED, Verdict.NOT_APPLICABLE)
ORDER = (*BROKEN, Verdict.WARN, Verdict.WAIVED, *NOT_JUDGED, Verdict.PASS)
NAMES: dict[str, str] = {
    Verdict.FAIL: "broken",
    Verdict.STALE: "stale waiver",
    Verdict.ERROR: "suite error",
    Verdict.WARN: "warned",
    Verdict.WAIVED: "waived",
    EXCUSED: "excused",
    Verdict.BLOCKED: "blocked",
    Verdict.UNTESTED: "untested",
    Verdict.NOT_APPLICABLE: "not applicable",
    Verdict.PASS: "holds",
}


def title(result: Result) -> str:
    """The verdict in a few words. What is conformant but for waivers, or was judged in part only, is not called
    conformant alone."""
    if result.outcome is not Outcome.CONFORMANT:
        return TITLES[result.outcome]
    in_part = " in part" if result.deselected or _over_budget(result) else ""
    return TITLES[result.outcome] + in_part + (" with waivers" if result.count(Verdict.WAIVED, EXCUSED) else "")


def _over_budget(result: Result) -> list[str]:
    """The scenarios that the budget left out."""
    return [line.name for line in result.plan.scenarios if line.state == "over-budget"]


@dataclass(frozen=True)
class Group:
    """The requirements of one group of the contract."""

    name: str
    entries: tuple[RequirementResult, ...]

    def counts(self, level: str | None = None) -> list[tuple[str, int]]:
        """How many have each standing, the worst first; at one level, where it is given."""
        found = Counter(entry.standing for entry in self.entries if level in (None, entry.level))
        return [(verdict, found[verdict]) for verdict in ORDER if found[verdict]]


def many(verdict: str, number: int) -> str:
    """A number of requirements with a standing, in words."""
    plural: dict[str, str] = {Verdict.PASS: "hold", Verdict.STALE: "stale waivers", Verdict.ERROR: "suite errors"}
    return f"{number} {NAMES[verdict] if number == 1 else plural.get(verdict, NAMES[verdict])}"


class ViewModel:
    """A result in texts that are safe to print."""

    def __init__(self, result: Result) -> None:
        self.result = result
        self.outcome = result.outcome
        self.title = title(result)
        self.contract = escape(result.contract)
        self.settings = result.settings
        self.profile = self.settings["profile"]
        self.target = escape(self.settings["url"])
        self.launched = result.launched or ""
        self.problem = escape(result.problem, LONG)
        self.date = _minute(result.started)
        self.curls: Mapping[str, str] = {label: escape(line, 4000) for label, line in result.curl.items()}
        self.entries = tuple(_safe(one) for one in result.requirements)
        self.replayed = result.replayed is not None
        if result.replayed is not None and result.replayed.started:
            self.date += f", recorded {_minute(result.replayed.started)}"

    def count(self, *standings: str, level: str | None = None) -> int:
        """How many requirements have one of the standings."""
        return self.result.count(*standings, level=level)

    def having(self, *standings: str) -> list[RequirementResult]:
        """The requirements with one of the standings, those of the first first."""
        return [entry for standing in standings for entry in self.entries if entry.standing == standing]

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """All groups, in the order of the contract."""
        return _groups(self.entries)

    @property
    def holding(self) -> tuple[Group, ...]:
        """The requirements that hold, by group."""
        return _groups(tuple(self.having(Verdict.PASS)))

    @property
    def headline(self) -> str:
        """What the run found, in one sentence."""
        if self.outcome is Outcome.UNREACHABLE:
            return self.problem
        held = self.count(Verdict.PASS)
        notes = [f"{held} of {counted(len(self.entries), 'requirement')} {'holds' if held == 1 else 'hold'}"]
        for verdict, word in (
            (Verdict.FAIL, "MUST broken"),
            (Verdict.WARN, "SHOULD broken"),
            (Verdict.STALE, "stale waivers"),
            (Verdict.ERROR, "not judged through a fault of the suite"),
            (Verdict.WAIVED, "waived"),
            (EXCUSED, "excused by waivers"),
        ):
            if self.count(verdict):
                notes.append(f"{self.count(verdict)} {word}")
        if self.open_musts:
            notes.append(f"{self.open_musts} MUST not judged")
        return ", ".join(notes) + "."

    @property
    def open_musts(self) -> int:
        """How many MUSTs were not judged, without those of extensions that nobody said the target has."""
        return len(self.result.open_musts)

    @property
    def extensions(self) -> list[tuple[str, str, str, str]]:
        """The extensions that the run looked for: (name, whether the target has it, evidence, id)."""
        return [
            (
                escape(line.name),
                line.state + (", declared" if line.declared else ""),
                escape(line.evidence, LONG),
                escape(line.id),
            )
            for line in self.result.extensions
        ]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What was judged against what, when, and what it cost the target: (name, value)."""
        spent, planned = self.result.spent, self.result.plan.cost
        requests = counted(len(self.result.exchanges), "request")
        suite = self.result.suite
        own = " (the suite's own server)" if self.launched else ""
        facts = [
            ("Target", self.target + own),
            ("Date", self.date),
            ("Profile", self.profile + (", strict" if self.settings["strict"] else "")),
            ("Contract", self.contract),
            ("Cost", f"{describe(spent)} in {requests} (planned: {describe(planned)})"),
            ("Time", f"{self.result.duration:.1f} s" + (", judged from a recording" if self.replayed else "")),
            ("Suite", escape(f"{suite.name} {suite.version}, Python {suite.python}")),
        ]
        return [fact for fact in facts if not (self.replayed and fact[0] == "Cost")]

    @property
    def asked(self) -> list[tuple[str, str]]:
        """The settings of the run that are not at rest: (name, value)."""
        shown = []
        for name, value in self.settings.items():
            if isinstance(value, dict):
                value = ", ".join(f"{key} {number}" for key, number in value.items() if number is not None)
            elif isinstance(value, list):
                value = ", ".join(str(item) for item in value)
            elif isinstance(value, bool):
                value = "yes" if value else "no"
            elif isinstance(value, float):
                value = f"{value:g} s"
            if value is not None and value != "" and name != "url":
                shown.append((name.replace("_", " "), escape(str(value), 400)))
        return shown

    def not_judged(self) -> Iterator[tuple[str, str, tuple[RequirementResult, ...]]]:
        """What was not judged, by reason: (verdict in words, reason, requirements)."""
        for verdict in NOT_JUDGED:
            reasons: dict[str, list[RequirementResult]] = {}
            for entry in self.having(verdict):
                reasons.setdefault(entry.root, []).append(entry)
            for reason, entries in reasons.items():
                yield NAMES[verdict], reason, tuple(entries)

    @property
    def causes(self) -> list[Cause]:
        """What several requirements have in common."""
        return [
            msgspec.structs.replace(
                found,
                expected=_lines(found.expected),
                got=_lines(found.got),
                cause=_lines(found.cause),
                ids=tuple(escape(id) for id in found.ids),
            )
            for found in self.result.causes
            if len(found.ids) > 1
        ]

    def untold(self, entry: RequirementResult) -> list[Finding]:
        """The first finding of each kind of a requirement that is not among `causes`."""
        told = {cause.key(found) for found in self.result.causes if len(found.ids) > 1}
        original = next(one for one in self.result.requirements if one.id == entry.id)
        kinds: dict[tuple[str, str], Finding] = {}
        for finding, shown in zip(original.findings, entry.findings, strict=True):
            kinds.setdefault(cause.key(finding), shown)
        return [shown for kind, shown in kinds.items() if kind not in told]

    @property
    def levels(self) -> list[str]:
        """The levels that its requirements have."""
        return [level for level in LEVELS if any(entry.level == level for entry in self.entries)]

    @property
    def unjudged(self) -> dict[str, list[tuple[str, str]]]:
        """What cannot be judged from outside, by reason: (id, sentence)."""
        reasons: dict[str, list[tuple[str, str]]] = {}
        for line in self.result.unjudged:
            reasons.setdefault(escape(line.reason, LONG), []).append((escape(line.id), escape(line.text, LONG)))
        return reasons

    @property
    def deselected(self) -> list[str]:
        """Ids of the profile that the selection (-k, paths) left out."""
        return list(self.result.deselected)

    @property
    def left_out_by(self) -> str:
        """What left them out."""
        return escape(self.result.left_out_by, LONG)

    @property
    def unmade(self) -> list[tuple[str, str]]:
        """Scenarios that were not made: (name, why)."""
        return [
            (escape(line.name), escape(line.reason or line.state, LONG))
            for line in self.result.plan.scenarios
            if line.state not in ("made", "failed")
        ]

    @property
    def partial(self) -> str:
        """Why the run speaks for a part of the profile only, or for no server that runs now; "" where it does not."""
        if self.outcome in (Outcome.UNREACHABLE, Outcome.SUITE_ERROR):
            return f"the run ended as {self.title.lower()}"
        if self.replayed:
            return "the run judged a recording, not a running server"
        if self.deselected:
            left_out = counted(len(self.deselected), "requirement")
            return f"{self.left_out_by} left out {left_out} of the profile {self.profile}"
        if over := _over_budget(self.result):
            return f"the budget left out the {'scenario' if len(over) == 1 else 'scenarios'} {', '.join(over)}"
        if any(entry.reason == ENDED for entry in self.entries):
            return "the run ended before everything was judged"
        return ""


def _minute(started: str) -> str:
    """A time in ISO 8601, for people."""
    return datetime.fromisoformat(started).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _safe(one: RequirementResult) -> RequirementResult:
    """A requirement's result in texts that are safe to print."""
    words = {
        name: escape(getattr(one, name), LONG)
        for name in ("id", "profile", "group", "operation", "text", "clause", "translation")
    }
    return msgspec.structs.replace(
        one,
        **words,
        reason=_lines(one.reason),
        findings=tuple(Finding(*(_lines(text) for text in astuple(found))) for found in one.findings),
        evidence=tuple(escape(label) for label in one.evidence),
    )


def _lines(text: str) -> str:
    """A text of the suite that may quote the target. The suite's own line breaks (tracebacks) are kept."""
    return "\n".join(escape(line, LONG) for line in text[: 4 * LONG].split("\n"))


def _groups(entries: tuple[RequirementResult, ...]) -> tuple[Group, ...]:
    names = dict.fromkeys(entry.group for entry in entries)
    return tuple(Group(name, tuple(entry for entry in entries if entry.group == name)) for name in names)
