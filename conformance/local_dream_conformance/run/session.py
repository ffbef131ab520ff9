"""The conductor: turns a pytest session into a conformance run, alone or spread over pytest-xdist workers.

Alone, one process collects, plans, reaches the target, judges and sums up. With xdist the controller reaches the target
and sums up what the workers' reports carry; the workers collect, plan and judge. All share one folder.
"""

from __future__ import annotations

import platform
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from local_dream_conformance.core import options, settings_file
from local_dream_conformance.core.budget import describe
from local_dream_conformance.core.contract import BadContract, Requirement
from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import ENDED, Judgement, Verdict
from local_dream_conformance.evidence.spending import spent
from local_dream_conformance.http import preflight
from local_dream_conformance.recordings import archive
from local_dream_conformance.recordings.recording import BadRecording, Recording
from local_dream_conformance.report import curl, failure, terminal
from local_dream_conformance.report.writers import Outputs
from local_dream_conformance.result import known, waiver, waiver_file
from local_dream_conformance.result.judged import Judged
from local_dream_conformance.result.result import (
    ExchangeLine,
    Replayed,
    Result,
    ScenarioLine,
    judgement_from_json,
    judgement_json,
)
from local_dream_conformance.result.waiver import Waiver
from local_dream_conformance.result.waiver_file import BadWaivers
from local_dream_conformance.run import plan, replay, runner
from local_dream_conformance.run.item import ChecksFolder, RequirementItem
from local_dream_conformance.run.plan import Plan
from local_dream_conformance.run.progress import Progress
from local_dream_conformance.run.runner import Run
from local_dream_conformance.run.server_process import SERVERS, LaunchFailed, ServerProcess
from local_dream_conformance.run.suite import Suite

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

WORDS = {
    Verdict.WARN: ("warned", "W", ("WARN", {"yellow": True})),
    Verdict.ERROR: ("error", "E", ("ERROR", {"red": True})),
    Verdict.BLOCKED: ("blocked", "b", ("BLOCKED", {"yellow": True})),
    Verdict.UNTESTED: ("untested", "u", ("UNTESTED", {"yellow": True})),
    Verdict.NOT_APPLICABLE: ("not-applicable", "-", ("NOT-APPLICABLE", {})),
    Verdict.WAIVED: ("waived", "w", ("WAIVED", {"yellow": True})),
}


class ConformanceSession:
    """The plugin of one process in one run."""

    def __init__(
        self, config: pytest.Config, target: str | None, given: Mapping[str, Any], environment: Mapping[str, str]
    ) -> None:
        self.config = config
        self.recording: Recording | None = None
        if target is None:
            self.recording = replay.load(Path(config.option.local_dream_replay))
            self.launched = self.recording.launched
            self.settings = replay.settings(self.recording, given)
        else:
            self.launched = target if target in SERVERS else ""
            file, origin = settings_file.find(config.invocation_params.dir)
            url = target if self.launched else options.address(target)
            self.settings = options.resolve(url, given, environment, file, origin)
            if self.launched and self.settings.upscaler_path is None:
                self.settings = replace(self.settings, upscaler_path=SERVERS[self.launched].upscaler_path)
        try:
            self.suite: Suite = config.hook.pytest_local_dream_suite(config=config)
            self.waivers = self.load_waivers()
        except (BadContract, BadWaivers) as error:
            raise BadSetting(str(error)) from None
        shared: str | None = getattr(config, "workerinput", {}).get("local_dream_folder")
        self.is_worker = shared is not None
        self.outputs = Outputs(config.option)
        self.progress = Progress()
        if not self.is_worker:
            self.outputs.check(is_replay=self.recording is not None)
        self.is_controller = bool(getattr(config.option, "tx", None)) and not self.is_worker
        self.folder = Path(shared or tempfile.mkdtemp(prefix="local-dream-"))
        self.bodies = self.folder / "bodies"
        self.plan: Plan | None = None
        self.ids: tuple[str, ...] = ()
        self.run: Run | None = None
        self.server: ServerProcess | None = None
        self.problem = ""
        self.judged: dict[str, Judged] = {}
        self.result: Result | None = None
        self.started = datetime.now(UTC)
        self.began = time.monotonic()

    def load_waivers(self) -> dict[str, Waiver]:
        """The waivers of this run by requirement id: a file's own before the deviations that are known."""
        found: dict[str, Waiver] = {}
        for name in self.settings.known:
            found |= known.load(name)
        if self.settings.waivers is not None:
            found |= waiver_file.load(Path(self.settings.waivers), self.suite.contract)
        return found

    @property
    def reporter(self) -> TerminalReporter | None:
        return self.config.pluginmanager.get_plugin("terminalreporter")

    # What is judged, and what it costs

    def pytest_report_header(self) -> str:
        contract = self.suite.contract
        target = f"{self.launched} (our own server)" if self.launched else self.settings.address.public
        if self.recording is not None:
            target += f", recorded {self.recording.started or 'earlier'}"
        return f"local-dream: target {target}, profile {self.settings.profile}, contract {contract.version}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        if path != self.suite.folder:
            return None
        folder = ChecksFolder.from_parent(parent, path=path)
        folder.judges = self
        return folder

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.make_plan([item.requirement.id for item in session.items if isinstance(item, RequirementItem)])

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["local_dream_folder"] = str(self.folder)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        if self.plan is None:
            names = [id.rpartition("::")[2] for id in ids]
            self.make_plan([name for name in names if name in self.suite.contract.by_id])

    def make_plan(self, ids: Sequence[str]) -> None:
        """Fixes what is judged. The same ids give the same plan in every process."""
        self.ids = tuple(ids)
        if self.recording is None:
            self.plan = plan.make(self.suite, self.ids, self.settings)
            cost = f"costing the target {describe(self.plan.cost)}"
        else:
            self.plan = replay.make_plan(self.suite, self.ids, self.settings, self.recording)
            cost = "all recorded: nothing is asked of the target"
        if self.ids and self.reporter is not None and not self.is_worker and not self.config.option.collectonly:
            self.reporter.write_line(
                f"plan: {len(self.ids)} requirements, {len(self.plan.scenarios)} scenarios, {cost}"
            )

    # The calls

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if self.is_worker or self.config.option.collectonly or (not self.ids and not self.is_controller):
            return None
        if session.testsfailed and not self.config.option.continue_on_collection_errors:
            return None  # pytest ends the session
        if self.config.option.local_dream_plan:
            self.write_plan()
            return True
        if self.recording is not None:
            try:
                replay.begin(self.folder, Path(self.config.option.local_dream_replay), self.recording, self.settings)
            except BadRecording as error:
                raise pytest.UsageError(f"--replay: {error}") from None
            return None
        try:
            url = self.settings.url
            if self.launched:
                self.server = ServerProcess(self.launched, SERVERS[self.launched])
                url = self.server.url
            self.settings = replace(self.settings, url=url)
            runner.begin(self.folder, url)
            preflight.reach(self.settings)
            if self.plan is not None:
                self.progress.open(self.config, self.plan, self.settings)
        except (LaunchFailed, preflight.Unreachable) as error:
            self.problem = str(error)
            return True
        return None

    def write_plan(self) -> None:
        """Writes each scenario with its cost, and what is left out with the reason."""
        assert self.plan is not None
        if self.reporter is None:
            return
        for scenario in self.plan.scenarios:
            self.reporter.write_line(f"  {scenario.name:<18} {describe(scenario.cost)}")
        for name, reason in {**self.plan.unavailable, **self.plan.over_budget, **self.plan.not_recorded}.items():
            self.reporter.write_line(f"  {name:<18} not made: {reason}")
        self.reporter.write_line(f"  {'total':<18} {describe(self.plan.cost)}", bold=True)

    def judge(self, requirement: Requirement) -> tuple[Judgement, str]:
        """The verdict on a requirement, and its failure text where something is wrong."""
        assert self.plan is not None
        if self.run is None:
            self.run = Run(
                self.suite, self.settings, self.plan, self.folder, self.progress.scenario, self.progress.on_data
            )
        if self.recording is not None and requirement.id in self.recording.untested:
            return Judgement(requirement.id, Verdict.UNTESTED, self.recording.untested[requirement.id]), ""
        judgement = self.run.judge(requirement.id)
        judgement = waiver.apply(judgement, self.waivers.get(requirement.id), datetime.now(UTC).date())
        if not judgement.findings and judgement.verdict not in (Verdict.ERROR, Verdict.STALE):
            return judgement, ""
        curls = self.curls([judgement], self.run.settings)
        return judgement, failure.text(requirement, judgement, curls)

    def fails(self, judgement: Judgement) -> bool:
        """Whether the item of a requirement fails."""
        failing = (Verdict.FAIL, Verdict.STALE, Verdict.ERROR)
        return judgement.verdict in failing or (judgement.verdict is Verdict.WARN and self.settings.strict)

    def curls(self, judgements: Sequence[Judgement], settings: Settings) -> dict[str, str]:
        """A curl line for every exchange that a finding names."""
        wanted = {finding.exchange for judgement in judgements for finding in judgement.findings}
        return {
            exchange.label: curl.line(exchange, settings, self.bodies)
            for transcript in archive.made(self.folder)
            for exchange in transcript.exchanges
            if exchange.label in wanted
        }

    # The reports

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        outcome: Any = yield
        if isinstance(item, RequirementItem) and call.when == "call" and item.judgement is not None:
            report = outcome.get_result()
            report.local_dream = {"judgement": judgement_json(item.judgement), "text": item.text}
            if item.judgement.verdict is Verdict.ERROR:
                report.longrepr = item.text

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        carried: dict[str, Any] | None = getattr(report, "local_dream", None)
        if carried is not None and not self.is_worker:
            judgement = judgement_from_json(carried["judgement"])
            self.judged[judgement.id] = Judged(self.suite.contract.by_id[judgement.id], judgement, carried["text"])

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> Any:
        carried: dict[str, Any] | None = getattr(report, "local_dream", None)
        if carried is None:
            return None
        verdict = Verdict(carried["judgement"]["verdict"])
        return None if verdict is Verdict.WARN and report.failed else WORDS.get(verdict)

    # The end

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.is_worker:
            return
        if self.server is not None:
            self.server.stop()
        if not (self.problem or (self.folder / runner.ADDRESS).exists()):
            return
        self.result = self.sum_up()
        if self.problem or exitstatus == pytest.ExitCode.OK:
            session.exitstatus = self.result.exit_code
        self.outputs.write(self.result, self.settings, self.folder)

    def sum_up(self) -> Result:
        """The result, from the judgements that the reports carried and the transcripts in the shared folder."""
        chosen = self.plan or Plan(())  # no plan where an xdist controller could not reach the target
        contract = self.suite.contract
        transcripts = archive.made(self.folder)
        selected = [requirement for requirement in contract.requirements if requirement.id in self.ids]
        profile = contract.in_profile(self.settings.profile, self.settings.declared)
        judged = tuple(self.judged.get(r.id) or Judged(r, _never_judged(r)) for r in selected)
        return Result(
            suite_version=version("local-dream-conformance"),
            contract_version=contract.version,
            python=platform.python_version(),
            started=self.started.isoformat(timespec="seconds"),
            duration=time.monotonic() - self.began,
            settings=self.settings.public(),
            launched=self.launched,
            strict=self.settings.strict,
            plan=tuple(self.probe_lines(chosen, {transcript.scenario for transcript in transcripts})),
            planned=chosen.cost,
            spent=spent(transcripts),
            judged=judged,
            deselected=tuple(r for r in profile if self.plan and not r.unjudged and r.id not in self.ids),
            unjudged=tuple(r for r in profile if r.unjudged),
            exchanges=tuple(ExchangeLine.of(t.scenario, exchange) for t in transcripts for exchange in t.exchanges),
            curls=self.curls([line.judgement for line in judged], self.settings),
            problem=self.problem,
            waivers=tuple(self.waivers[r.id] for r in selected if r.id in self.waivers),
            replay=None if self.recording is None else Replayed.of(self.recording),
        )

    def probe_lines(self, chosen: Plan, made: set[str]) -> Iterator[ScenarioLine]:
        """Every scenario of the plan and what became of it."""
        for scenario in chosen.scenarios:
            failed = (self.folder / f"{scenario.name}.failed").exists()
            state = "made" if scenario.name in made else "failed" if failed else "planned"
            yield ScenarioLine(scenario.name, scenario.cost, state)
        for state, reasons in (
            ("unavailable", chosen.unavailable),
            ("over-budget", chosen.over_budget),
            ("not-recorded", chosen.not_recorded),
        ):
            for name, reason in reasons.items():
                yield ScenarioLine(name, self.suite.scenarios[name].cost, state, reason)

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        if self.result is None:
            return
        if self.problem:
            terminalreporter.write_line(terminal.verdict(self.result), red=True, bold=True)
        else:
            terminal.write(terminalreporter, self.result)
        for line in self.outputs.written:
            terminalreporter.write_line(line)

    def pytest_unconfigure(self) -> None:
        self.progress.close()
        if self.is_worker:
            return
        if self.server is not None:
            self.server.stop()
        keep = self.bodies.exists()  # the curl lines of failures read them
        for path in self.folder.iterdir():
            if not (keep and path == self.bodies):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        if not keep:
            self.folder.rmdir()


def _never_judged(requirement: Requirement) -> Judgement:
    return Judgement(requirement.id, Verdict.UNTESTED, ENDED)
