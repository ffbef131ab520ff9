"""An exhibit: one exchange as a report shows it to someone who was not there."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.escape import escape
from conformance.report import command, strip
from conformance.report.album import Album, Picture
from conformance.report.command import Command
from conformance.report.document import Document
from conformance.report.strip import Strip
from conformance.transcript import Exchange

BODY = 600
"""Most characters shown of the body of an answer."""
HEADERS = 30
TEXTUAL = ("application/json", "text/plain", "text/html", "text/event-stream", "")


@dataclass(frozen=True)
class Exhibit:
    """An exchange with texts that are safe to print."""

    label: str
    request: str
    status: str
    headers: tuple[tuple[str, str], ...]
    body: str
    strip: Strip
    pictures: tuple[Picture, ...]
    command: Command | None


def of(exchange: Exchange, document: Document, album: Album) -> Exhibit:
    """The exhibit of an exchange. It has a command where the result has a curl line for it."""
    line = document.curls.get(exchange.label)
    status = "no answer" if exchange.status is None else f"{exchange.status} {escape(exchange.reason, 80)}".strip()
    return Exhibit(
        label=escape(exchange.label),
        request=escape(f"{exchange.request.method} {exchange.request.target}".strip() or "bytes that are not HTTP"),
        status=status,
        headers=tuple((escape(name, 80), escape(value, 300)) for name, value in exchange.headers[:HEADERS]),
        body=_body(exchange),
        strip=strip.of(exchange),
        pictures=album.of(exchange),
        command=None if line is None else command.of(line, exchange.request),
    )


def _body(exchange: Exchange) -> str:
    if not exchange.body:
        return ""
    if exchange.media_type in TEXTUAL or exchange.status != 200:
        return escape(exchange.body[: 4 * BODY], BODY)
    return f"{len(exchange.body)} bytes that begin with {exchange.body[:16].hex(' ')}"
