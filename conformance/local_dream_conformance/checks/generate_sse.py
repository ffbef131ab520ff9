"""Checks of the group generate-sse: the framing of the event stream, byte by byte."""

from __future__ import annotations

from collections.abc import Iterator

from local_dream_conformance.checks.assertions import expect_uncoded
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import ABSENT, End
from local_dream_conformance.evidence.generation import GenerationEvent, GenerationStream, Kind
from local_dream_conformance.evidence.selectors import EVERY, GENERATIONS, ended, outcome, streams, value
from local_dream_conformance.http.sse import Diagnostic, DiagnosticKind, as_read_by_clients

NAMES = (Kind.PROGRESS, Kind.COMPLETE, Kind.ERROR)


@check("GEN-SSE-01", needs=["base"], over=["refuse/prompt-missing"], requires=[])
def base_is_a_stream(context: Context) -> None:
    base = context["base"]
    if all(exchange.status in ABSENT for exchange in context.starting("base", "refuse/prompt-missing")):
        context.not_applicable(f"the server has no /generate: a valid request is answered with status {base.status}")
    held = context.expect(
        base.status == 200,
        expected="status 200 for a valid request",
        got=outcome(base),
        exchange=base,
        cause="is a model loaded?" if base.status in (500, 503) else "",
    )
    if held:
        context.expect(
            base.media_type == "text/event-stream",
            expected="media type text/event-stream",
            got=escape(base.header("content-type") or "no Content-Type", 80),
            exchange=base,
        )
        expect_uncoded(context, base)


@check("GEN-SSE-02", needs=["base"], over=GENERATIONS, requires=["GEN-SSE-01"])
def content_type_once(context: Context) -> None:
    for stream in streams(context):
        values = stream.exchange.values("content-type")
        context.expect(
            len(values) == 1,
            expected="Content-Type once",
            got=f"{len(values)} times: {escape(' and '.join(values), 120)}",
            exchange=stream.exchange,
            cause="set by the handler and again by the library that streams the content?",
        )


@check("GEN-SSE-03", needs=["base"], over=GENERATIONS, requires=["GEN-SSE-01"])
def not_cached(context: Context) -> None:
    for stream in streams(context):
        values = stream.exchange.values("cache-control")
        directives = {part.strip().lower() for line in values for part in line.split(",")}
        context.expect(
            bool(directives & {"no-cache", "no-store"}),
            expected="Cache-Control: no-cache",
            got=escape(", ".join(values), 80) or "no Cache-Control",
            exchange=stream.exchange,
        )


@check("GEN-SSE-04", needs=["base"], over=EVERY, requires=["GEN-SSE-01"])
def utf8_without_bom(context: Context) -> None:
    for stream in streams(context, *EVERY):
        _none_of(context, stream, [DiagnosticKind.BOM], "no byte order mark", "most readers lose the first event to it")
        _none_of(
            context,
            stream,
            [DiagnosticKind.INVALID_UTF8],
            "valid UTF-8",
            "a character cut in two, or text in another encoding",
        )


@check("GEN-SSE-05", needs=["base"], over=EVERY, requires=["GEN-SSE-01"])
def lines_end_with_lf(context: Context) -> None:
    for stream in streams(context, *EVERY):
        _none_of(
            context,
            stream,
            [DiagnosticKind.CR, DiagnosticKind.CRLF],
            "lines that end with LF",
            "clients that split at LF LF never see the end of an event",
        )


@check("GEN-SSE-06", needs=["base"], over=EVERY, requires=["GEN-SSE-01"])
def event_line_first(context: Context) -> None:
    kinds = [DiagnosticKind.NO_EVENT_LINE, DiagnosticKind.SEVERAL_EVENT_LINES, DiagnosticKind.EVENT_AFTER_DATA]
    for stream in streams(context, *EVERY):
        _none_of(context, stream, kinds, "one event: line before the data", "")


@check("GEN-SSE-07", needs=["base"], over=EVERY, requires=["GEN-SSE-01"])
def one_data_line(context: Context) -> None:
    kinds = [DiagnosticKind.SEVERAL_DATA_LINES, DiagnosticKind.NO_DATA, DiagnosticKind.NO_SPACE]
    for stream in streams(context, *EVERY):
        _none_of(context, stream, kinds, "one line that begins with 'data: '", "")


@check("GEN-SSE-08", needs=["base"], over=EVERY, requires=["GEN-SSE-01"])
def data_is_json(context: Context) -> None:
    """Where the suite does not read an event, what it holds is unknown, and nothing that follows from it is judged."""
    read = [(stream, event) for stream, event in _events(context) if not event.parsed.unread]
    unread = next(((stream, event) for stream, event in _events(context) if event.parsed.unread), None)
    if unread and all(isinstance(event.parsed.value, dict) for _, event in read):
        stream, event = unread
        raise MissingEvidence(f"{stream.exchange.label}, {event.where}: {event.parsed.problem}")
    for stream, event in read:
        held = context.expect(
            not event.parsed.problem,
            expected="data that is JSON",
            got=f"{event.parsed.problem}; data: {escape(event.sse.data, 80)!r}",
            exchange=stream.exchange,
            at=event.where,
        )
        context.expect(
            not held or isinstance(event.parsed.value, dict),
            expected="data that is a JSON object",
            got=value(event.parsed.value),
            exchange=stream.exchange,
            at=event.where,
        )


@check("GEN-SSE-09", needs=["base"], over=EVERY, requires=["GEN-SSE-06", "GEN-SSE-08"])
def type_is_name(context: Context) -> None:
    for stream, event in _events(context):
        type = event.payload.get("type")
        if event.kind in NAMES or type in NAMES:
            context.expect(
                type == event.name,
                expected=f"type {escape(event.name, 40)!r}, as the event is named",
                got="no type" if type is None else value(type),
                exchange=stream.exchange,
                at=event.where,
            )


@check("GEN-SSE-10", needs=["base"], over=EVERY, requires=["GEN-SSE-01"])
def blank_line_ends_event(context: Context) -> None:
    for stream in streams(context, *EVERY):
        # What a broken connection leaves unfinished is no fault of the framing: GEN-EVT-12 speaks of it.
        unfinished = stream.sse.unfinished if stream.exchange.end in (End.COMPLETE, End.EOF) else None
        context.expect(
            unfinished is None,
            expected="a blank line after the last event",
            got="" if unfinished is None else f"an event {escape(unfinished.name, 40)!r} that nothing ends",
            exchange=stream.exchange,
            at="" if unfinished is None else f"byte {unfinished.start}, to the end of the stream",
            cause="readers drop an event that is not ended: the client waits for a picture that was sent",
        )


@check(
    "GEN-SSE-11",
    needs=["base"],
    over=GENERATIONS,
    requires=["GEN-SSE-04", "GEN-SSE-05", "GEN-SSE-06", "GEN-SSE-07", "GEN-SSE-10"],
)
def clients_read_the_same(context: Context) -> None:
    for stream in ended(context):
        try:
            count, differs = _read_by_clients(stream)
        except ValueError as error:
            context.expect(
                False,
                expected="a stream that httpx-sse reads",
                got=escape(str(error)),
                exchange=stream.exchange,
            )
            continue
        ours = len(stream.events)
        first = min(ours, count) if differs is None else differs
        context.expect(
            differs is None and count == ours,
            expected=f"{ours} events, the same for every reader",
            got=f"{count} events read by httpx-sse",
            exchange=stream.exchange,
            at=stream.events[first].where if first < ours else "",
            cause="a charset in Content-Type that is not UTF-8, or line separators at which some readers break lines?",
        )


def _read_by_clients(stream: GenerationStream) -> tuple[int, int | None]:
    """How many events a client library reads, and which is the first that it reads otherwise. Raises ValueError."""
    read = as_read_by_clients(stream.exchange.body, stream.exchange.header("content-type") or "")
    count, differs = 0, None
    for event in read:
        if event == ("message", ""):
            continue
        if differs is None and count < len(stream.events):
            mine = stream.events[count]
            if event != (mine.name or "message", mine.sse.data):
                differs = count
        count += 1
    return count, differs


@check("GEN-SSE-12", needs=["base"], over=EVERY, requires=["GEN-SSE-06"])
def no_other_names(context: Context) -> None:
    for stream, event in _events(context):
        context.expect(
            event.kind in NAMES,
            expected="an event named progress, complete or error",
            got=f"{escape(event.name, 40)!r}",
            exchange=stream.exchange,
            at=event.where,
        )


def _events(context: Context) -> Iterator[tuple[GenerationStream, GenerationEvent]]:
    """All events of all streams but [DONE]; where that has no place, its framing says so."""
    found = False
    for stream in streams(context, *EVERY):
        for event in stream.events:
            if event.kind is not Kind.DONE_MARK:
                found = True
                yield stream, event
    if not found:
        raise MissingEvidence("no stream has an event")


def _closing_marks(stream: GenerationStream) -> set[int]:
    """The numbers of the [DONE] that may follow the terminal event."""
    last = stream.terminal
    return {
        event.index for event in stream.events if last and event.index > last.index and event.kind is Kind.DONE_MARK
    }


def _seen(stream: GenerationStream, *kinds: DiagnosticKind) -> list[Diagnostic]:
    """The diagnostics of these kinds, without those in the torn last event of a stream that was cut off."""
    torn = stream.exchange.end not in (End.COMPLETE, End.EOF)
    whole = stream.events[-1].sse.end if stream.events else 0
    done = _closing_marks(stream)
    return [
        diagnostic
        for diagnostic in stream.sse.diagnosed(*kinds)
        if diagnostic.event not in done
        and not (torn and diagnostic.offset >= whole)
        and not (diagnostic.kind is DiagnosticKind.NO_SPACE and not diagnostic.text.startswith("data"))
    ]


def _none_of(
    context: Context, stream: GenerationStream, kinds: list[DiagnosticKind], expected: str, cause: str
) -> None:
    """Expects that a stream has none of these oddities; the finding is about the first and says how many there are."""
    seen = _seen(stream, *kinds)
    if not seen:
        context.expect(True, expected=expected, got="")
        return
    diagnostic = seen[0]
    times = f" ({len(seen)} times in this stream)" if len(seen) > 1 else ""
    line = f": {escape(diagnostic.text, 80)!r}" if diagnostic.text else ""
    event = "" if diagnostic.event is None else f"event {diagnostic.event + 1}, "
    at = f"{event}byte {diagnostic.offset} ({stream.exchange.arrived(diagnostic.offset):.3f} s)"
    context.expect(
        False,
        expected=expected,
        got=f"{SAID[diagnostic.kind]}{line}{times}",
        exchange=stream.exchange,
        at=at,
        cause=cause,
    )


SAID = {
    DiagnosticKind.BOM: "a byte order mark",
    DiagnosticKind.INVALID_UTF8: "bytes that are not UTF-8",
    DiagnosticKind.CR: "a line that ends with CR",
    DiagnosticKind.CRLF: "a line that ends with CR LF",
    DiagnosticKind.NO_EVENT_LINE: "an event without an event: line",
    DiagnosticKind.SEVERAL_EVENT_LINES: "a second event: line in one event",
    DiagnosticKind.EVENT_AFTER_DATA: "the event: line after the data",
    DiagnosticKind.SEVERAL_DATA_LINES: "a second data: line in one event",
    DiagnosticKind.NO_DATA: "an event without data",
    DiagnosticKind.NO_SPACE: "no space after data:",
}
