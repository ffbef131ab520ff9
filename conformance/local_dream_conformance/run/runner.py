"""The run: makes each scenario of the plan at most once, however many processes judge, and serves their exchanges.

All processes of a run share one folder. A scenario is made under a lock, so that the target has one scenario at a time,
and its transcript is kept there; whoever needs it next reads it.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from local_dream_conformance.checks.check import Check
from local_dream_conformance.core.errors import MissingEvidence, NotApplicable
from local_dream_conformance.core.exchange import Exchange, Transcript
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Judgement
from local_dream_conformance.evidence.spending import spent_on
from local_dream_conformance.http.target import OnData, Target
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.run.evaluator import Evaluator, ScenarioFailed
from local_dream_conformance.run.plan import Plan
from local_dream_conformance.run.suite import Suite
from local_dream_conformance.scenarios.scenario import Scenario


class Run:
    """One process's share of a run.

    `watch` is called with each scenario that this process makes, and is left after it; `on_data` gets what it receives,
    `on_ask` the label of each request before it is sent.
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
    ) -> None:
        self.suite = suite
        self.plan = plan
        self.folder = folder
        self.watch = watch
        self.on_data = on_data
        self.on_ask = on_ask
        begun = folder.begun()
        self.settings = replace(settings, url=begun.url)
        self._clock = begun.clock
        self._target: Target | None = None
        self._transcripts: dict[str, Transcript] = {}
        self._failed: dict[str, str] = {}
        self._left_out: dict[str, str] = {}
        self._judge = Evaluator(suite.contract, suite.checks, self, self.settings)

    def judge(self, id: str) -> Judgement:
        """The verdict on a requirement; makes the scenarios that it needs and that were not made yet."""
        return self._judge.judge(id)

    def exchanges(self, check: Check) -> Mapping[str, Exchange]:
        """See evaluator.Evidence."""
        found: dict[str, Exchange] = {}
        for name in check.needs:
            if self.plan.partial and name in self.plan.not_recorded:
                continue
            found.update((exchange.label, exchange) for exchange in self.transcript(name).exchanges)
        for scenario in self.plan.scenarios if check.over else ():
            related = any(_may_label(scenario.name, prefix) for prefix in check.over)
            if related and not self._is_left_out(scenario.name):
                for exchange in self.transcript(scenario.name).exchanges:
                    if exchange.label.startswith(check.over):
                        found[exchange.label] = exchange
        return found

    def cut_short(self, check: Check) -> str:
        """See evaluator.Evidence."""
        return next((reason for name in check.needs if (reason := self.folder.cut_short(name))), "")

    def _is_left_out(self, name: str) -> bool:
        """Whether no request of a scenario is sent any more. Makes it now if no process has made it yet."""
        try:
            self.transcript(name)
        except MissingEvidence:
            return True
        return False

    def transcript(self, name: str) -> Transcript:
        """The transcript of a scenario, which is made now if no process has made it yet.

        Raises NotApplicable, MissingEvidence, ScenarioFailed as evaluator.Evidence says.
        """
        if name in self.plan.unavailable:
            raise NotApplicable(self.plan.unavailable[name])
        if name in self.plan.over_budget:
            raise MissingEvidence(self.plan.over_budget[name])
        if name in self.plan.not_recorded:
            raise MissingEvidence(self.plan.not_recorded[name])
        if name not in self.plan:
            raise ScenarioFailed(f"a check needs the scenario {name}, which the plan does not have")
        if not self._is_settled(name):
            with self.folder.lock:
                self._advance(name)
        if name in self._failed:
            raise ScenarioFailed(self._failed[name])
        if name in self._left_out:
            raise MissingEvidence(self._left_out[name])
        return self._transcripts[name]

    def _advance(self, name: str) -> None:
        """Goes through the plan in its order, up to a scenario, so that a run is the same whoever asks first."""
        for scenario in self.plan.scenarios:
            if not self._is_settled(scenario.name):
                self._fetch(scenario)
            if scenario.name == name:
                return

    def _is_settled(self, name: str) -> bool:
        return name in self._transcripts or name in self._failed or name in self._left_out

    def _fetch(self, scenario: Scenario) -> None:
        if text := self.folder.failure(scenario.name):
            self._failed[scenario.name] = text
        elif transcript := self.folder.transcript(scenario.name):
            self._transcripts[scenario.name] = transcript
        elif reason := self.folder.cut_short(scenario.name):
            self._left_out[scenario.name] = reason
        else:
            try:
                if transcript := self._make(scenario):
                    self._transcripts[scenario.name] = transcript
                else:
                    self._left_out[scenario.name] = self.folder.cut_short(scenario.name)
            except Exception:
                text = self.settings.redact(f"the scenario {scenario.name} raised\n{traceback.format_exc(limit=-4)}")
                self._failed[scenario.name] = text
                self.folder.fail(scenario.name, text)

    def _make(self, scenario: Scenario) -> Transcript | None:
        """The transcript of a scenario, as far as it was sent; None where nothing was sent any more."""
        if broken := [name for name in scenario.after if name in self._failed]:
            raise RuntimeError(f"{scenario.name} follows {broken[0]}, which raised")
        if self._target is None:
            self._target = Target(
                self.settings,
                self._transcripts.__getitem__,
                cost_of=spent_on,
                clock=self._clock,
                on_data=self.on_data,
                on_ask=self.on_ask,
            )
        with self.watch(scenario):
            made = self._target.carry_out(scenario.run)
        if reason := self._target.left_out:
            self.folder.cut(scenario.name, reason)
        if reason and not made:
            return None
        transcript = Transcript(scenario.name, tuple(made))
        _check_labels(transcript)
        self.folder.keep(transcript)
        return transcript


def _may_label(scenario: str, prefix: str) -> bool:
    """Whether the scenario may have exchanges whose label begins with the prefix: labels are PROBE or PROBE/PART."""
    return f"{scenario}/".startswith(prefix) or prefix.startswith(f"{scenario}/")


def _check_labels(transcript: Transcript) -> None:
    labels = [exchange.label for exchange in transcript.exchanges]
    for label in labels:
        if label != transcript.scenario and not label.startswith(f"{transcript.scenario}/"):
            raise ValueError(f"the exchange {label} is not named after its scenario {transcript.scenario}")
        if labels.count(label) > 1:
            raise ValueError(f"two exchanges are named {label}")
