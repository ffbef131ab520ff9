"""What is broken, on the terminal: what several requirements have in common first and once, then each of the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from local_dream_conformance.core.budget import counted
from local_dream_conformance.core.contract import Level
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.report import failure
from local_dream_conformance.result import cause
from local_dream_conformance.result.cause import Cause
from local_dream_conformance.result.requirement_result import RequirementResult
from local_dream_conformance.result.result import Result

BROKEN = (Verdict.FAIL, Verdict.ERROR, Verdict.STALE, Verdict.WARN)


def stories(result: Result, *, each: bool) -> Iterator[tuple[Verdict, str]]:
    """The parts of the account, each with the worst verdict in it. With `each`, what several requirements have in
    common is followed by a line for every one of them, with the command that shows it."""
    by_id = {one.id: one for one in result.requirements}
    shared = [found for found in result.causes if len(found.ids) > 1]
    for found in shared:
        members = [by_id[id] for id in found.ids]
        yield _worst(members), "\n".join(_shared(found, members, result, each=each))
    told = {cause.key(found) for found in shared}
    for verdict in BROKEN:
        for one in result.having(verdict):
            if not one.findings or any(cause.key(finding) not in told for finding in one.findings):
                yield verdict, failure.text(one, result.curl, told)


def shared(result: Result) -> Iterator[str]:
    """What breaks several requirements, in a line each."""
    by_id = {one.id: one for one in result.requirements}
    for found in result.causes:
        if len(found.ids) > 1:
            head = _head(found, [by_id[id] for id in found.ids])
            yield escape(f"{head} ({', '.join(found.ids)})", failure.LONG)


def _head(found: Cause, members: Sequence[RequirementResult]) -> str:
    levels = [f"{number} {level}" for level in Level if (number := sum(one.level is level for one in members))]
    requests = counted(len(found.requests), "request")
    return f"{' and '.join(levels)} broken by one thing, in {requests}: expected {found.expected}, got {found.got}"


def _shared(found: Cause, members: Sequence[RequirementResult], result: Result, *, each: bool) -> Iterator[str]:
    """One cause that breaks several requirements, in lines."""
    yield escape(_head(found, members), failure.LONG)
    yield from failure.field("ids", cause.listed(found.ids))
    first = next(one for one in members if one.id == found.example)
    yield from failure.field("such as", f"{first.id}: {first.text}")
    if first.clause:
        yield from failure.field("clause", first.quoted)
    examples = [finding for finding in first.findings if cause.key(finding) == cause.key(found)]
    yield from failure.example(examples[:1], result.curl, set())
    if found.cause and found.cause != examples[0].cause:
        yield from failure.field("cause", found.cause)
    if each:
        for one in members:
            finding = next(finding for finding in one.findings if cause.key(finding) == cause.key(found))
            command = result.curl.get(finding.exchange, finding.exchange)
            yield f"  {one.id:<12}{escape(command, 4000)}"
    else:
        yield from failure.field("", "each of them with its command: -v, or a report (--html-report)")


def _worst(members: Sequence[RequirementResult]) -> Verdict:
    return next(verdict for verdict in BROKEN if any(one.verdict is verdict for one in members))
