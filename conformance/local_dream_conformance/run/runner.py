"""The run: makes each scenario of the plan at most once, however many processes judge, and serves their exchanges.

All processes of a run share one folder. A scenario is made under a lock, so that the target has one scenario at a time,
and its transcript is kept there; whoever needs it next reads it.
"""

from __future__ import annotations

import contextlib
import math
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cache, cached_property

from local_dream_conformance.checks.check import Check
from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.errors import MissingEvidence, NotApplicable, TargetGone
from local_dream_conformance.core.exchange import GENERATE, GONE, REST, Exchange, Transcript
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Judgement
from local_dream_conformance.evidence.deaths import is_gone
from local_dream_conformance.evidence.spending import charged
from local_dream_conformance.http.patience import Kind
from local_dream_conformance.http.target import OnData, Target
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.run.eta import Prospect
from local_dream_conformance.run.evaluator import Evaluator, ScenarioFailed
from local_dream_conformance.run.plan import Plan
from local_dream_conformance.run.suite import Suite
from local_dream_conformance.scenarios.scenario import Scenario


class Run:
    """One process's share of a run.

    `asks_until`: the second of the run after which no request is sent. `watch` is called with each scenario that this
    process makes, and is left after it; `on_data` gets what it receives, `on_ask` the label of each request before it
    is sent. `relaunch` starts the target again (see http.life), None where nobody said how.
    """

    def __init__(
        self,
        suite: Suite,
        settings: Settings,
        plan: Plan,
        folder: RunFolder,
        watch: Callable[[Scenario], AbstractContextManager[object]] = lambda scenario: nullcontext(),
        on_data: OnData | None = None,
        on_ask: Callable[[str], None] = lambda label: None,
        relaunch: Callable[[], str] | None = None,
        asks_until: float = math.inf,
    ) -> None:
        self.suite = suite
        self.plan = plan
        self.folder = folder
        self.watch = watch
        self.on_data = on_data
        self.on_ask = on_ask
        self.relaunch = relaunch
        self.asks_until = asks_until
        begun = folder.begun()
        self.settings = replace(settings, url=begun.url)
        self._clock = begun.clock
        self._target: Target | None = None
        self._transcripts: dict[str, Transcript] = {}
        self._failed: dict[str, str] = {}
        self._judge = Evaluator(suite.contract, suite.checks, self, self.settings)

    def prospect(self) -> Prospect:
        """What may become of the generations that are still to be asked for, as the target has shown itself."""
        if self._target is None:
            return Prospect()
        if self._target.life.is_gone:
            return Prospect(stalls=0)
        patience = self._target.patience
        return Prospect(patience.stalls_left(Kind.WORK, GENERATE), patience.first_event())

    def judge(self, id: str) -> Judgement:
        """The verdict on a requirement; makes the scenarios that it needs and that were not made yet."""
        return self._judge.judge(id)

    def exchanges(self, check: Check) -> Mapping[str, Exchange]:
        """See evaluator.Evidence."""
        found: dict[str, Exchange] = {}
        for name in check.needs:
            if self.plan.partial and name in self.plan.not_recorded:
                continue
            try:
                found.update((exchange.label, exchange) for exchange in self.transcript(name).exchanges)
            except (MissingEvidence, TargetGone):
                if not check.deaths:
                    raise
        for name, everything in self._further(check):
            for exchange in self._as_far_as_made(name):
                if everything or exchange.label.startswith(check.over):
                    found[exchange.label] = exchange
        return found

    def left_out(self, check: Check) -> Mapping[str, str]:
        """See evaluator.Evidence. To be asked after `exchanges`."""
        found: dict[str, str] = {}
        for name in (*check.needs, *(name for name, _ in self._further(check))):
            if name in self._transcripts:
                if self._transcripts[name].exchanges or name in check.needs:  # else it is as if it was not planned
                    found.update(self._transcripts[name].left_out)
            elif name in self.plan.over_budget:
                found[name + REST] = self.plan.over_budget[name]
            elif self._was_to_come(name):
                found[name + REST] = GONE
        return found

    def _further(self, check: Check) -> list[tuple[str, bool]]:
        """The scenarios of the plan that a check looks at beside those that it needs, and whether at all of each."""
        names = (*(scenario.name for scenario in self.plan.scenarios), *self.plan.unfinished)
        return [
            (name, name in check.also)
            for name in names
            if name in check.also or any(_may_label(name, prefix) for prefix in check.over)
        ]

    def _was_to_come(self, name: str) -> bool:
        """Whether a scenario that is not there would have been made but for a target that was gone."""
        if name in self.plan.unfinished:
            return self._ended_by_a_death
        return name in self.plan and name not in self._failed

    @cached_property
    def _ended_by_a_death(self) -> bool:
        """Whether a recorded run made no more scenarios because the target had gone."""
        return any(is_gone(transcript.exchanges) for transcript in self.folder.transcripts())

    def _as_far_as_made(self, name: str) -> tuple[Exchange, ...]:
        try:
            return self.transcript(name).exchanges
        except (TargetGone, MissingEvidence):  # a recorded run may have ended for other reasons
            return ()

    def transcript(self, name: str) -> Transcript:
        """The transcript of a scenario, which is made now if no process has made it yet.

        Raises NotApplicable, MissingEvidence, TargetGone, ScenarioFailed as evaluator.Evidence says.
        """
        if name in self.plan.unavailable:
            raise NotApplicable(self.plan.unavailable[name])
        if name in self.plan.over_budget:
            raise MissingEvidence(self.plan.over_budget[name])
        if name in self.plan.unfinished and self._ended_by_a_death:
            raise TargetGone(name)
        if name in self.plan.not_recorded:
            raise MissingEvidence(self.plan.not_recorded[name])
        if name not in self.plan:
            raise ScenarioFailed(f"a check needs the scenario {name}, which the plan does not have")
        if name not in self._transcripts and name not in self._failed:
            with self.folder.lock:
                self._advance(name)
        if name in self._failed:
            raise ScenarioFailed(self._failed[name])
        if name not in self._transcripts:
            raise TargetGone(name)
        transcript = self._transcripts[name]
        if not transcript.exchanges and transcript.left_out:
            raise MissingEvidence(transcript.left_out[0][1])
        return transcript

    def _advance(self, name: str) -> None:
        """Goes through the plan in its order, up to a scenario, so that a run is the same whoever asks first."""
        for scenario in self.plan.scenarios:
            if scenario.name not in self._transcripts and scenario.name not in self._failed:
                self._fetch(scenario)
            if scenario.name == name:
                return

    def _fetch(self, scenario: Scenario) -> None:
        if text := self.folder.failure(scenario.name):
            self._failed[scenario.name] = text
        elif transcript := self.folder.transcript(scenario.name):
            self._transcripts[scenario.name] = transcript
        elif not self._is_gone():
            try:
                self._transcripts[scenario.name] = self._make(scenario)
            except OSError as error:
                text = f"the answers of the scenario {scenario.name} could not be kept: {error.strerror or error}"
                self._failed[scenario.name] = text
                with contextlib.suppress(OSError):
                    self.folder.fail(scenario.name, text)
            except Exception:
                text = self.settings.redact(f"the scenario {scenario.name} raised\n{traceback.format_exc(limit=-4)}")
                self._failed[scenario.name] = text
                self.folder.fail(scenario.name, text)

    def _make(self, scenario: Scenario) -> Transcript:
        """The transcript of a scenario, as far as it was sent."""
        if broken := [name for name in scenario.after if name in self._failed]:
            raise RuntimeError(f"{scenario.name} follows {broken[0]}, which raised")
        if self._target is None:
            self._target = Target(
                self.settings,
                self._transcripts.__getitem__,
                cost_of=charged,
                clock=self._clock,
                on_data=self.on_data,
                on_ask=self.on_ask,
                relaunch=self.relaunch,
                place=self.folder.answers,
                asks_until=self.asks_until,
            )
        self._target.spent = self._spent()
        self._target.has_kept(sum(exchange.size for one in self._transcripts.values() for exchange in one.exchanges))
        self._target.planned = self._planned_after(scenario)
        with self.watch(scenario):
            made = self._target.carry_out(scenario.run, scenario.name)
        transcript = Transcript(scenario.name, tuple(made), tuple(self._target.left_out.items()))
        _check_labels(transcript)
        return self.folder.keep(transcript)

    def _is_gone(self) -> bool:
        """Whether the target died in a scenario before and did not come back, whichever process made it."""
        return any(is_gone(transcript.exchanges) for transcript in self._transcripts.values())

    def _planned_after(self, scenario: Scenario) -> Cost:
        """What the scenarios of the plan cost that come after one."""
        later = self.plan.scenarios[self.plan.scenarios.index(scenario) + 1 :]
        return sum((one.cost for one in later), Cost())

    def _spent(self) -> Cost:
        """What all scenarios so far have cost, whichever process made them."""
        made = (exchange for transcript in self._transcripts.values() for exchange in transcript.exchanges)
        return sum((charged(exchange) for exchange in made), Cost())


@cache
def _may_label(scenario: str, prefix: str) -> bool:
    """Whether exchanges of the scenario may have labels that begin so: labels are SCENARIO or SCENARIO/PART."""
    return f"{scenario}/".startswith(prefix) or prefix.startswith(f"{scenario}/")


def _check_labels(transcript: Transcript) -> None:
    labels = [exchange.label for exchange in transcript.exchanges]
    for label in labels:
        if label != transcript.scenario and not label.startswith(f"{transcript.scenario}/"):
            raise ValueError(f"the exchange {label} is not named after its scenario {transcript.scenario}")
        if labels.count(label) > 1:
            raise ValueError(f"two exchanges are named {label}")
