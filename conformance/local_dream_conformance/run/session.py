"""The session: turns a pytest session into a conformance run, alone or spread over pytest-xdist workers.

Alone, one process collects, plans, reaches the target, judges and sums up. With xdist the controller reaches the target
and sums up what the workers' reports carry; the workers collect, plan and judge. All share one folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from local_dream_conformance.checks.check import SURVIVAL
from local_dream_conformance.core.contract import Requirement
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.evidence.deaths import deaths
from local_dream_conformance.http import preflight
from local_dream_conformance.recordings.recording import BadRecording
from local_dream_conformance.recordings.redaction import Redaction
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.report import curl, failure, terminal
from local_dream_conformance.report.writers import Outputs
from local_dream_conformance.result.requirement_result import RequirementResult
from local_dream_conformance.result.result import EXIT, Outcome, Result
from local_dream_conformance.run import (
    account,
    junit,
    place,
    plan,
    plan_listing,
    relaunch,
    replay,
    selection,
    summary,
    time_bound,
)
from local_dream_conformance.run.excuses import Excuses
from local_dream_conformance.run.item import ChecksFolder, RequirementItem
from local_dream_conformance.run.plan import Plan
from local_dream_conformance.run.progress import Progress
from local_dream_conformance.run.runner import Run
from local_dream_conformance.run.server_process import SERVERS, LaunchFailed, ServerProcess
from local_dream_conformance.run.setup import Setup
from local_dream_conformance.run.stdout import Lasting
from local_dream_conformance.run.stopping import Stop
from local_dream_conformance.run.summary import Began
from local_dream_conformance.run.time_bound import NO_BOUND

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter


class ConformanceSession:
    """The plugin of one process in one run."""

    def __init__(self, config: pytest.Config, setup: Setup) -> None:
        self.config = config
        self.setup = setup
        self.suite = setup.suite
        self.settings = setup.settings
        shared: str | None = getattr(config, "workerinput", {}).get("local_dream_folder")
        self.is_worker = shared is not None
        self.outputs = Outputs(config.option)
        self.progress = Progress()
        if not self.is_worker:
            self.outputs.check(is_replay=setup.recording is not None)
        self.is_controller = bool(getattr(config.option, "tx", None)) and not self.is_worker
        self.folder = RunFolder(Path(shared)) if shared else place.make()
        self.stop = Stop()
        self.plan: Plan | None = None
        self.bound = NO_BOUND
        self.ids: tuple[str, ...] = ()
        self.run: Run | None = None
        self.server: ServerProcess | None = None
        self.problem = ""
        self.misnamed = selection.misnamed(config.option.keyword or "", self.suite, self.settings)
        self.selection = selection.own(config)
        self.judged: dict[str, Judgement] = {}
        self.result: Result | None = None
        self.began = Began()

    @property
    def reporter(self) -> TerminalReporter | None:
        return self.config.pluginmanager.get_plugin("terminalreporter")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        if self.is_worker:
            return
        self.stop.listen()
        self.config.pluginmanager.register(junit.WholeJunit(self.outputs))
        if self.reporter is not None:
            writer = self.reporter._tw
            writer._file = Lasting(writer._file)

    # What is judged, and what it costs

    def pytest_report_header(self) -> str:
        version = self.suite.contract.version
        return f"local-dream: target {self.setup.target}, profile {self.settings.profile}, contract {version}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        if path != self.suite.folder:
            return None
        folder = ChecksFolder.from_parent(parent, path=path)
        folder.judges = self
        return folder

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.make_plan([item.requirement.id for item in session.items if isinstance(item, RequirementItem)])
        if len(self.ids) == len(session.items):
            account.take(self.config)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["local_dream_folder"] = str(self.folder.path)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        if self.plan is None:
            names = [id.rpartition("::")[2] for id in ids]
            self.make_plan([name for name in names if name in self.suite.contract.by_id])
            if len(self.ids) == len(names):
                account.take(self.config)

    def make_plan(self, ids: Sequence[str]) -> None:
        """Fixes what is judged. The same ids give the same plan in every process."""
        self.ids = tuple(ids)
        recording = self.setup.recording
        if recording is None:
            self.plan = plan.make(self.suite, self.ids, self.settings)
            self.bound = time_bound.bound(self.plan, self.settings)
        else:
            self.plan = replay.make_plan(self.suite, self.ids, self.settings, recording)
        if self.ids and self.reporter is not None and not self.is_worker and not self.config.option.collectonly:
            self.reporter.write_line(plan_listing.summary(self.ids, self.plan, self.settings, asks=recording is None))
            if recording is None:
                self.reporter.write_line(self.bound.words)

    # The calls

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if self.is_worker:
            return None
        if self.config.option.collectonly or (not self.ids and not self.is_controller):
            return None
        if session.testsfailed and not self.config.option.continue_on_collection_errors:
            return None  # pytest ends the session
        if self.misnamed:
            return True
        if self.config.option.local_dream_plan:
            if self.plan is not None and self.reporter is not None:
                plan_listing.write(self.reporter, self.plan, self.settings)
            return True
        if self.setup.recording is not None:
            source = Path(self.config.option.local_dream_replay)
            try:
                replay.begin(self.folder, source, self.setup.recording, self.settings)
            except BadRecording as error:
                raise pytest.UsageError(f"--replay: {error}") from None
            return None
        try:
            if name := self.setup.launched:
                self.server = ServerProcess(name, SERVERS[name])
                self.settings = replace(self.settings, url=self.server.url)
            self.folder.begin(self.settings.url)
            preflight.reach(self.settings)
            if self.plan is not None:
                self.progress.open(self.config, self.plan, self.settings)
        except (LaunchFailed, preflight.Unreachable) as error:
            self.problem = str(error)
            return True
        return None

    def judge(self, requirement: Requirement) -> tuple[Judgement, str]:
        """The verdict on a requirement, and its failure text where something is wrong."""
        assert self.plan is not None
        if self.run is None:
            progress = self.progress
            self.run = Run(
                self.suite,
                self.settings,
                self.plan,
                self.folder,
                progress.scenario,
                progress.on_data,
                progress.on_ask,
                relaunch.relauncher(self.settings.relaunch, self.setup.launched, self.folder),
                self.bound.asks_until,
            )
            progress.follow(self.run.prospect)
        recording = self.setup.recording
        if recording is not None and requirement.id in recording.untested:
            return Judgement(requirement.id, Verdict.UNTESTED, recording.untested[requirement.id]), ""
        judgement = self.run.judge(requirement.id)
        waivers = {id: one for id, one in self.setup.waivers.items() if id in self.suite.contract.by_id}
        judgement = Excuses(waivers, self.run.judge, datetime.now(UTC).date()).apply(judgement)
        if not judgement.findings and judgement.verdict not in (Verdict.ERROR, Verdict.STALE):
            return judgement, ""
        curls = curl.lines([judgement], self.exchanges(), self.run.settings, self.folder.bodies)
        return judgement, failure.text(RequirementResult.of(requirement, judgement), curls)

    def exchanges(self) -> Mapping[str, Exchange]:
        """Those of the run, for curl lines: without prompts where those are not to be shown."""
        found = self.folder.exchanges()
        if not self.outputs.redact_prompts:
            return found
        redaction = Redaction((), prompts=True)
        return {label: redaction.asked(exchange) for label, exchange in found.items()}

    def fails(self, judgement: Judgement) -> bool:
        """Whether the item of a requirement fails."""
        return account.fails(judgement, strict=self.settings.strict)

    # The reports

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        outcome: Any = yield
        if isinstance(item, RequirementItem) and call.when == "call" and item.judgement is not None:
            report = outcome.get_result()
            report.local_dream = msgspec.to_builtins(item.judgement)
            if item.judgement.verdict is Verdict.ERROR:
                report.longrepr = item.text

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        carried: dict[str, Any] | None = getattr(report, "local_dream", None)
        if carried is not None and not self.is_worker:
            judgement = msgspec.convert(carried, Judgement)
            self.judged[judgement.id] = judgement

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> Any:
        carried: dict[str, Any] | None = getattr(report, "local_dream", None)
        return None if carried is None else account.status(carried, failed=report.failed)

    # The end

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.is_worker:
            return
        self.stop_servers()
        if not (self.problem or self.folder.has_begun):
            if exitstatus == pytest.ExitCode.OK and not self.selection.is_dry:
                session.exitstatus = EXIT[Outcome.INCONCLUSIVE]
            if self.misnamed:
                session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
            return
        self.result = summary.result(
            self.setup,
            self.settings,
            self.plan,
            self.ids,
            self.judged,
            self.folder,
            self.began,
            self.problem,
            self.selection.words,
            self.exchanges(),
        )
        if self.problem or exitstatus == pytest.ExitCode.OK:
            session.exitstatus = self.result.exit_code
        junit.add_causes(self.config, self.result)
        self.outputs.write(self.result, self.settings, self.folder)

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        for line in self.misnamed:
            terminalreporter.write_line(line, red=True, bold=True)
        if self.result is None:
            if not (self.selection.is_dry or self.misnamed):
                terminalreporter.write_line(f"INCONCLUSIVE: {self.setup.target}: nothing was judged", yellow=True)
            return
        if self.problem:
            terminalreporter.write_line(terminal.verdict(self.result), red=True, bold=True)
        else:
            terminal.write(terminalreporter, self.result)
        for death in () if SURVIVAL in self.ids else deaths(self.folder.exchanges().values()):
            terminalreporter.write_line(death.text, red=True)
        for line in (*self.outputs.written, *relaunch.told(self.folder)):
            terminalreporter.write_line(line)

    def pytest_unconfigure(self) -> None:
        self.progress.close()
        if self.is_worker:
            return
        self.stop_servers()
        self.stop.leave()
        if self.stop.by is None:
            self.folder.remove()
        else:
            self.folder.remove_all()

    def stop_servers(self) -> None:
        """Stops what the run has started."""
        relaunch.stop(self.folder)
        if self.server is not None:
            self.server.stop()
