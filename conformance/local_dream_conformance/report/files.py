"""The report files of a run: which are asked for, whether they can be written, and their writing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.core.exchange import Transcript
from local_dream_conformance.result.result import Result

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


@dataclass(frozen=True)
class Reports:
    """Paths of the reports, None or empty where they are not wanted. `summary` is a file to append Markdown to."""

    html: str | None = None
    markdown: str | None = None
    badges: tuple[str, ...] = ()
    summary: str | None = None

    @property
    def wanted(self) -> bool:
        """Whether there is any."""
        return bool(self.html or self.markdown or self.badges or self.summary)

    def check(self) -> None:
        """Makes sure, before the first call, that all can be written. Raises BadSetting."""
        named = [("--html-report", self.html), ("--markdown-report", self.markdown)]
        for flag, path in (*named, *(("--badge", badge) for badge in self.badges)):
            if path is not None and not Path(path).resolve().parent.is_dir():
                raise BadSetting(f"{flag}: {path!r}: its folder does not exist; create it first")
        for path in self.badges:
            if Path(path).suffix not in (".svg", ".json"):
                raise BadSetting(f"--badge: {path!r}: end it in .svg for a picture or .json for a shields.io endpoint")

    def write(self, result: Result, transcripts: Sequence[Transcript]) -> Iterator[str]:
        """Writes the reports of a result; one line of each that is written or refused.

        `transcripts` are shown as they are: tokens must not be in them any more.
        """
        from local_dream_conformance.report import badge, html, markdown
        from local_dream_conformance.report.view_model import ViewModel

        document = ViewModel(result)
        if self.html is not None:
            _write(self.html, html.page(result, transcripts))
            yield f"report: {self.html}"
        if self.markdown is not None:
            _write(self.markdown, markdown.page(document))
            yield f"report: {self.markdown}"
        for path in self.badges:
            try:
                _write(path, badge.svg(document) if path.endswith(".svg") else badge.text(document))
                yield f"badge: {path}"
            except badge.Refused as refused:
                yield f"no badge in {path}: {refused}"
        if self.summary is not None:
            try:
                with Path(self.summary).open("a", encoding="utf-8") as file:
                    file.write(markdown.page(document))
            except OSError as error:
                yield f"no summary of the job: {STEP_SUMMARY} is {self.summary!r}: {error.strerror}"


def _write(path: str, text: str) -> None:
    Path(path).write_text(text, encoding="utf-8", errors="backslashreplace")
