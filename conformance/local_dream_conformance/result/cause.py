"""Findings that are one: what many requests have in common is said once, with all ids that it breaks.

Two findings are alike where the same was expected and the same came, whatever the request was and whatever numbers and
quotations stand in the two texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from local_dream_conformance.core.verdict import Finding, Verdict
from local_dream_conformance.result.requirement_result import RequirementResult

BROKEN = (Verdict.FAIL, Verdict.STALE, Verdict.WARN)
EXPECTED_STATUS = re.compile(r"(status \d{3}(?: or \d{3})*)(?:(?: for |, ).*)?", re.DOTALL)
STATUS = re.compile(r"(status \d{3} \([^()]*\)).*", re.DOTALL)
STREAM = re.compile(r"(a stream(?: that ends with \w+|, with status 200| without complete or error))\b.*", re.DOTALL)
OF_ONE_REQUEST = re.compile(r"(?:: [\[{<]|, for |; other generated requests).*|(?<=an error status) for .*", re.DOTALL)
QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`""")
NUMBER = re.compile(r"(?<![A-Za-z\d.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|(?<=\dx)\d+")


class Cause(Struct, frozen=True):
    """What several findings have in common: `expected` and `got`, as far as they are the same.

    `requests` are labels of the exchanges, `ids` the requirements; `example` is the id whose first such finding shows
    it. `cause` is the likely cause where all findings name the same, "" else.
    """

    expected: str
    got: str
    cause: str
    findings: Annotated[int, Meta(ge=1)]
    requests: tuple[str, ...]
    ids: tuple[str, ...]
    example: str


def shape(text: str) -> str:
    """What stays of one side of a finding without what belongs to a single request."""
    return _status(text) or NUMBER.sub("N", QUOTED.sub("...", bare(text)))


def bare(text: str) -> str:
    """One side of a finding without what it quotes of a body, and of a status without what it was for."""
    return _status(text) or OF_ONE_REQUEST.sub("", text)


def _status(text: str) -> str:
    """What says of a status, or of the end of a stream, that it is the same as another; "" where it says neither."""
    for pattern in (EXPECTED_STATUS, STATUS, STREAM):
        if match := pattern.fullmatch(text):
            return match[1]
    return ""


def key(finding: Finding | Cause) -> tuple[str, str]:
    """The same for findings that are alike, and for what they have in common."""
    return shape(finding.expected), shape(finding.got)


def alike(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings that are alike together, in the order in which they were found."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault(key(finding), []).append(finding)
    return list(groups.values())


def causes(requirements: Sequence[RequirementResult]) -> tuple[Cause, ...]:
    """What is broken, each thing once: what breaks most requirements first, else in order of the contract."""
    found: dict[tuple[str, str], list[tuple[RequirementResult, Finding]]] = {}
    for one in requirements:
        if one.verdict in BROKEN:
            for finding in one.findings:
                found.setdefault(key(finding), []).append((one, finding))
    made = [_cause(members) for members in found.values()]
    return tuple(sorted(made, key=lambda cause: -len(cause.ids) if len(cause.ids) > 1 else 0))


def _cause(members: Sequence[tuple[RequirementResult, Finding]]) -> Cause:
    findings = [finding for _, finding in members]
    example = members[0][0]
    return Cause(
        expected=_common([finding.expected for finding in findings]),
        got=_common([finding.got for finding in findings]),
        cause=_common([finding.cause for finding in findings], otherwise=""),
        findings=len(findings),
        requests=tuple(dict.fromkeys(finding.exchange for finding in findings if finding.exchange)),
        ids=tuple(dict.fromkeys(one.id for one, _ in members)),
        example=example.id,
    )


def _common(texts: Sequence[str], otherwise: str | None = None) -> str:
    """The text where all are the same, else what they have in common."""
    for seen in (texts, [bare(text) for text in texts]):
        if len(set(seen)) == 1:
            return seen[0]
        if otherwise is not None:
            return otherwise
    return shape(texts[0])


def listed(ids: Sequence[str]) -> str:
    """Ids in a row, runs of numbers shortened: GEN-TYP-01 to -14, UPS-REQ-01."""
    runs: list[list[str]] = []
    for id in ids:
        if runs and _follows(runs[-1][-1], id):
            runs[-1].append(id)
        else:
            runs.append([id])
    return ", ".join(_run(run) for run in runs)


def _follows(before: str, id: str) -> bool:
    group, _, number = id.rpartition("-")
    earlier, _, last = before.rpartition("-")
    return group == earlier and number.isdigit() and last.isdigit() and int(number) == int(last) + 1


def _run(run: Sequence[str]) -> str:
    if len(run) < 3:
        return ", ".join(run)
    return f"{run[0]} to -{run[-1].rpartition('-')[2]}"
