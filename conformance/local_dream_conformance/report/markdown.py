"""The Markdown report: short enough for the summary of a CI job, with everything from the target in code spans."""

from __future__ import annotations

import re
from collections.abc import Iterator

from local_dream_conformance.core.budget import counted
from local_dream_conformance.core.verdict import Finding, Verdict
from local_dream_conformance.report.view_model import BROKEN, NAMES, ViewModel, many
from local_dream_conformance.result import cause
from local_dream_conformance.result.requirement_result import RequirementResult
from local_dream_conformance.result.result import Outcome

SHOWN = 40
"""Most requirements that are shown in full; GitHub cuts summaries off at 1 MiB."""
MARKS = {Outcome.CONFORMANT: "✅", Outcome.NOT_CONFORMANT: "❌", Outcome.INCONCLUSIVE: "⚠️"}


def page(document: ViewModel) -> str:
    """The report, ending in a line feed."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: ViewModel) -> Iterator[str]:
    yield f"## {MARKS.get(document.outcome, '❌')} Local Dream conformance: {document.title.lower()}"
    yield ""
    yield prose(document.headline)
    if document.partial and document.outcome is not Outcome.UNREACHABLE:
        yield ""
        yield f"> Bear in mind: {prose(document.partial)}."
    yield ""
    yield "| | |"
    yield "|---|---|"
    for name, value in document.facts:
        yield f"| {name} | {cell(value)} |"
    if document.groups:
        yield from _coverage(document)
    yield from _common(document)
    for title, verdicts in (
        ("Broken", BROKEN),
        ("Broken, but only recommended", (Verdict.WARN,)),
        ("Broken, known and waived", (Verdict.WAIVED,)),
    ):
        yield from _section(document, title, document.having(*verdicts))
    yield from _not_judged(document)


def _coverage(document: ViewModel) -> Iterator[str]:
    yield ""
    yield f"| group | {' | '.join(document.levels)} |"
    yield "|---|" + "---|" * len(document.levels)
    for group in document.groups:
        cells = [", ".join(many(*count) for count in group.counts(level)) for level in document.levels]
        yield f"| {prose(group.name)} | {' | '.join(cells)} |"


def _common(document: ViewModel) -> Iterator[str]:
    """What breaks several requirements, once."""
    if not document.causes:
        return
    yield ""
    yield "### One thing that breaks several"
    yield ""
    for found in document.causes:
        requests = counted(len(found.requests), "request")
        because = f" ({code(found.cause)})" if found.cause else ""
        yield (
            f"- expected {code(found.expected)}, got {code(found.got)}{because}: in {requests}, against "
            f"{cause.listed(found.ids)}"
        )


def _section(document: ViewModel, title: str, entries: list[RequirementResult]) -> Iterator[str]:
    if not entries:
        return
    yield ""
    yield f"### {title}"
    for entry in entries[:SHOWN]:
        yield ""
        yield f"**{entry.id}** ({entry.level}, {prose(entry.profile)}) {prose(entry.text)}"
        if entry.quoted:
            yield ""
            yield f"> {prose(entry.quoted)}"
        if entry.reason:
            yield ""
            yield f"{NAMES[entry.standing]}: {code(entry.reason)}"
        for found in document.untold(entry)[:2]:
            yield ""
            yield from _finding(found)
    if len(entries) > SHOWN:
        yield ""
        yield f"And {len(entries) - SHOWN} more: {', '.join(entry.id for entry in entries[SHOWN:])}."


def _finding(found: Finding) -> Iterator[str]:
    yield f"- expected {code(found.expected)}"
    yield f"- got {code(found.got)}"
    if found.exchange or found.at:
        yield f"- where {code(': '.join(part for part in (found.exchange, found.at) if part))}"
    if found.cause:
        yield f"- cause {code(found.cause)}"


def _not_judged(document: ViewModel) -> Iterator[str]:
    lines = [
        f"- {verdict} ({code(reason)}): {', '.join(entry.id for entry in entries)}"
        for verdict, reason, entries in document.not_judged()
    ]
    if document.unjudged:
        lines.append(f"- cannot be judged from outside: {', '.join(_ids(document))}")
    if document.deselected:
        lines.append(f"- left out by {code(document.left_out_by)}: {', '.join(document.deselected)}")
    if lines:
        yield ""
        yield "<details><summary>What was not judged, and why</summary>"
        yield ""
        yield from lines
        yield ""
        yield "</details>"


def _ids(document: ViewModel) -> Iterator[str]:
    for lines in document.unjudged.values():
        for id, _ in lines:
            yield id


def prose(text: str) -> str:
    """Text that Markdown and HTML show as it is."""
    kept = re.sub(r"([\\`*_\[\]|~#])", r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    return kept.replace("@", "&#64;")  # nobody is notified by what a server says


def cell(text: str) -> str:
    """Text for a table: in a code span, where even there a bar would end the cell."""
    return code(text.replace("|", "¦"))


def code(text: str) -> str:
    """A code span on one line. Its fence is longer than any run of backticks in the text."""
    line = " ".join(text.split()) or " "
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    room = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{room}{line}{room}{fence}"
