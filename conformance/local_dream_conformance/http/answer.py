"""What has come of an exchange so far: the head, the body read by read, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

import h11

from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import End, Exchange, Request
from local_dream_conformance.core.pieces import Pieces
from local_dream_conformance.http import coding
from local_dream_conformance.http.patience import Limits, Watch
from local_dream_conformance.http.transport import Deadline, ExchangeEnded

HEAD_LIMIT = 1 << 16
HEADERS_LIMIT = 250
INTERIM_LIMIT = 100
CUT_SHORT = "request-cut-short"
"""The note on an exchange whose request could not be sent to its end."""


@dataclass
class Answer:
    """The answer to a request, as it comes in. `started` are seconds of the run, all other times seconds after it."""

    label: str
    request: Request
    started: float
    watch: Watch
    limits: Limits
    status: int | None = None
    reason: str = ""
    http_version: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    head_at: float | None = None
    reads: Pieces = field(default_factory=Pieces)
    interim: list[int] = field(default_factory=list)
    received: int = 0
    """Bytes, as they came and without their coding together."""
    beginning: bytes = b""
    over: bool = False
    decoder: coding.Decoder | None = None
    notes: list[tuple[str, str]] = field(default_factory=list)

    @property
    def deadline(self) -> Deadline:
        return self.watch.deadline

    @property
    def media_type(self) -> str:
        said = next((value for name, value in self.headers if name.lower() == "content-type"), "")
        return said.partition(";")[0].strip().lower()

    def exchange(self, end: End, detail: str = "") -> Exchange:
        return Exchange(
            label=self.label,
            request=self.request,
            started=self.started,
            end=end,
            ended_at=self.deadline.elapsed,
            status=self.status,
            reason=self.reason,
            http_version=self.http_version,
            headers=self.headers,
            head_at=self.head_at,
            reads=self.reads.reads(),
            interim=tuple(self.interim),
            detail=detail,
            notes=tuple(self.notes),
        )

    def take(self, http: h11.Connection, piece: bytes) -> bytes:
        """Reads what has arrived (b"": the end of the connection), and returns the bytes of the body in it.

        Raises ExchangeEnded.
        """
        at = self.deadline.elapsed
        body: list[bytes] = []
        broken: ExchangeEnded | None = None
        self.received += len(piece)
        self._look_at_the_beginning(piece)
        try:
            http.receive_data(piece)
            while not self.over:
                event = http.next_event()
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    break
                if isinstance(event, h11.InformationalResponse):
                    self.interim.append(event.status_code)
                elif isinstance(event, h11.Response):
                    self._take_head(event, at)
                    self._take_coding()
                    self.watch.begins(event.status_code, self.media_type)
                    if len(event.headers) > HEADERS_LIMIT:
                        raise ExchangeEnded(End.TOO_LARGE, f"the suite reads no more than {HEADERS_LIMIT} headers")
                elif isinstance(event, h11.Data):
                    body.append(self._decoded(bytes(event.data)))
                else:
                    self.over = True
        except h11.RemoteProtocolError as error:
            broken = self._broken(piece, error)
        data = b"".join(body)
        if data:
            self.reads.append(at, data)
            self.watch.receives(data)
        if broken:
            raise broken
        if not self.over:
            self._check_limits()
        return data

    def _look_at_the_beginning(self, piece: bytes) -> None:
        self.beginning = (self.beginning + piece[:16])[:16]
        if not b"HTTP/".startswith(self.beginning[:5]):
            tls = self.beginning[:2] in (b"\x15\x03", b"\x16\x03")
            said = "TLS: is this an https:// address?" if tls else f"not HTTP: {escape(self.beginning)}"
            raise ExchangeEnded(End.MALFORMED, f"the answer is {said}")

    def _take_head(self, response: h11.Response, at: float) -> None:
        self.status = response.status_code
        self.reason = bytes(response.reason).decode("latin-1")
        self.http_version = bytes(response.http_version).decode("latin-1")
        self.headers = tuple(
            (bytes(name).decode("latin-1"), bytes(value).decode("latin-1"))
            for name, value in response.headers.raw_items()[:HEADERS_LIMIT]
        )
        self.head_at = at

    def _take_coding(self) -> None:
        """Looks at the head for a coding that the request asked for."""
        said = [value for name, value in self.headers if name.lower() == "content-encoding"]
        asked = self.request.header("accept-encoding") or ""
        if len(said) == 1 and (decoder := coding.decoder(asked, said[0])):
            self.decoder = decoder
            self.notes.append((coding.NOTE, said[0].strip().lower()))

    def _decoded(self, data: bytes) -> bytes:
        """The bytes without the coding that the request asked for. Raises ExchangeEnded."""
        if self.decoder is None:
            return data
        try:
            found = self.decoder.feed(data, max(1, self.watch.most - self.received) + 1)
        except ValueError as error:
            raise ExchangeEnded(End.MALFORMED, escape(str(error))) from None
        self.received += len(found)
        return found

    def _check_limits(self) -> None:
        if self.received > self.watch.most:
            raise ExchangeEnded(End.TOO_LARGE, f"the suite reads no more than {self.watch.most} bytes of this answer")
        if len(self.reads) > self.limits.reads:
            raise ExchangeEnded(End.TOO_LARGE, f"the suite reads no more than {self.limits.reads} pieces of an answer")
        if len(self.interim) > INTERIM_LIMIT:
            raise ExchangeEnded(End.TOO_LARGE, f"the suite reads no more than {INTERIM_LIMIT} interim answers")

    def _broken(self, piece: bytes, error: h11.RemoteProtocolError) -> ExchangeEnded:
        """What it means that h11 cannot go on."""
        if not piece:
            cut_short = dict(self.notes).get(CUT_SHORT)
            if cut_short:  # the socket reports a reset once, and that was to the sender
                return ExchangeEnded(End.RESET, cut_short)
            if self.status is not None:
                return ExchangeEnded(End.TRUNCATED, f"closed before the end that was announced: {escape(str(error))}")
            where = "in the head of the answer" if self.received else "without an answer"
            return ExchangeEnded(End.TRUNCATED, f"closed {where}")
        if error.error_status_hint == 431:
            said = f"the head of the answer, or of a chunk, is longer than {HEAD_LIMIT} bytes"
            return ExchangeEnded(End.TOO_LARGE, said)
        return ExchangeEnded(End.MALFORMED, escape(str(error)))
