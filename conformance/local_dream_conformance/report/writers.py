"""What a run writes besides its lines on the terminal: JSON, reports, its recording, a draft of waivers."""

from __future__ import annotations

import contextlib
import os
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from local_dream_conformance.core import whole_file
from local_dream_conformance.core.budget import counted
from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.core.exchange import Transcript
from local_dream_conformance.core.pretty_json import pretty
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.recordings import archive, recording
from local_dream_conformance.recordings.recording import Kept, Recording
from local_dream_conformance.recordings.redaction import Redaction
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.report.files import STEP_SUMMARY, Reports, make_folder, said
from local_dream_conformance.report.formats import FORMATS
from local_dream_conformance.result import waiver_file
from local_dream_conformance.result.result import Result


class Outputs:
    """The files that the options of a run ask for. `written` tells of each in a line, once it is there."""

    def __init__(self, option: Namespace) -> None:
        self.json: str | None = option.local_dream_json_report
        self.reports = Reports(
            {kind.option: _paths(option, kind.option) for kind in FORMATS}, os.environ.get(STEP_SUMMARY) or None
        )
        self.record: str | None = option.local_dream_record
        self.redact_prompts: bool = option.local_dream_redact_prompts
        self.draft: str | None = option.local_dream_write_waivers
        self.is_dry = bool(option.local_dream_plan or option.collectonly)
        self.written: list[str] = []
        self._failed: list[str] = []

    def check(self, *, is_replay: bool) -> None:
        """Makes sure, before the first call, that all can be written. Raises BadSetting."""
        for flag, path in (("--json-report", self.json), ("--write-waivers", self.draft)):
            if path is not None and not self.is_dry:
                make_folder(flag, path)
        self.reports.check(is_dry=self.is_dry)
        if self.draft is not None and Path(self.draft).exists():
            raise BadSetting(f"--write-waivers: {self.draft!r} exists, and may hold reasons; give another name")
        if self.redact_prompts and self.record is None and self.json is None and not self.reports.wanted:
            raise BadSetting("--redact-prompts: nothing is kept without --record DIR or a report")
        if self.record is not None:
            if is_replay:
                raise BadSetting("--record: a replay makes no calls that could be recorded; leave it out")
            if not self.is_dry:
                recording.claim(Path(self.record))

    def write(self, result: Result, settings: Settings, folder: RunFolder) -> None:
        """Writes them. `folder` is that of the run, which has the traceback of a scenario that raised."""
        if self.json is not None:
            with self._telling(f"JSON report in {self.json}"):
                whole_file.write_text(Path(self.json), pretty(result.to_json()) + "\n")
        if self.reports.wanted:
            with self._telling("reports"):
                self.written += self.reports.write(result, self._shown(settings, folder))
        if self.draft is not None:
            with self._telling(f"draft of waivers in {self.draft}"):
                self._draft(self.draft, result, settings)
        if self.record is not None and not result.problem:
            with self._telling(f"recording in {self.record}"):
                self._record(Path(self.record), result, settings, folder)
                self.written.append(f"recorded in {self.record}; judge it again with --replay {self.record}")

    @contextlib.contextmanager
    def junit(self, config: pytest.Config) -> Iterator[None]:
        """Has pytest write its JUnit file beside its place first, so that it is whole or not there."""
        for plugin in config.pluginmanager.get_plugins():
            if hasattr(plugin, "add_global_property") and hasattr(plugin, "logfile"):
                break
        else:
            yield
            return
        place = Path(plugin.logfile)
        if place.exists() and not place.is_file():
            with self._telling(f"JUnit report in {place}"):
                yield
            return
        beside = place.with_name(f".{place.name[:40]}-{os.getpid()}")
        plugin.logfile = str(beside)
        try:
            with self._telling(f"JUnit report in {place}"):
                yield
                beside.replace(place)
        finally:
            plugin.logfile = str(place)
            beside.unlink(missing_ok=True)

    @property
    def failed(self) -> bool:
        """Whether something that was asked for could not be written."""
        return bool(self._failed or self.reports.failed)

    @contextlib.contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        """Tells in one line why something could not be written."""
        try:
            yield
        except (OSError, MemoryError) as error:
            self._failed.append(f"no {what}: {said(error)}")
            self.written.append(self._failed[-1])

    def _shown(self, settings: Settings, folder: RunFolder) -> Sequence[Transcript]:
        """The transcripts as reports may show them."""
        transcripts = folder.transcripts()
        if not (settings.secrets or self.redact_prompts):
            return transcripts
        redaction = Redaction(settings.secrets, prompts=self.redact_prompts)
        place = folder.path / "shown"
        for transcript in transcripts:
            archive.save(place, transcript, redaction.exchange)
        return [archive.load(place, transcript.scenario) for transcript in transcripts]

    def _draft(self, path: str, result: Result, settings: Settings) -> None:
        failing = (Verdict.FAIL, Verdict.WARN) if result.settings["strict"] else (Verdict.FAIL,)
        broken = result.having(*failing)
        whole_file.write_text(Path(path), waiver_file.draft(broken, settings.address.public))
        self.written.append(f"drafted {counted(len(broken), 'waiver')} in {path}")

    def _record(self, place: Path, result: Result, settings: Settings, folder: RunFolder) -> None:
        made = Recording(
            suite_version=result.suite.version,
            contract_version=result.contract,
            started=result.started,
            settings=settings,
            scenarios=tuple(
                Kept(line.name, line.state, folder.failure(line.name) or line.reason) for line in result.plan.scenarios
            ),
            launched=result.launched or "",
            redacted_prompts=self.redact_prompts,
        )
        recording.write(place, made, folder.transcripts())


def _paths(option: Namespace, name: str) -> list[str]:
    """The paths that an option is given, which may be given once or many times."""
    given = getattr(option, "local_dream_" + name.replace("-", "_"))
    return [given] if isinstance(given, str) else list(given or ())
