"""What a run writes besides its lines on the terminal: JSON, reports, its recording, a draft of waivers."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from pathlib import Path

from local_dream_conformance.core.budget import counted
from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.recordings import recording
from local_dream_conformance.recordings.recording import Kept, Recording
from local_dream_conformance.recordings.redaction import Redaction
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.report.files import STEP_SUMMARY, Reports, make_folder
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

    def check(self, *, is_replay: bool) -> None:
        """Makes sure, before the first call, that all can be written. Raises BadSetting."""
        for flag, path in (("--json-report", self.json), ("--write-waivers", self.draft)):
            if path is not None and not self.is_dry:
                make_folder(flag, path)
        self.reports.check(is_dry=self.is_dry)
        if self.draft is not None and Path(self.draft).exists():
            raise BadSetting(f"--write-waivers: {self.draft!r} exists, and may hold reasons; give another name")
        if self.redact_prompts and self.record is None:
            raise BadSetting("--redact-prompts: nothing is kept without --record DIR")
        if self.record is not None:
            if is_replay:
                raise BadSetting("--record: a replay makes no calls that could be recorded; leave it out")
            if not self.is_dry:
                recording.claim(Path(self.record))

    def write(self, result: Result, settings: Settings, folder: RunFolder) -> None:
        """Writes them. `folder` is that of the run, which has the traceback of a scenario that raised."""
        if self.json is not None:
            Path(self.json).write_text(json.dumps(result.to_json(), indent=1) + "\n", encoding="utf-8")
        if self.reports.wanted:
            redaction = Redaction(settings.secrets, prompts=self.redact_prompts)
            shown = [redaction.transcript(transcript) for transcript in folder.transcripts()]
            self.written += self.reports.write(result, shown)
        if self.draft is not None:
            failing = (Verdict.FAIL, Verdict.WARN) if result.settings["strict"] else (Verdict.FAIL,)
            broken = result.having(*failing)
            Path(self.draft).write_text(waiver_file.draft(broken, settings.address.public), encoding="utf-8")
            self.written.append(f"drafted {counted(len(broken), 'waiver')} in {self.draft}")
        if self.record is not None and not result.problem:
            self._record(Path(self.record), result, settings, folder)
            self.written.append(f"recorded in {self.record}; judge it again with --replay {self.record}")

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
