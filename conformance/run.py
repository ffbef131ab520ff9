"""The run: makes each probe of the plan at most once, however many processes judge, and serves their exchanges.

All processes of a run share one folder. A probe is made under a lock, so that the target has one probe at a time, and
its transcript is kept there; whoever needs it next reads it. The process that began the run writes where the target is.
"""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from conformance import archive
from conformance.check import Check, MissingEvidence, NotApplicable
from conformance.judge import Judge, ProbeFailed
from conformance.plan import Plan
from conformance.probe import Cost, Probe
from conformance.settings import Settings
from conformance.suite import Suite
from conformance.target import Hear, Target, spent_on
from conformance.transcript import Exchange, Transcript
from conformance.verdict import Judgement

ADDRESS = "target.json"


def begin(folder: Path, url: str) -> None:
    """Opens a run: tells every process that shares the folder where the target is, and starts the run's clock."""
    (folder / ADDRESS).write_text(json.dumps({"url": url, "clock": time.monotonic()}), encoding="utf-8")


class Run:
    """One process's share of a run.

    `watch` is called with each probe that this process makes, and is left after it; `hear` gets what it receives.
    """

    def __init__(
        self,
        suite: Suite,
        settings: Settings,
        plan: Plan,
        folder: Path,
        watch: Callable[[Probe], AbstractContextManager[object]] = lambda probe: nullcontext(),
        hear: Hear | None = None,
    ) -> None:
        self.suite = suite
        self.plan = plan
        self.folder = folder
        self.watch = watch
        self.hear = hear
        opened = json.loads((folder / ADDRESS).read_text(encoding="utf-8"))
        self.settings = replace(settings, url=opened["url"])
        self._clock = float(opened["clock"])
        self._target: Target | None = None
        self._transcripts: dict[str, Transcript] = {}
        self._failed: dict[str, str] = {}
        self._judge = Judge(suite.contract, suite.checks, self, self.settings)

    def judge(self, id: str) -> Judgement:
        """The verdict on a requirement; makes the probes that it needs and that were not made yet."""
        return self._judge.judge(id)

    def exchanges(self, check: Check) -> Mapping[str, Exchange]:
        """See judge.Evidence."""
        found: dict[str, Exchange] = {}
        for name in check.needs:
            if self.plan.partial and name in self.plan.not_recorded:
                continue
            found.update((exchange.label, exchange) for exchange in self.transcript(name).exchanges)
        for probe in self.plan.probes if check.over else ():
            if any(_may_label(probe.name, prefix) for prefix in check.over):
                for exchange in self.transcript(probe.name).exchanges:
                    if exchange.label.startswith(check.over):
                        found[exchange.label] = exchange
        return found

    def transcript(self, name: str) -> Transcript:
        """The transcript of a probe, which is made now if no process has made it yet.

        Raises NotApplicable, MissingEvidence, ProbeFailed as judge.Evidence says.
        """
        if name in self.plan.unavailable:
            raise NotApplicable(self.plan.unavailable[name])
        if name in self.plan.over_budget:
            raise MissingEvidence(self.plan.over_budget[name])
        if name in self.plan.not_recorded:
            raise MissingEvidence(self.plan.not_recorded[name])
        if name not in self.plan:
            raise ProbeFailed(f"a check needs the probe {name}, which the plan does not have")
        if name not in self._transcripts and name not in self._failed:
            with FileLock(self.folder / "target.lock"):
                self._advance(name)
        if name in self._failed:
            raise ProbeFailed(self._failed[name])
        return self._transcripts[name]

    def _advance(self, name: str) -> None:
        """Goes through the plan in its order, up to a probe, so that a run is the same whoever asks first."""
        for probe in self.plan.probes:
            if probe.name not in self._transcripts and probe.name not in self._failed:
                self._fetch(probe)
            if probe.name == name:
                return

    def _fetch(self, probe: Probe) -> None:
        failed = self.folder / f"{probe.name}.failed"
        if failed.exists():
            self._failed[probe.name] = failed.read_text(encoding="utf-8")
        elif archive.holds(self.folder, probe.name):
            self._transcripts[probe.name] = archive.load(self.folder, probe.name)
        else:
            try:
                self._transcripts[probe.name] = self._make(probe)
            except Exception:
                text = self.settings.redact(f"the probe {probe.name} raised\n{traceback.format_exc(limit=-4)}")
                self._failed[probe.name] = text
                failed.write_text(text, encoding="utf-8")

    def _make(self, probe: Probe) -> Transcript:
        if broken := [name for name in probe.after if name in self._failed]:
            raise RuntimeError(f"{probe.name} follows {broken[0]}, which raised")
        if self._target is None:
            self._target = Target(self.settings, self._transcripts.__getitem__, clock=self._clock, hear=self.hear)
        try:
            with self.watch(probe):
                transcript = Transcript(probe.name, tuple(probe.run(self._target)))
        finally:
            self._target.close()
        _check_labels(transcript)
        archive.save(self.folder, transcript)
        return transcript


def made(folder: Path) -> tuple[Transcript, ...]:
    """The transcripts of a run, in the order in which their probes were made."""
    transcripts = [archive.load(folder, name) for name in archive.names(folder)]
    return tuple(sorted(transcripts, key=lambda t: min((e.started for e in t.exchanges), default=0.0)))


def spent(transcripts: Iterable[Transcript]) -> Cost:
    """What the transcripts cost the target: accepted generations and upscales."""
    return sum((spent_on(exchange) for transcript in transcripts for exchange in transcript.exchanges), Cost())


def _may_label(probe: str, prefix: str) -> bool:
    """Whether the probe may have exchanges whose label begins with the prefix: labels are PROBE or PROBE/PART."""
    return f"{probe}/".startswith(prefix) or prefix.startswith(f"{probe}/")


def _check_labels(transcript: Transcript) -> None:
    labels = [exchange.label for exchange in transcript.exchanges]
    for label in labels:
        if label != transcript.probe and not label.startswith(f"{transcript.probe}/"):
            raise ValueError(f"the exchange {label} is not named after its probe {transcript.probe}")
        if labels.count(label) > 1:
            raise ValueError(f"two exchanges are named {label}")
