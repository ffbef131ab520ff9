"""The text of a broken requirement: what was expected, what came, where, why, and how to see it again."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.verdict import Finding, Verdict
from local_dream_conformance.result.requirement_result import RequirementResult

WIDTH = 116
LONG = 2000


def text(one: RequirementResult, curls: Mapping[str, str]) -> str:
    """All there is to say, in lines. `curls` holds a curl line for each exchange that a finding names."""
    lines = [headline(one)]
    if one.clause:
        lines += _field("clause", f'"{one.clause}"')
    if one.verdict is Verdict.ERROR:
        lines.append("The suite itself is at fault here, not the server:")
        lines += [f"  {escape(part, LONG)}" for part in one.reason.splitlines()]
    elif one.reason:
        lines += _field(str(one.verdict), one.reason)
    groups = _alike(one.findings)
    shown: set[str] = set()
    for number, (finding, *others) in enumerate(groups, 1):
        lines.append("" if len(groups) == 1 else f"\n{number} of {len(groups)}")
        lines += _field("expected", finding.expected)
        lines += _field("got", finding.got)
        if place := _place(finding):
            lines += _field("where", place)
        if finding.cause:
            lines += _field("cause", finding.cause)
        if finding.exchange in curls and finding.exchange not in shown:
            shown.add(finding.exchange)
            lines.append(f"  {'try':<10}{escape(curls[finding.exchange], 4000)}")
        for other in others:
            lines += _field("also", f"{_place(other)}: {other.got}")
    return "\n".join(lines)


def _alike(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings with the same expectation and cause together, each group in the order in which it was found."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.expected, finding.cause), []).append(finding)
    return list(groups.values())


def _place(finding: Finding) -> str:
    return ": ".join(part for part in (finding.exchange, finding.at) if part)


def headline(one: RequirementResult) -> str:
    """Id, level, profile and sentence, folded."""
    start = f"{one.id} ({one.level}, {one.profile}): "
    return textwrap.fill(start + one.text, WIDTH, subsequent_indent="  ")


def _field(name: str, value: str) -> list[str]:
    """A value as lines under its name. The value may quote the target: it is escaped here, whoever wrote it."""
    folded = textwrap.wrap(escape(value, LONG), WIDTH - 12, drop_whitespace=False, break_on_hyphens=False) or [""]
    return [f"  {'' if number else name:<10}{part}" for number, part in enumerate(folded)]
