"""A byte-strict reader of event streams (WHATWG HTML, section 9.2), which keeps what a lenient reader forgives.

It gives the events that a conforming reader dispatches, and beside them diagnostics with byte offsets: line ends other
than LF, a byte order mark, bad UTF-8, a missing space, several data lines, an event that nothing ends. Which of these
are faults is for the checks to say. The result does not depend on how the bytes were cut.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from sys import getsizeof

import httpx
import httpx_sse

BOM = b"\xef\xbb\xbf"
PIECE = 1 << 16
LINES_READ = 100_000  # a run of a hundred steps has some 300
DIAGNOSTICS_KEPT = 100  # of each kind; all are counted
MEDIA_TYPE = "text/event-stream"
_TYPE = re.compile(r'"type"\s*:\s*"(progress|complete|error)"')
_STEP = re.compile(r'"step"\s*:\s*([0-9]{1,9})(?![0-9.])')


class DiagnosticKind(StrEnum):
    """What a strict reader diagnostics. Only some of these are faults."""

    BOM = "bom"
    """The stream begins with a byte order mark."""
    CR = "cr"
    """A line ends with CR alone."""
    CRLF = "crlf"
    """A line ends with CR LF."""
    INVALID_UTF8 = "invalid-utf8"
    NO_SPACE = "no-space"
    """An event: or data: line whose value does not follow after a space."""
    EXTRA_SPACE = "extra-space"
    """An event: or data: line with more than one space after the colon: the value begins with a space."""
    NO_EVENT_LINE = "no-event-line"
    """Data without an event: line: readers name the event "message"."""
    SEVERAL_EVENT_LINES = "several-event-lines"
    EVENT_AFTER_DATA = "event-after-data"
    """The event: line comes after a data: line."""
    SEVERAL_DATA_LINES = "several-data-lines"
    EMPTY_DATA = "empty-data"
    """An event whose data is the empty string."""
    NO_DATA = "no-data"
    """An event: line and a blank line without data between them: nothing is dispatched."""
    UNFINISHED = "unfinished"
    """The stream ends before the blank line that ends the event: nothing is dispatched."""
    UNKNOWN_FIELD = "unknown-field"
    COMMENT = "comment"
    ID = "id"
    RETRY = "retry"
    TOO_MANY_LINES = "too-many-lines"
    """Reading stopped after LINES_READ lines."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What is odd in a stream: at which byte of the stream, and in which event (numbered from 0; None outside of
    events).

    A block that makes no event (NO_DATA) has the number that its event would have had.

    `text` is the line it is about, at most 80 characters, not made safe for printing.
    """

    kind: DiagnosticKind
    offset: int
    event: int | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `start` is the offset of its first field line, `end` that after the blank line which ends it.

    `name` is "" where it has no event: line. `data_lines` are decoded with U+FFFD for bad bytes.
    """

    index: int
    name: str
    data_lines: tuple[str, ...]
    start: int
    end: int

    @property
    def data(self) -> str:
        """The data as a reader gets it."""
        return "\n".join(self.data_lines)


@dataclass(frozen=True)
class Stream:
    """A whole stream as read. `unfinished` is an event that began and was never ended; readers do not see it.

    `diagnostics` keeps the first DIAGNOSTICS_KEPT of each kind; `counts` counts them all. `size` is that of the stream,
    `memory` that of its text: characters beyond ASCII make all of a line two or four times as large.
    """

    events: tuple[Event, ...]
    unfinished: Event | None
    diagnostics: tuple[Diagnostic, ...]
    counts: Mapping[DiagnosticKind, int]
    size: int
    memory: int

    def diagnosed(self, *kinds: DiagnosticKind) -> list[Diagnostic]:
        """The diagnostics of these kinds, in stream order."""
        return [diagnostic for diagnostic in self.diagnostics if diagnostic.kind in kinds]


@dataclass
class Kept:
    """What a stream takes in memory: its events, bytes of the longest and of the text of all, characters of the longest
    name."""

    events: int = 0
    longest: int = 0
    longest_name: int = 0
    memory: int = 0


class Decoder:
    """Reads a stream piece by piece: `feed` answers with the events that a piece completes, `close` with everything.

    Without `keeps`, events that were answered with are not kept for `close`.
    """

    def __init__(self, *, keeps: bool = True) -> None:
        self.kept = Kept()
        self._keeps = keeps
        self._buffer = bytearray()
        self._searched = 0
        self._offset = 0
        self._lines = 0
        self._size = 0
        self._at_start = True
        self._events: list[Event] = []
        self._diagnostics: list[Diagnostic] = []
        self._counts: Counter[DiagnosticKind] = Counter()
        self._begin()

    def _begin(self) -> None:
        self._start: int | None = None
        self._name: str | None = None
        self._data: list[str] = []
        self._taken = 0

    @property
    def is_full(self) -> bool:
        """Whether it has read as many lines as it reads: what comes then is not looked at."""
        return self._lines >= LINES_READ

    def feed(self, piece: bytes) -> list[Event]:
        """Takes the next bytes; answers with the events that they complete."""
        self._size += len(piece)
        self._buffer += piece
        before = len(self._events)
        self._read(final=False)
        self._measure(len(self._buffer))
        found = self._events[before:]
        if not self._keeps:
            self._events.clear()
        return found

    def _measure(self, line: int, name: int = 0) -> None:
        """Counts what the event that is read now has taken so far, with a line of so many bytes."""
        self.kept.longest = max(self.kept.longest, self._taken + line)
        self.kept.longest_name = max(self.kept.longest_name, name)

    def close(self) -> Stream:
        """The stream has ended. A decoder is used once."""
        self._read(final=True)
        unfinished = None
        if self._buffer or self._start is not None:
            if self._buffer:
                self._line(bytes(self._buffer), self._offset, len(self._buffer))
            if self._start is not None:
                unfinished = Event(self.kept.events, self._name or "", tuple(self._data), self._start, self._size)
                self._diagnose(DiagnosticKind.UNFINISHED, self._start, self._name or "")
        events, diagnostics = tuple(self._events), tuple(self._diagnostics)
        return Stream(events, unfinished, diagnostics, dict(self._counts), self._size, self.kept.memory)

    def _read(self, *, final: bool) -> None:
        if self._at_start:
            if not final and len(self._buffer) < len(BOM) and BOM.startswith(self._buffer):
                return
            self._at_start = False
            if self._buffer.startswith(BOM):
                self._diagnose(DiagnosticKind.BOM, 0)
                del self._buffer[: len(BOM)]
                self._offset = len(BOM)
        position = newline = 0
        while self._lines < LINES_READ:
            start = max(position, self._searched)
            # Not by a pattern, which takes thirty times as long; each LF is looked for once, however many CR precede.
            if 0 <= newline <= start:
                newline = self._buffer.find(b"\n", start)
            end = self._buffer.find(b"\r", start, newline if newline >= 0 else len(self._buffer))
            end = newline if end < 0 else end
            if end < 0:
                self._searched = len(self._buffer)
                break
            ending = 1
            if self._buffer[end] == 0x0D:
                if end + 1 == len(self._buffer) and not final:
                    self._searched = end  # the next piece says whether this is CR or CR LF
                    break
                ending = 2 if self._buffer[end + 1 : end + 2] == b"\n" else 1
                self._diagnose(DiagnosticKind.CRLF if ending == 2 else DiagnosticKind.CR, self._offset + end)
            self._line(bytes(self._buffer[position:end]), self._offset + position, end + ending - position)
            position = end + ending
            self._lines += 1
        else:
            if not self._counts[DiagnosticKind.TOO_MANY_LINES]:
                self._diagnose(DiagnosticKind.TOO_MANY_LINES, self._offset + position)
            position = len(self._buffer)
        del self._buffer[:position]
        self._offset += position
        self._searched = max(0, self._searched - position)

    def _line(self, raw: bytes, offset: int, length: int) -> None:
        if not raw:
            self._dispatch(offset + length)
            return
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line = raw.decode("utf-8", "replace")
            self._diagnose(DiagnosticKind.INVALID_UTF8, offset + error.start, line)
        field, colon, value = line.partition(":")
        if colon and not field:
            self._diagnose(DiagnosticKind.COMMENT, offset, line)
            return
        if field in ("event", "data") and not value.startswith(" "):
            self._diagnose(DiagnosticKind.NO_SPACE, offset, line)
        elif field in ("event", "data") and value.startswith("  "):
            self._diagnose(DiagnosticKind.EXTRA_SPACE, offset, line)
        value = value.removeprefix(" ")
        self._taken += len(raw)
        self.kept.memory += getsizeof(value)
        self._measure(0, len(value) if field == "event" else 0)
        if field == "event":
            self._field(offset)
            if self._name is not None:
                self._diagnose(DiagnosticKind.SEVERAL_EVENT_LINES, offset, line)
            elif self._data:
                self._diagnose(DiagnosticKind.EVENT_AFTER_DATA, offset, line)
            self._name = value
        elif field == "data":
            self._field(offset)
            if len(self._data) == 1:
                self._diagnose(DiagnosticKind.SEVERAL_DATA_LINES, offset, line)
            self._data.append(value)
        elif field == "id":
            self._diagnose(DiagnosticKind.ID, offset, line)
        elif field == "retry":
            self._diagnose(DiagnosticKind.RETRY, offset, line)
        else:
            self._diagnose(DiagnosticKind.UNKNOWN_FIELD, offset, line)

    def _field(self, offset: int) -> None:
        if self._start is None:
            self._start = offset

    def _dispatch(self, end: int) -> None:
        if self._start is not None:
            if not self._data:
                self._diagnose(DiagnosticKind.NO_DATA, self._start, self._name or "")
            else:
                if not self._name:
                    self._diagnose(DiagnosticKind.NO_EVENT_LINE, self._start, self._data[0])
                if self._data == [""]:
                    self._diagnose(DiagnosticKind.EMPTY_DATA, self._start)
                event = Event(self.kept.events, self._name or "", tuple(self._data), self._start, end)
                self._events.append(event)
                self.kept.events += 1
        self._begin()

    def _diagnose(self, kind: DiagnosticKind, offset: int, text: str = "") -> None:
        self._counts[kind] += 1
        if self._counts[kind] <= DIAGNOSTICS_KEPT:
            inside = None if self._start is None else self.kept.events
            self._diagnostics.append(Diagnostic(kind, offset, inside, text[:80]))


def decode(body: bytes) -> Stream:
    """Reads a whole stream."""
    decoder = Decoder()
    decoder.feed(body)
    return decoder.close()


def meaning(event: Event) -> str:
    """What an event is meant to be, also where its event: line is missing: its name, else the `type` in its data.

    For what the suite does while a stream runs; what is judged goes by the name alone, as clients do.
    """
    if event.name:
        return event.name
    found = _TYPE.search(event.data)
    return found[1] if found else ""


def step(event: Event) -> int | None:
    """The `step` in the data of an event, None where none can be read."""
    found = _STEP.search(event.data)
    return int(found[1]) if found else None


def as_read_by_clients(body: bytes, content_type: str = "text/event-stream") -> Iterator[tuple[str, str]]:
    """(event name, data) as a widely used client library (httpx-sse) reads the stream: the second opinion.

    The media type is given to it in small letters, since it knows no others (0.4.3), though HTTP has them all equal.
    One event is made after the other, so that they are not all in memory. Raises ValueError with the library's
    complaint where it refuses to read, or where there are over LINES_READ lines.
    """
    if body.count(b"\n") + body.count(b"\r") > LINES_READ:
        raise ValueError(f"more than {LINES_READ} lines")
    pieces = (body[start : start + PIECE] for start in range(0, len(body), PIECE))
    response = httpx.Response(200, headers={"content-type": content_type.lower()}, content=pieces)
    try:
        for event in httpx_sse.EventSource(response).iter_sse():
            yield event.event, event.data
    except (httpx_sse.SSEError, httpx.HTTPError, UnicodeError) as error:
        raise ValueError(str(error)) from None
