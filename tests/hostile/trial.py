"""One hostile target, tried."""

from __future__ import annotations

import re

from tests.hostile.front import front
from tests.hostile.hostile import MEMORY, Hostile
from tests.hostile.judged import Ran, run

TRACES = ("Traceback (most recent call last)", "INTERNALERROR")
COMMANDS = re.compile(r"^\s*(::[a-z-]+|##\[)", re.MULTILINE)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028\u202a-\u202e\u2066-\u2069]")
MOST_PRINTED = 2_000_000


def attempt(hostile: Hostile, upstream: tuple[str, int]) -> tuple[Ran, list[str]]:
    """The run, and what is wrong with it."""
    with front(upstream, hostile.kind, hostile.make()) as url:
        ran = run(url)
    return ran, list(wrong(hostile, ran))


def wrong(hostile: Hostile, ran: Ran) -> list[str]:
    """What a run should not have come to."""
    found = []
    if ran.code != hostile.code:
        found.append(f"exit status {ran.code} instead of {hostile.code}")
    if missing := [id for id in hostile.breaks if id not in ran.broken]:
        found.append(f"not broken: {', '.join(missing)}")
    if ran.peak > MEMORY:
        found.append(f"{ran.peak} MiB of memory")
    if ran.cpu > hostile.cpu:
        found.append(f"{ran.cpu:.0f} s of processor time")
    if ran.report is None:
        found.append("no report")
    found += [f"{trace} in the output" for trace in TRACES if trace in ran.printed]
    if errors := [one["id"] for one in _requirements(ran) if one["verdict"] == "error"]:
        found.append(f"a fault of the suite: {', '.join(errors)}")
    if command := COMMANDS.search(ran.printed):
        found.append(f"a line for a runner: {command[0]!r}")
    if control := CONTROL.search(ran.printed):
        found.append(f"control character {control[0]!r} in the output")
    if len(ran.printed) > MOST_PRINTED:
        found.append(f"{len(ran.printed)} characters of output")
    return found


def _requirements(ran: Ran) -> list[dict[str, str]]:
    found = ran.report["requirements"] if ran.report else []
    assert isinstance(found, list)
    return found
