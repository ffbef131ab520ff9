"""The text of a broken requirement: what was expected, what came, where, why, and how to see it again."""

from __future__ import annotations

import textwrap
from collections.abc import Container, Mapping, Sequence

from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.verdict import Finding, Verdict
from local_dream_conformance.result import cause
from local_dream_conformance.result.requirement_result import RequirementResult

WIDTH = 116
LONG = 2000
KINDS = 4
"""Most kinds of findings that a text shows of one requirement; a report has them all."""
PLACES = 4


def text(one: RequirementResult, curls: Mapping[str, str], told: Container[tuple[str, str]] = ()) -> str:
    """All there is to say, in lines. `curls` holds a curl line for each exchange that a finding names; `told` are keys
    of findings (see `cause.key`) that are told elsewhere."""
    lines = [headline(one)]
    if one.clause:
        lines += field("clause", one.quoted)
    if one.verdict is Verdict.ERROR:
        lines.append("The suite itself is at fault here, not the server:")
        lines += [f"  {escape(part, LONG)}" for part in one.reason.splitlines()]
    elif one.reason:
        lines += field(str(one.verdict), one.reason)
    groups = [group for group in cause.alike(one.findings) if cause.key(group[0]) not in told]
    shown: set[str] = set()
    for number, findings in enumerate(groups[:KINDS], 1):
        lines.append("" if len(groups) == 1 else f"\n{number} of {len(groups)}")
        lines += example(findings, curls, shown)
    if left := [finding for group in groups[KINDS:] for finding in group]:
        lines += [
            "",
            *field("others", f"{len(left)} findings of {len(groups) - KINDS} other kinds, in {_places(left)}"),
        ]
    return "\n".join(lines)


def example(findings: Sequence[Finding], curls: Mapping[str, str], shown: set[str]) -> list[str]:
    """The first of findings that are alike, with where the others are. `shown` are exchanges whose curl line is
    there already."""
    finding, *others = findings
    lines = field("expected", finding.expected) + field("got", finding.got)
    if place := _place(finding):
        lines += field("where", place)
    if others:
        lines += field("alike", f"{len(others)} more, in {_places(others)}")
    if finding.cause:
        lines += field("cause", finding.cause)
    if finding.exchange in curls and finding.exchange not in shown:
        shown.add(finding.exchange)
        lines.append(f"  {'try':<10}{escape(curls[finding.exchange], 4000)}")
    return lines


def _place(finding: Finding) -> str:
    return ": ".join(part for part in (finding.exchange, finding.at) if part)


def _places(findings: Sequence[Finding]) -> str:
    """Where findings are: the exchanges, or the places where they are all in one."""
    exchanges = list(dict.fromkeys(finding.exchange or finding.at for finding in findings))
    named = [_place(finding) for finding in findings] if len(exchanges) == 1 else exchanges
    left = len(named) - PLACES
    return ", ".join(named[:PLACES]) + (f" and {left} others" if left > 0 else "")


def headline(one: RequirementResult) -> str:
    """Id, level, profile and sentence, folded."""
    start = f"{one.id} ({one.level}, {one.profile}): "
    return textwrap.fill(start + one.text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def field(name: str, value: str) -> list[str]:
    """A value as lines under its name. The value may quote the target: it is escaped here, whoever wrote it."""
    folded = textwrap.wrap(escape(value, LONG), WIDTH - 12, drop_whitespace=False, break_on_hyphens=False) or [""]
    return [f"  {'' if number else name:<10}{part}" for number, part in enumerate(folded)]
