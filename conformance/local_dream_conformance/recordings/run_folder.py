"""The folder that all processes of a run share: where its target is, what came of each scenario, bodies of curl lines.

Each process reads a transcript at most once.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from local_dream_conformance.core.exchange import Exchange, Transcript
from local_dream_conformance.core.pieces import StoredReads
from local_dream_conformance.recordings import archive

TARGET = "target.json"


@dataclass(frozen=True)
class Begun:
    """What a run began with: the target's URL, and the `time.monotonic()` at which its clock was 0."""

    url: str
    clock: float


class RunFolder:
    """One process's view of the folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bodies = path / "bodies"
        """Where curl lines keep what is too long for them."""
        self.answers = path / "answers"
        """Where large answers lie while their scenario is made."""
        self.relaunched = path / "relaunched"
        """Where servers that were started again (--relaunch) leave what they print."""
        self.running = FileLock(path / "running.lock", thread_local=False)
        """Held from the beginning of the run to its end, in whatever way it ends."""
        self.lock = FileLock(path / "target.lock")
        """Held while a scenario is made: a target has one at a time."""
        self._transcripts: dict[str, Transcript] = {}

    def begin(self, url: str) -> None:
        """Tells every process where the target is, and starts the run's clock."""
        (self.path / TARGET).write_text(json.dumps({"url": url, "clock": time.monotonic()}), encoding="utf-8")

    @property
    def has_begun(self) -> bool:
        """Whether some process has begun the run."""
        return (self.path / TARGET).exists()

    def begun(self) -> Begun:
        """What the run began with. Raises FileNotFoundError before that."""
        return Begun(**json.loads((self.path / TARGET).read_text(encoding="utf-8")))

    def keep(self, transcript: Transcript) -> Transcript:
        """Keeps the transcript of a scenario that was made. Answers with it as it is kept: large answers in files."""
        archive.save(self.path, transcript)
        files = [one.reads.path for one in transcript.exchanges if isinstance(one.reads, StoredReads)]
        if self.answers in (file.parent for file in files):
            transcript = archive.load(self.path, transcript.scenario)
            for file in files:
                file.unlink()
        self._transcripts[transcript.scenario] = transcript
        return transcript

    def transcript(self, scenario: str) -> Transcript | None:
        """The transcript of a scenario, None where no process has made it. Raises BadArchive."""
        if scenario not in self._transcripts and archive.holds(self.path, scenario):
            self._transcripts[scenario] = archive.load(self.path, scenario)
        return self._transcripts.get(scenario)

    def transcripts(self) -> tuple[Transcript, ...]:
        """All transcripts, in the order in which their scenarios were made. Raises BadArchive."""
        for scenario in archive.names(self.path):
            self.transcript(scenario)
        return tuple(sorted(self._transcripts.values(), key=_began))

    def exchanges(self) -> dict[str, Exchange]:
        """The exchanges of all transcripts by label. Raises BadArchive."""
        return {exchange.label: exchange for transcript in self.transcripts() for exchange in transcript.exchanges}

    def fail(self, scenario: str, traceback: str) -> None:
        """Keeps how a scenario failed: through the suite's own fault."""
        self._failure(scenario).write_text(traceback, encoding="utf-8")

    def failure(self, scenario: str) -> str:
        """The traceback of a scenario that raised, "" where it did not."""
        path = self._failure(scenario)
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def _failure(self, scenario: str) -> Path:
        return self.path / f"{scenario}.failed"

    def remove(self) -> None:
        """Removes all but the bodies, which the curl lines of failures read, and what relaunched servers printed. The
        run is over: others may remove it all at the same time."""
        kept = [path for path in (self.bodies, self.relaunched) if path.exists()]
        with contextlib.suppress(FileNotFoundError):
            for path in self.path.iterdir():
                if path not in kept:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            if not kept:
                self.path.rmdir()

    def remove_all(self) -> None:
        """Removes all of it."""
        shutil.rmtree(self.path, ignore_errors=True)


def _began(transcript: Transcript) -> float:
    return min((exchange.started for exchange in transcript.exchanges), default=0.0)
