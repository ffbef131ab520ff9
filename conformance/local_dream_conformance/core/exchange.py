"""Transcripts: what was sent to a target and what came back, byte for byte and second by second.

A transcript is immutable and complete in itself: a check needs nothing else to judge, so the same
transcript can be judged live, on another xdist worker, or from a recording by a later version of the suite.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from local_dream_conformance.core.pieces import Read as Read
from local_dream_conformance.core.pieces import StoredReads

BUSY = (409, 429, 503)
"""Statuses with which a server may refuse a generation while another one runs."""
BUSY_UNTIL = "busy-until"
"""The note on an exchange that was refused with such a status before: until when, in seconds on the run's clock."""
REUSED = "reused-connection"
"""The note on an exchange of a conversation: whether its connection had been used before ("true" or "false")."""
UNREAD = "unread"
"""The note on an exchange whose client read nothing more before it hung up: for how many seconds."""
ON_CONTROL = ("port", "control")
"""The note on an exchange with the control API, which has an address of its own (the extension control)."""
ABSENT = (404, 405, 501)
"""Statuses with which a web server says that it has no such operation."""
GENERATE, UPSCALE, TOKENIZE, HEALTH = "POST /generate", "POST /upscale", "POST /tokenize", "GET /health"
"""The operations of the API, as requirements name them."""
OPERATIONS = (GENERATE, UPSCALE, TOKENIZE, HEALTH)


GONE = "the target is gone"
"""Why a request was not sent at a target that refused every connection."""
REST = "/*"
"""Ends the label that stands for all that a scenario had still to send."""


class End(StrEnum):
    """How an exchange ended, as the client saw it."""

    COMPLETE = "complete"
    """The answer's own framing (Content-Length, last chunk) said that it was over."""
    EOF = "eof"
    """The server closed the connection and nothing framed the answer, so the close is its end (HTTP/1.0 style)."""
    TRUNCATED = "truncated"
    """The server closed the connection before the end that its framing had announced."""
    RESET = "reset"
    """The connection was reset."""
    MALFORMED = "malformed"
    """The bytes are not HTTP."""
    IDLE_TIMEOUT = "idle-timeout"
    """No byte came as long as the suite waits at this stage, at most `Settings.idle_timeout` seconds; it gave up."""
    TOTAL_TIMEOUT = "total-timeout"
    """What was awaited did not come in time although bytes came, or the answer outlasted `Settings.total_timeout`
    seconds; the suite gave up."""
    TOO_LARGE = "too-large"
    """The answer grew past the suite's limit; the suite gave up."""
    HUNG_UP = "hung-up"
    """The suite hung up on purpose, as its scenario says."""
    UNREACHABLE = "unreachable"
    """No connection could be made."""


UNFINISHED = (End.TRUNCATED, End.RESET, End.MALFORMED, End.IDLE_TIMEOUT, End.TOTAL_TIMEOUT)
"""Ends of which the server, or its silence, is the cause, before the answer was over."""


@dataclass(frozen=True)
class Request:
    """A request as sent. `target` is path and query; header order and case are kept."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first value of a header, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @cached_property
    def json(self) -> Any:
        """The body as JSON, or None where it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True)
class Exchange:
    """One request and everything that came back.

    `label` names its part in its scenario (unique in a run, e.g. "base" or "refuse/steps-string").
    `started` is in seconds on the run's clock, so that exchanges of one run can be ordered and overlaps seen;
    `head_at`, `ended_at` and `Read.at` are in seconds since `started`. `status` is None where no answer came.
    """

    label: str
    request: Request
    started: float
    end: End
    ended_at: float
    status: int | None = None
    reason: str = ""
    http_version: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    head_at: float | None = None
    reads: Sequence[Read] = ()
    interim: tuple[int, ...] = ()
    """Statuses of interim answers (100, 103) that came before the final one."""
    detail: str = ""
    """For an end other than COMPLETE: what was seen, in one line (no bytes from the target unescaped)."""
    notes: tuple[tuple[str, str], ...] = field(default=())
    """Facts that the scenario adds, e.g. ("reused-connection", "true")."""

    @cached_property
    def operation(self) -> str:
        """The operation of the API that was asked for, one of OPERATIONS; "" for any other method or path.

        The path may have a prefix: that of the target's address, which a recording keeps.
        """
        if self.on_control:
            return ""
        path = self.request.target.partition("?")[0]
        named = f"{self.request.method} /{path.rpartition('/')[2]}"
        return named if named in OPERATIONS else ""

    @property
    def on_control(self) -> bool:
        """Whether it was made with the control API."""
        return ON_CONTROL in self.notes

    @property
    def is_cut(self) -> bool:
        """Whether an answer began and was not over: what its body lacks, nobody has seen."""
        return self.status is not None and self.end in UNFINISHED

    @property
    def body(self) -> bytes:
        """The whole body, transfer coding removed. A large one is read from its file each time."""
        return self.reads.data() if isinstance(self.reads, StoredReads) else self._joined

    @cached_property
    def _joined(self) -> bytes:
        return b"".join(read.data for read in self.reads)

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return self.reads.size if isinstance(self.reads, StoredReads) else len(self._joined)

    @property
    def arrivals(self) -> Iterator[tuple[float, int]]:
        """When each piece of the body arrived, and its bytes."""
        if isinstance(self.reads, StoredReads):
            return zip(self.reads.times, self.reads.sizes, strict=True)
        return ((read.at, len(read.data)) for read in self.reads)

    def values(self, name: str) -> list[str]:
        """All values of a header, in order."""
        wanted = name.lower()
        return [value for key, value in self.headers if key.lower() == wanted]

    def header(self, name: str) -> str | None:
        """The first value of a header, or None."""
        return next(iter(self.values(name)), None)

    @cached_property
    def media_type(self) -> str:
        """The media type of the answer in lower case, without parameters; "" where there is none."""
        return (self.header("content-type") or "").split(";")[0].strip().lower()

    def arrived(self, offset: int) -> float:
        """When the body byte at `offset` arrived, in seconds since the request began."""
        for at, size in self.arrivals:
            offset -= size
            if offset < 0:
                return at
        return self.ended_at


@dataclass(frozen=True)
class Transcript:
    """All exchanges of one scenario, in the order in which they were begun.

    `left_out` are labels of requests that were not sent, each with the reason: GONE, or words. SCENARIO/* stands for
    all that the scenario had still to send.
    """

    scenario: str
    exchanges: tuple[Exchange, ...]
    left_out: tuple[tuple[str, str], ...] = ()

    def __getitem__(self, label: str) -> Exchange:
        for exchange in self.exchanges:
            if exchange.label == label:
                return exchange
        raise KeyError(label)
