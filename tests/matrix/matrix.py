"""The matrix: what the trials say together. Every way in which it is not as it should be is a hole."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from local_dream_conformance.core.contract import Level, Requirement
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.run.suite import Suite
from local_dream_mockserver.faults.catalogue import Fault, Quirk
from local_dream_mockserver.faults.emulated.release import EmulatedRelease
from tests.matrix import muted
from tests.matrix.expectations import Expectation, load_expectations
from tests.matrix.trial import BROKEN, HONEST, PROFILE, Trial

EXCEPTIONS = Path(__file__).with_name("exceptions.toml")
ENOUGH = 2
"""Faults that must kill each MUST."""
CLEAN = (Verdict.PASS, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True)
class Excuse:
    """A requirement of which fewer faults than `ENOUGH` are conceivable."""

    id: str
    faults: int
    reason: str


def load_exceptions(path: Path = EXCEPTIONS) -> dict[str, Excuse]:
    """By requirement id. Raises ValueError for an entry that is not complete."""
    found = {}
    for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("exception", ()):
        if set(entry) != {"id", "faults", "reason"} or not entry["reason"].strip():
            raise ValueError(f"{path.name}: {entry}: needs id, faults and reason")
        found[entry["id"]] = Excuse(**entry)
    return found


def load_unproven(path: Path = EXCEPTIONS) -> dict[str, str]:
    """Checks that no fault proves, by their name, with the reason."""
    found: dict[str, str] = tomllib.loads(path.read_text(encoding="utf-8")).get("checks", {})
    return found


@dataclass(frozen=True)
class Matrix:
    """The trials of all entries and personalities, by their names, and of the honest server."""

    suite: Suite
    entries: Mapping[str, Fault | Quirk]
    trials: Mapping[str, Trial]
    exceptions: Mapping[str, Excuse]
    personalities: Mapping[str, EmulatedRelease] = field(default_factory=dict)
    expectations: Mapping[str, Expectation] = field(default_factory=load_expectations)
    unproven: Mapping[str, str] = field(default_factory=load_unproven)

    @cached_property
    def faults(self) -> dict[str, Fault]:
        return {name: entry for name, entry in self.entries.items() if isinstance(entry, Fault)}

    @cached_property
    def quirks(self) -> dict[str, Quirk]:
        return {name: entry for name, entry in self.entries.items() if isinstance(entry, Quirk)}

    @cached_property
    def covered(self) -> list[Requirement]:
        """The requirements that the matrix covers: those that can be judged from outside."""
        return [r for r in self.suite.contract.in_profile(PROFILE) if not r.unjudged]

    @cached_property
    def musts(self) -> list[str]:
        """The ids of the MUSTs among them."""
        return [r.id for r in self.covered if r.level is Level.MUST]

    @cached_property
    def kills(self) -> dict[str, list[str]]:
        """For each requirement the faults that were really served, break it by their own account, and were caught."""
        found: dict[str, list[str]] = {r.id: [] for r in self.covered}
        for name, fault in self.faults.items():
            trial = self.trials[name]
            for id in fault.breaks:
                if trial.applied and trial.broken(id):
                    found[id].append(name)
        return found

    @cached_property
    def proofs(self) -> dict[str, list[str]]:
        """For each check the faults that it catches by itself: the other checks of its requirement are switched off."""
        found: dict[str, list[str]] = {
            muted.name(check): [] for id in self.kills for check in self.suite.checks.get(id, ())
        }
        for name in self.faults:
            for check, proven in self.trials[name].proven.items():
                if proven and self.trials[name].applied:
                    found[check].append(name)
        return found

    def false_alarms(self, name: str) -> list[str]:
        """Requirements that were found broken though neither fault, quirk nor personality breaks them."""
        if name in self.personalities:
            expected = {*self.personalities[name].breaks, *self.personalities[name].discouraged}
        elif name in self.faults:
            expected = {*self.faults[name].breaks, *self.consequences(name)}
        else:
            expected = set(self.quirks[name].discouraged)
        return [id for id in self.trials[name].judgements if self.trials[name].broken(id) and id not in expected]

    def consequences(self, name: str) -> tuple[str, ...]:
        """Requirements that may break because of a fault, beside those that it breaks by its own account."""
        return self.expectations[name].consequences if name in self.expectations else ()

    def missed(self, name: str) -> list[str]:
        """Requirements that a fault breaks by its own account, and that were not found broken."""
        return [id for id in self.faults[name].breaks if not self.trials[name].broken(id)]

    def holes(self) -> Iterator[str]:
        """One line for each way in which the matrix is not as it should be."""
        for name in self.trials:
            yield from self.own_holes(name)
        yield from self._coverage()

    def own_holes(self, name: str) -> Iterator[str]:
        """Those of one trial alone."""
        if name == HONEST:
            yield from self._honest()
            return
        yield from self._common(name)
        if name in self.faults:
            yield from self._fault(name)
        elif name in self.personalities:
            yield from self._personality(name)
        else:
            yield from self._quirk(name)

    def _honest(self) -> Iterator[str]:
        for id, judgement in self.trials[HONEST].judgements.items():
            if judgement.verdict not in CLEAN:
                yield f"the honest server: {id} is {self._verdict(HONEST, id)}"

    def _common(self, name: str) -> Iterator[str]:
        trial = self.trials[name]
        if trial.problem:
            yield f"{name}: the suite did not begin: {_line(trial.problem)}"
        elif not trial.applied:
            yield f"{name}: was never served"
        for id, judgement in trial.judgements.items():
            if judgement.verdict is Verdict.ERROR:
                yield f"{name}: {id} is an error of the suite: {_line(judgement.reason)}"

    def _fault(self, name: str) -> Iterator[str]:
        for id in self.missed(name):
            yield f"fault {name}: {id} is {self._verdict(name, id)}, though the fault breaks it"
        for id in self.false_alarms(name):
            yield f"fault {name}: {id} is {self._verdict(name, id)}, which is not among its consequences"

    def _personality(self, name: str) -> Iterator[str]:
        for id in self.false_alarms(name):
            yield f"personality {name}: {id} is {self._verdict(name, id)}, which it does not say of itself"
        for id in (*self.personalities[name].breaks, *self.personalities[name].discouraged):
            if not self.trials[name].broken(id):
                yield f"personality {name}: {id} is {self._verdict(name, id)}, though it says that it breaks it"

    def _quirk(self, name: str) -> Iterator[str]:
        allowed = (*CLEAN, Verdict.ERROR)
        for id, judgement in self.trials[name].judgements.items():
            discouraged = self.quirks[name].discouraged
            if judgement.verdict in BROKEN and id in discouraged:
                continue
            if judgement.verdict is Verdict.BLOCKED and judgement.reason.partition(" ")[0] in discouraged:
                continue  # what rests on the SHOULD that the quirk goes against
            if judgement.verdict not in allowed:
                yield f"quirk {name}: {id} is {self._verdict(name, id)}"
        for id in self.quirks[name].discouraged:
            if not self.trials[name].broken(id):
                yield f"quirk {name}: {id} is {self._verdict(name, id)}, though the quirk goes against it"

    def _coverage(self) -> Iterator[str]:
        for id in self.musts:
            enough = self.exceptions[id].faults if id in self.exceptions else ENOUGH
            killed = self.kills[id]
            if len(killed) < enough:
                yield f"{id}: killed by {len(killed)} of {enough} faults ({', '.join(killed) or 'none'})"
            elif id in self.exceptions and len(killed) > enough:
                yield f"{id}: killed by {len(killed)} faults, though exceptions.toml says that {enough} are conceivable"
        for id in self.exceptions:
            if id not in self.kills:
                yield f"{id}: in exceptions.toml, but not in the contract"
        for check, faults in self.proofs.items():
            id = check.partition(" ")[0]
            excused = id in self.exceptions and self.exceptions[id].faults == 0
            if not faults and not excused and check not in self.unproven:
                yield f"check {check}: no fault shows that it can fail"
            elif faults and check in self.unproven:
                yield f"check {check}: exceptions.toml says that nothing proves it, and {faults[0]} does"

    def _verdict(self, name: str, id: str) -> str:
        judgement = self.trials[name].judgements.get(id)
        if judgement is None:
            return "not judged"
        if judgement.findings:
            found = judgement.findings[0]
            where = f" in {found.exchange}" if found.exchange else ""
            return _line(f"{judgement.verdict} (expected {found.expected}, got {found.got}{where})")
        return _line(f"{judgement.verdict} ({judgement.reason})" if judgement.reason else str(judgement.verdict))


def _line(text: str) -> str:
    lines: Sequence[str] = text.strip().splitlines() or [""]
    return lines[0] if len(lines) == 1 else f"{lines[0]} ... {lines[-1]}"
