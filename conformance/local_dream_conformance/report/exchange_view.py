"""One exchange as a report shows it to someone who was not there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.report import curl, timeline
from local_dream_conformance.report.curl import Command
from local_dream_conformance.report.images import Picture, ReportImages
from local_dream_conformance.report.timeline import Timeline
from local_dream_conformance.report.view_model import ViewModel

BODY = 600
"""Most characters shown of the body of an answer."""
HEADERS = 30
TEXTUAL = ("application/json", "text/plain", "text/html", "text/event-stream", "")


@dataclass(frozen=True)
class ExchangeView:
    """An exchange with texts that are safe to print."""

    label: str
    request: str
    status: str
    headers: tuple[tuple[str, str], ...]
    body: str
    timeline: Timeline
    pictures: tuple[Picture, ...]
    command: Command | None


def of(exchange: Exchange, document: ViewModel, images: ReportImages) -> ExchangeView:
    """The view of an exchange. It has a command where the result has a curl line for it."""
    status = "no answer" if exchange.status is None else f"{exchange.status} {escape(exchange.reason, 80)}".strip()
    return ExchangeView(
        label=escape(exchange.label),
        request=escape(f"{exchange.request.method} {exchange.request.target}".strip() or "bytes that are not HTTP"),
        status=status,
        headers=tuple((escape(name, 80), escape(value, 300)) for name, value in exchange.headers[:HEADERS]),
        body=_body(exchange),
        timeline=timeline.of(exchange),
        pictures=images.of(exchange),
        command=_command(exchange, document),
    )


def _command(exchange: Exchange, document: ViewModel) -> Command | None:
    if exchange.label not in document.curls:
        return None
    made = curl.command(exchange, Settings.from_public(document.settings))
    return replace(made, line=escape(made.line, 4000))


def _body(exchange: Exchange) -> str:
    if not exchange.size:
        return ""
    if exchange.media_type in TEXTUAL or exchange.status != 200:
        return escape(exchange.body, BODY, lines=True)
    return f"{exchange.size} bytes that begin with {exchange.body[:16].hex(' ')}"
