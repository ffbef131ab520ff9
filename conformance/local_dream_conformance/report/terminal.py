"""The end of a run on the terminal: groups by level, what is wrong, the cost, and the verdict in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from local_dream_conformance.core.budget import counted, describe
from local_dream_conformance.core.contract import Level, of_profile
from local_dream_conformance.core.verdict import ENDED, Verdict
from local_dream_conformance.report import breakage
from local_dream_conformance.report.view_model import title
from local_dream_conformance.result.requirement_result import EXCUSED
from local_dream_conformance.result.result import JUDGED, Outcome, Result

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

ORDER = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.STALE,
    Verdict.WARN,
    Verdict.BLOCKED,
    Verdict.UNTESTED,
    Verdict.WAIVED,
    EXCUSED,
    Verdict.PASS,
    Verdict.NOT_APPLICABLE,
)
COLOURS = {Outcome.CONFORMANT: "green", Outcome.INCONCLUSIVE: "yellow"}


def write(reporter: TerminalReporter, result: Result) -> None:
    """Writes the summary of a run that began."""
    told = list(breakage.stories(result, each=reporter.config.option.verbose > 0))
    if told:
        reporter.write_sep("=", "what is broken")
    for worst, story in told:
        is_warning = worst is Verdict.WARN and not result.settings["strict"]
        reporter.write_line(story + "\n", **{"yellow" if is_warning else "red": True})
    reporter.write_sep("=", f"Local Dream contract {result.contract}")
    for line in table(result):
        reporter.write_line(line)
    for line in details(result):
        reporter.write_line(line)
    colour = COLOURS.get(result.outcome, "red")
    reporter.write_line(verdict(result), bold=True, **{colour: True})


def table(result: Result) -> Iterator[str]:
    """One line per group, one column per level."""
    groups = list(dict.fromkeys(one.group for one in result.requirements))
    rows = [("", *Level), *((group, *(_cell(result, group, level) for level in Level)) for group in groups)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _cell(result: Result, group: str, level: Level) -> str:
    counts = Counter(one.standing for one in result.requirements if one.group == group and one.level is level)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in ORDER if counts[verdict])


def details(result: Result) -> Iterator[str]:
    """What was not judged, or is waived, with reasons; then the cost."""
    yield ""
    lacking = {line.name for line in result.extensions if line.state != "supported"}
    told = {one.id for one in result.requirements if of_profile(one.profile) in lacking}
    for standing in (Verdict.WAIVED, EXCUSED, Verdict.BLOCKED, Verdict.UNTESTED, Verdict.NOT_APPLICABLE):
        reasons: dict[str, list[str]] = {}
        for one in result.having(standing):
            if one.id in told:
                continue
            reasons.setdefault(one.root, []).append(one.id)
        for reason, ids in reasons.items():
            yield f"{standing} ({reason}): {', '.join(ids)}"
    if result.extensions:
        yield from extensions(result)
    if result.unjudged:
        yield f"cannot be judged from outside: {', '.join(line.id for line in result.unjudged)}"
    if result.deselected:
        yield f"left out by {result.left_out_by}: {counted(len(result.deselected), 'requirement')}"
    yield cost(result)


def extensions(result: Result) -> Iterator[str]:
    """Which extensions the target has, and what shows it."""
    yield "extensions:"
    width = max(len(line.name) for line in result.extensions)
    for line in result.extensions:
        declared = ", declared" if line.declared else ""
        yield f"  {line.name:<{width}}  {line.state}{declared}: {line.evidence}"


def cost(result: Result) -> str:
    """What the run cost the target, against the plan."""
    spent, requests = describe(result.spent), counted(len(result.exchanges), "request")
    if result.replayed is not None:
        return f"the recorded run cost {spent}, {requests}; judging it again took {result.duration:.1f} s"
    return f"cost: {spent} (planned {describe(result.plan.cost)}), {requests}, {result.duration:.1f} s"


def verdict(result: Result) -> str:
    """The verdict in one line."""
    profile = result.settings["profile"]
    where = f"{result.settings['url']} (profile {profile}, contract {result.contract})"
    waived = "".join(f", {n} {word}" for word in (Verdict.WAIVED, EXCUSED) if (n := result.count(word)))
    part = waived + (
        f", judged on {counted(len(result.requirements), 'requirement')} only" if result.deselected else ""
    )
    part += "".join(f", with --field {field}" for field in result.settings.get("fields", ()))
    part += ", judged from a recording" if result.replayed else ""
    if result.outcome is Outcome.UNREACHABLE:
        return f"UNREACHABLE: {result.problem}"
    if result.outcome is Outcome.CONFORMANT:
        warned = result.count(Verdict.WARN)
        warnings = f", {warned} SHOULD broken" if warned else ""
        held = result.count(Verdict.PASS)
        return f"{title(result).upper()}: {where}: {counted(held, 'requirement')} {_hold(held)}{warnings}{part}"
    if result.outcome is Outcome.NOT_CONFORMANT:
        broken = [f"{result.count(Verdict.FAIL)} MUST"] if result.count(Verdict.FAIL) else []
        broken += [f"{result.count(Verdict.WARN)} SHOULD"] if result.count(Verdict.WARN) else []
        broken += [counted(result.count(Verdict.STALE), "stale waiver")] if result.count(Verdict.STALE) else []
        return f"NOT CONFORMANT: {where}: broken: {' and '.join(broken)}{part}"
    if result.outcome is Outcome.SUITE_ERROR:
        unjudged = counted(result.count(Verdict.ERROR), "requirement")
        return f"SUITE ERROR: {where}: {unjudged} could not be judged, a fault of the suite"
    why = inconclusive(result)
    return f"INCONCLUSIVE: {where}: {why}{part}"


def inconclusive(result: Result) -> str:
    """Why nothing can be said of the target."""
    if open_ := len(result.open_musts):
        return f"{open_} MUST not judged"
    if not result.count(*JUDGED):
        return "nothing was judged"
    if result.deselected and not result.selection:
        return f"{counted(len(result.deselected), 'requirement')} left out by {result.left_out_by}"
    ended = [one for one in result.requirements if one.reason == ENDED]
    return f"{counted(len(ended), 'requirement')} not judged: {ENDED}"


def _hold(count: int) -> str:
    return "holds" if count == 1 else "hold"
