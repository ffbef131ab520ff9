"""HAR 1.2 of a recording, for browsers' network panels and other tools: `local-dream har DIR`."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO
from urllib.parse import parse_qsl

import click
from harfile import Content, Creator, HarFile, PostData, Record, Request, Response, Timings

from local_dream_conformance.core.address import Address
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.recordings import recording
from local_dream_conformance.recordings.recording import BadRecording, Recording

UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
"""When a recording began that does not say when."""


def write(stream: TextIO, kept: Recording, exchanges: Iterable[Exchange]) -> int:
    """Writes the exchanges; answers how many were left out, since their request was not HTTP."""
    left_out = 0
    began = datetime.fromisoformat(kept.started) if kept.started else UNKNOWN
    with HarFile.open(stream, creator=Creator("local-dream-conformance", kept.suite_version)) as har:
        for exchange in exchanges:
            if not exchange.request.method:
                left_out += 1
                continue
            timings = _timings(exchange)
            har.add_entry(
                startedDateTime=began + timedelta(seconds=exchange.started),
                time=timings.send + timings.wait + timings.receive,
                request=_request(kept.settings.address_of(exchange), exchange),
                response=_response(exchange),
                timings=timings,
                comment=exchange.label,
            )
    return left_out


def _request(address: Address, exchange: Exchange) -> Request:
    sent = exchange.request
    query = sent.target.partition("?")[2]
    return Request(
        method=sent.method,
        url=address.origin + sent.target,
        httpVersion="HTTP/1.1",
        headers=_records(sent.headers),
        queryString=[Record(name, value) for name, value in parse_qsl(query, keep_blank_values=True)],
        postData=_posted(exchange) if sent.body else None,
        bodySize=len(sent.body),
    )


def _posted(exchange: Exchange) -> PostData:
    kind = exchange.request.header("content-type") or "application/octet-stream"
    try:
        return PostData(kind, text=exchange.request.body.decode("utf-8"))
    except UnicodeDecodeError:
        return PostData(kind, comment="the body is not text, which HAR has no place for; the recording has it")


def _response(exchange: Exchange) -> Response:
    """The answer; status 0 where there was none, as browsers write it."""
    body = exchange.body
    try:
        text, encoding = body.decode("utf-8"), None
    except UnicodeDecodeError:
        text, encoding = base64.b64encode(body).decode("ascii"), "base64"
    kind = exchange.header("content-type") or "x-unknown"
    return Response(
        status=exchange.status or 0,
        statusText=exchange.reason,
        httpVersion=f"HTTP/{exchange.http_version.removeprefix('HTTP/') or '1.1'}",
        headers=_records(exchange.headers),
        content=Content(size=len(body), mimeType=kind, text=text, encoding=encoding),
        redirectURL=exchange.header("location") or "",
        bodySize=len(body),
        comment=": ".join(part for part in (str(exchange.end), exchange.detail) if part),
    )


def _timings(exchange: Exchange) -> Timings:
    """In milliseconds. Sending is not measured apart from waiting."""
    head = exchange.ended_at if exchange.head_at is None else exchange.head_at
    return Timings(send=0, wait=round(head * 1000, 3), receive=round((exchange.ended_at - head) * 1000, 3))


def _records(headers: Iterable[tuple[str, str]]) -> list[Record]:
    return [Record(name, value) for name, value in headers]


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.File("w", encoding="utf-8", lazy=True), default="-", help="File to write.")
def har(folder: Path, output: TextIO) -> None:
    """Print the recording in DIR as HAR 1.2, the format of browsers' network panels.

    DIR is what --record made. What was sent as bytes that are no HTTP is left out.
    """
    try:
        kept = recording.read(folder)
        made = [exchange for transcript in recording.transcripts(folder, kept) for exchange in transcript.exchanges]
    except BadRecording as error:
        raise click.UsageError(str(error)) from None
    left_out = write(output, kept, made)
    if left_out:
        click.echo(f"left out, since their request is no HTTP: {left_out} of {len(made)} exchanges", err=True)
