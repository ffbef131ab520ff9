"""Recordings: a run's transcripts in a folder that people can read, send on, and judge again without a network.

`recording.json` says what was run against what; `index.md` lists every exchange for people; each scenario has a folder
with its transcript (see conformance.archive). `recording.json` is written last: a folder without it is not a recording.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.core.exchange import Transcript
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.recordings import archive, index
from local_dream_conformance.recordings.archive import BadArchive
from local_dream_conformance.recordings.redaction import Redaction

FORMAT = 1
HEAD = "recording.json"
PAGE = "index.md"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
STATES = ("made", "planned", "failed", "unavailable", "over-budget")


class BadRecording(ValueError):
    """The folder is not a recording that can be read; the message names it and what is wrong."""


@dataclass(frozen=True)
class Kept:
    """What became of a scenario in the recorded run: one of STATES, with the reason where it was not made."""

    name: str
    state: str
    reason: str = ""


@dataclass(frozen=True)
class Recording:
    """What is known of a recorded run. `started` is UTC in ISO 8601, "" where it is not known.

    `partial` says that the scenarios are not complete: someone else's calls under the suite's labels. `untested` maps
    requirement ids to the reason why this recording cannot show whether they hold.
    """

    suite_version: str
    contract_version: str
    started: str
    settings: Settings
    scenarios: tuple[Kept, ...]
    launched: str = ""
    partial: bool = False
    redacted_prompts: bool = False
    untested: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def kept(self, name: str) -> Kept | None:
        """What became of a scenario, None where the recorded run did not plan it."""
        return next((scenario for scenario in self.scenarios if scenario.name == name), None)


def claim(folder: Path) -> None:
    """Makes sure, before a run, that its recording can be written here. Raises BadSetting."""
    if folder.exists() and not folder.is_dir():
        raise BadSetting(f"--record: {str(folder)!r} is a file; give a folder that does not exist yet")
    if folder.is_dir() and any(folder.iterdir()):
        raise BadSetting(f"--record: {str(folder)!r} is not empty; give a folder that does not exist yet, or empty it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(f"--record: {str(folder)!r} cannot be made: {error.strerror}") from None


def write(folder: Path, recording: Recording, transcripts: Iterable[Transcript]) -> None:
    """Writes a recording without its tokens and, where it says so, without its prompts."""
    redaction = Redaction(recording.settings.secrets, prompts=recording.redacted_prompts)
    redacted: list[Transcript] = []
    try:
        _write(folder, recording, transcripts, redacted, redaction)
    except BaseException:  # a recording is whole, or not there
        for name in (PAGE, HEAD):
            (folder / name).unlink(missing_ok=True)
        for transcript in redacted:
            shutil.rmtree(folder / transcript.scenario, ignore_errors=True)
        raise


def _write(
    folder: Path,
    recording: Recording,
    transcripts: Iterable[Transcript],
    redacted: list[Transcript],
    redaction: Redaction,
) -> None:
    for transcript in transcripts:
        archive.save(folder, transcript, redaction.exchange)
        redacted.append(archive.load(folder, transcript.scenario))
    (folder / PAGE).write_text(index.page(_head(recording), redacted), encoding="utf-8")
    (folder / HEAD).write_text(json.dumps(_head(recording), indent=1) + "\n", encoding="utf-8")


def read(folder: Path) -> Recording:
    """The head of the recording in a folder. Raises BadRecording."""
    path = folder / HEAD
    try:
        head = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadRecording(f"{str(folder)!r} is no recording: it has no {HEAD}; --record DIR makes one") from None
    except (OSError, ValueError, RecursionError) as error:
        raise BadRecording(f"{path}: {error}") from None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        found = head.get("format") if isinstance(head, dict) else head
        raise BadRecording(f"{path}: format {found!r} is not known here (this version reads {FORMAT})")
    try:
        return Recording(
            suite_version=str(head["suite"]),
            contract_version=str(head["contract"]),
            started=str(head["started"]),
            settings=Settings.from_public(head["settings"]),
            scenarios=tuple(_kept(entry) for entry in head["probes"]),
            launched=str(head.get("launched") or ""),
            partial=bool(head.get("partial", False)),
            redacted_prompts="prompts" in head.get("redacted", ()),
            untested={str(id): str(reason) for id, reason in head.get("untested", {}).items()},
            note=str(head.get("note", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadRecording(f"{path}: {type(error).__name__}: {error}") from None


def transcripts(folder: Path, recording: Recording) -> Iterable[Transcript]:
    """The transcripts of the scenarios that the recorded run made. Raises BadRecording."""
    for scenario in recording.scenarios:
        if scenario.state == "made":
            try:
                transcript = archive.load(folder, scenario.name)
            except FileNotFoundError:
                raise BadRecording(f"{str(folder)!r} has no transcript of its scenario {scenario.name}") from None
            except BadArchive as error:
                raise BadRecording(str(error)) from None
            if transcript.scenario != scenario.name:
                raise BadRecording(
                    f"{folder / scenario.name}: the transcript is of {transcript.scenario!r}, not {scenario.name}"
                )
            yield transcript


def _head(recording: Recording) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "suite": recording.suite_version,
        "contract": recording.contract_version,
        "started": recording.started,
        "launched": recording.launched or None,
        "partial": recording.partial,
        "redacted": ["tokens", "prompts"] if recording.redacted_prompts else ["tokens"],
        "note": recording.note,
        "settings": recording.settings.public(),
        "probes": [
            {"name": scenario.name, "state": scenario.state, "reason": scenario.reason}
            for scenario in recording.scenarios
        ],
        "untested": dict(recording.untested),
    }


def _kept(entry: Mapping[str, Any]) -> Kept:
    name, state = str(entry["name"]), str(entry["state"])
    if state not in STATES:
        raise ValueError(f"{state!r} is no state of a scenario; there are {', '.join(STATES)}")
    if not NAME.fullmatch(name):  # it names a folder, and a recording may come from a stranger
        raise ValueError(f"{name!r} is no name of a scenario")
    return Kept(name, state, str(entry.get("reason", "")))
