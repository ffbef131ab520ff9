"""The page of a recording for people: every exchange in a table, with links to the bodies beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import Exchange, Transcript
from local_dream_conformance.evidence.selectors import outcome
from local_dream_conformance.recordings import archive


def page(head: Mapping[str, Any], transcripts: Sequence[Transcript]) -> str:
    """The page as Markdown. `head` is what recording.json holds."""
    return "\n".join(_lines(head, transcripts)) + "\n"


def _lines(head: Mapping[str, Any], transcripts: Sequence[Transcript]) -> Iterator[str]:
    settings = head["settings"]
    yield f"# Recording of {_cell(settings['url'])}"
    yield ""
    yield (
        f"Made {head['started'] or 'at an unknown time'} by local-dream-conformance {head['suite']} (contract "
        f"{head['contract']}, profile {settings['profile']}). Judge it again: `pytest --replay DIR`."
    )
    if head["note"]:
        yield ""
        yield str(head["note"])
    for transcript in transcripts:
        yield ""
        yield f"## {transcript.scenario}"
        yield ""
        yield "| exchange | began | request | took | what came | bytes |"
        yield "|---|---|---|---|---|---|"
        for number, exchange in enumerate(transcript.exchanges, 1):
            yield _row(transcript.scenario, number, exchange)
    rest = [scenario for scenario in head["probes"] if scenario["state"] != "made"]
    if rest:
        yield ""
        yield "## Not made"
        yield ""
        for scenario in rest:
            reason = f": {_cell(scenario['reason'])}" if scenario["reason"] else ""
            yield f"- {scenario['name']} ({scenario['state']}){reason}"


def _row(scenario: str, number: int, exchange: Exchange) -> str:
    request = exchange.request
    asked = _cell(f"{request.method} {request.target}" if request.method else "raw bytes")
    sent = archive.body_name(number, exchange, "request")
    came = archive.body_name(number, exchange, "answer")
    if request.body:
        asked += f" [{len(request.body)}]({scenario}/{sent})"
    answered = f"[{exchange.size}]({scenario}/{came})" if exchange.size else "0"
    cells = (exchange.label, f"{exchange.started:.3f} s", asked, f"{exchange.ended_at:.3f} s")
    return f"| {' | '.join(cells)} | {_cell(outcome(exchange))} | {answered} |"


def _cell(text: str) -> str:
    """Text of a target as it may stand in a table: Markdown in it shows as it is."""
    safe = escape(text, 160)
    return "".join(f"\\{char}" if char in "\\|`*_[]<>!&" else char for char in safe)
