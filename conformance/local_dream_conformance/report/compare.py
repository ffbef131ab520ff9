"""What changed between two results: of one server at two times, or of two servers. `local-dream compare A B`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from local_dream_conformance.core.escape import escape
from local_dream_conformance.result import schema
from local_dream_conformance.result.requirement_result import RequirementResult
from local_dream_conformance.result.result import Result
from local_dream_conformance.result.schema import BadResult

RANKS = {
    "pass": 0,
    "not-applicable": 0,
    "waived": 0,
    "excused": 0,
    "warn": 1,
    "untested": 2,
    "blocked": 2,
    "stale": 3,
    "error": 3,
    "fail": 3,
}
"""The higher, the worse. Between verdicts of one rank a change is neither better nor worse."""
COLOURS = {"worse": "red", "better": "green"}
WHY = 100
"""Characters of a reason that the table shows."""


@dataclass(frozen=True)
class Change:
    """A requirement on which two results differ.

    `before` and `after` are verdicts, "" where a result does not have the requirement. `change` is "worse", "better",
    "other", "new" or "gone"; `why` is what the later result says of it.
    """

    id: str
    level: str
    change: str
    before: str
    after: str
    why: str


def changes(a: Result, b: Result) -> list[Change]:
    """Every requirement whose verdict differs, in the order of the results, what got worse first."""
    before = {one.id: one for one in a.requirements}
    after = {one.id: one for one in b.requirements}
    found = [
        _change(before.get(id), after.get(id))
        for id in dict.fromkeys((*before, *after))
        if _verdict(before.get(id)) != _verdict(after.get(id))
    ]
    order = ("worse", "better", "other", "new", "gone")
    return sorted(found, key=lambda change: order.index(change.change))


def _verdict(one: RequirementResult | None) -> str:
    return "" if one is None else one.standing


def _change(before: RequirementResult | None, after: RequirementResult | None) -> Change:
    shown = after or before
    assert shown is not None
    if before is None or after is None:
        change = "new" if before is None else "gone"
    else:
        step = RANKS[after.standing] - RANKS[before.standing]
        change = "worse" if step > 0 else "better" if step < 0 else "other"
    why = _why(after) if after else ""
    return Change(shown.id, shown.level, change, _verdict(before), _verdict(after), why)


def _why(one: RequirementResult) -> str:
    if one.findings:
        return f"expected {one.findings[0].expected}; got {one.findings[0].got}"
    return one.reason


def table(a: Result, b: Result, found: list[Change]) -> Iterator[str]:
    """The comparison in lines, with colours for a terminal."""
    for name, result in (("A", a), ("B", b)):
        settings = result.settings
        replayed = ", a recording" if result.replayed else ""
        yield (
            f"{name}  {escape(settings['url'])} ({result.outcome}; profile {settings['profile']}, contract "
            f"{escape(result.contract)}, {escape(result.started)}{replayed})"
        )
    if found:
        yield ""
    width = max((len(change.id) for change in found), default=0)
    for change in found:
        verdicts = f"{change.before or '-'} -> {change.after or '-'}"
        line = f"{change.change:<7} {change.id:<{width}}  {change.level:<6}  {verdicts:<24}  {escape(change.why, WHY)}"
        yield click.style(line.rstrip(), fg=COLOURS.get(change.change))
    counts = Counter(change.change for change in found)
    same = len({one.id for one in (*a.requirements, *b.requirements)}) - len(found)
    words = [f"{counts[change]} {change}" for change in ("worse", "better", "other", "new", "gone") if counts[change]]
    yield ""
    yield ", ".join([*words, f"{same} the same"])


@click.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="The changes as JSON.")
def compare(a: Path, b: Path, as_json: bool) -> None:
    """Show what changed from result A to result B, two files that --json-report wrote.

    Ends with 0 where nothing got worse, 1 where something did, 2 where a file is no result. What a waiver covers is as
    good as what holds.
    """
    try:
        before, after = schema.load(a), schema.load(b)
    except BadResult as error:
        raise click.UsageError(str(error)) from None
    found = changes(before, after)
    if as_json:
        click.echo(json.dumps([asdict(change) for change in found], indent=1))
    else:
        for line in table(before, after, found):
            click.echo(line)
    sys.exit(any(change.change == "worse" for change in found))
