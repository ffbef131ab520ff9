"""The report files of a run: which are asked for, whether they can be written, and their writing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local_dream_conformance.core import whole_file
from local_dream_conformance.core.errors import BadSetting, ReportRefused
from local_dream_conformance.core.exchange import Transcript
from local_dream_conformance.report.formats import FORMATS, markdown
from local_dream_conformance.result.result import Result

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def make_folder(flag: str, path: str) -> None:
    """Makes the folder of a file that the option `flag` asks for. Raises BadSetting."""
    try:
        Path(path).resolve().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(f"{flag}: {path!r}: its folder cannot be made: {error.strerror}") from None
    if Path(path).is_dir():
        raise BadSetting(f"{flag}: {path!r} is a folder; give the name of a file")


@dataclass(frozen=True)
class Reports:
    """`paths` of the reports by the option that asks for them (see `formats`). `summary` is a file to append Markdown
    to."""

    paths: Mapping[str, Sequence[str]] = field(default_factory=dict)
    summary: str | None = None
    failed: list[str] = field(default_factory=list)
    """What could not be written, in the lines that told of it."""

    @property
    def wanted(self) -> bool:
        """Whether there is any."""
        return bool(self.summary or any(self.paths.values()))

    def check(self, *, is_dry: bool = False) -> None:
        """Makes sure, before the first call, that all can be written: makes their folders, but for a dry run, which
        writes nothing. Raises BadSetting."""
        for kind in FORMATS:
            for path in self.paths.get(kind.option, ()):
                if kind.of(Path(path).suffix) is None:
                    raise BadSetting(f"--{kind.option}: {path!r}: end it in {' or '.join(kind.by_suffix)}")
                if not is_dry:
                    make_folder(f"--{kind.option}", path)

    def write(self, result: Result, transcripts: Sequence[Transcript]) -> Iterator[str]:
        """Writes the reports of a result; one line of each that is written or refused.

        `transcripts` are shown as they are: tokens must not be in them any more.
        """
        for kind in FORMATS:
            for path in self.paths.get(kind.option, ()):
                make = kind.of(Path(path).suffix)
                assert make is not None  # see check
                try:
                    whole_file.write_text(Path(path), make(result, transcripts))
                    yield f"{kind.noun}: {path}"
                except ReportRefused as refused:
                    yield f"no {kind.noun} in {path}: {refused}"
                except (OSError, MemoryError) as error:
                    yield self._fails(f"no {kind.noun} in {path}: {said(error)}")
        if self.summary is not None:
            try:
                with Path(self.summary).open("a", encoding="utf-8") as file:
                    file.write(markdown(result, transcripts))
            except (OSError, MemoryError) as error:
                yield f"no summary of the job: {STEP_SUMMARY} is {self.summary!r}: {said(error)}"

    def _fails(self, line: str) -> str:
        self.failed.append(line)
        return line


def said(error: OSError | MemoryError) -> str:
    """Why something could not be written."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else "not enough memory"
