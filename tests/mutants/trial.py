"""Builds a mutant, stands it up, and has the suite judge it from outside, as an author would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from tests.examples.servers import EXAMPLES, ServerFailed, running
from tests.mutants.mutant import DEAD, GAP, LEGAL, SAME, Mutant

LONGEST = 600
"""Seconds after which a trial is ended."""
OPTIONS = ("--upscaler-path", "default", "--idle-timeout", "6")
UNJUDGED = ("suite-error", "unreachable")
"""Verdicts of the suite that say nothing about the server."""
PROFILES = ("core", "all")
"""What is judged, one after the other, until a requirement that the mutant breaks is judged broken."""


class Outcome(StrEnum):
    """What the suite made of a mutant."""

    CAUGHT = "caught"
    """A requirement that the bug breaks is judged broken."""
    MISNAMED = "misnamed"
    """Requirements are judged broken, but none that the bug breaks."""
    MISSED = "missed"
    """A written requirement is broken, and all pass."""
    GAP = "gap"
    """Broken for any client, and the contract does not say so: all pass."""
    LEGAL = "legal"
    """Odd and allowed: all pass."""
    FALSE_ALARM = "false alarm"
    """Odd and allowed, and yet judged broken."""
    SAME = "equivalent"
    """No client can see a difference, and all pass."""
    UNREAD = "survived"
    """All pass, and nobody has read yet what that means."""
    DEAD = "not viable"
    """The server does not start, as was to be expected."""
    BROKEN = "broken trial"
    """The server did not build, did not start, or was not judged."""


class NotJudged(Exception):
    """The suite gave no result; the message is what it said."""


@dataclass(frozen=True)
class Trial:
    """What came out: the ids judged broken, in which profile, and the suite's verdict."""

    name: str
    outcome: Outcome
    found: tuple[str, ...] = ()
    profile: str = ""
    verdict: str = ""
    seconds: float = 0.0
    problem: str = ""


def attempt(mutant: Mutant) -> Trial:
    """Build, run and judge a mutant. It changes this process's folder and output: call it in one of its own."""
    began = time.monotonic()
    example = EXAMPLES[mutant.server]
    failed = Outcome.DEAD if mutant.breaks == DEAD else Outcome.BROKEN
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(LONGEST)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "server"
        place.mkdir()
        try:
            example.make(place, mutant.change)
            with running(example, place, mutant.step_ms) as url:
                for profile in PROFILES:
                    result = judge(url, Path(folder), profile)
                    if result["outcome"] in UNJUDGED:
                        raise NotJudged(f"the suite's verdict is {result['outcome']}")
                    found = tuple(one["id"] for one in result["requirements"] if one["verdict"] in ("fail", "warn"))
                    if (came := outcome(mutant.breaks, found)) is Outcome.CAUGHT:
                        break
        except subprocess.CalledProcessError as error:
            return Trial(mutant.name, failed, problem=error.stderr[-500:])
        except (ServerFailed, TimeoutError, NotJudged) as error:
            return Trial(mutant.name, failed, problem=str(error)[-500:])
        finally:
            signal.alarm(0)
            os.chdir("/")
    return Trial(mutant.name, came, found, profile, result["outcome"], time.monotonic() - began)


def judge(url: str, folder: Path, profile: str) -> dict[str, Any]:
    """The suite's result on a server, by a run of pytest in a folder. Raises NotJudged where there is none."""
    os.chdir(folder)
    report = folder / "result.json"
    with (folder / "output").open("w") as output, redirect_stdout(output), redirect_stderr(output):
        given = ["--target", url, "--profile", profile, *OPTIONS, "--json-report", str(report)]
        pytest.main(["-p", "no:cacheprovider", *given])
    if not report.exists():
        raise NotJudged((folder / "output").read_text(encoding="utf-8"))
    result: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return result


def _too_long(*_: object) -> None:
    raise TimeoutError(f"the trial took more than {LONGEST} s")


def outcome(breaks: frozenset[str] | str, found: tuple[str, ...]) -> Outcome:
    """What it means that these ids were judged broken."""
    silent = {LEGAL: Outcome.LEGAL, SAME: Outcome.SAME, GAP: Outcome.GAP}
    if isinstance(breaks, str):
        told = Outcome.FALSE_ALARM if breaks in (LEGAL, SAME) else Outcome.CAUGHT
        return told if found else silent.get(breaks, Outcome.UNREAD)
    if not found:
        return Outcome.MISSED
    return Outcome.CAUGHT if set(breaks) & set(found) else Outcome.MISNAMED
