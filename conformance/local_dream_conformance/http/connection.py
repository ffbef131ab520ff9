"""Makes one exchange after another on a connection and records every one of them, whatever the target does.

h11 speaks and reads HTTP; the socket is ours, so that each read has its time, and every wait has a deadline.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import h11

from local_dream_conformance.core.address import Address
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import GENERATE, UPSCALE, End, Exchange, Read, Request
from local_dream_conformance.core.options import HIDDEN
from local_dream_conformance.http import coding
from local_dream_conformance.http.patience import Kind, Patience, Watch
from local_dream_conformance.http.transport import Deadline, ExchangeEnded, Transport
from local_dream_conformance.http.trust import Trust

CONTINUE_SECONDS = 1.0  # RFC 9110, 10.1.1: a client must not wait for 100 for ever; curl waits this long
CHUNK = 1000
HEAD_LIMIT = 1 << 20
INTERIM_LIMIT = 100
CUT = "cut"
"""The note on an exchange whose request was sent in part only, on purpose."""
CUT_SHORT = "request-cut-short"
"""The note on an exchange whose request could not be sent to its end."""


@dataclass(frozen=True)
class SendOptions:
    """How a request is sent: body in chunked transfer coding, after Expect: 100-continue, on a connection to be kept.

    `spelling` is that of all header names: "lower", "upper", or as usual. `anonymous` leaves out the headers that the
    settings add. `refusal`: the request is to be refused, and is not waited for as work is. `raw` is sent instead of
    the request, as it is; with `cut`, the client then closes without waiting for an answer.
    """

    chunked: bool = False
    expect: bool = False
    keep_alive: bool = False
    spelling: str = ""
    anonymous: bool = False
    refusal: bool = False
    raw: bytes | None = None
    cut: bool = False


StopWhen = Callable[[bytes], bool]
"""Gets every piece of the body as it arrives; hanging up is what a true answer means."""


@dataclass
class _Recording:
    label: str
    request: Request
    started: float
    watch: Watch
    status: int | None = None
    reason: str = ""
    http_version: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    head_at: float | None = None
    reads: list[Read] = field(default_factory=list)
    interim: list[int] = field(default_factory=list)
    received: int = 0
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
            reads=tuple(self.reads),
            interim=tuple(self.interim),
            detail=detail,
            notes=tuple(self.notes),
        )


class Connection:
    """A connection to a target, dialled when it is needed and again when it cannot be used any more.

    `patience` says how long the target is waited for. `clock` gives the seconds of the run. `extra` headers are sent
    and recorded without their values.
    """

    def __init__(
        self,
        address: Address,
        patience: Patience,
        clock: Callable[[], float],
        extra: tuple[tuple[str, str], ...] = (),
        trust: Trust | None = None,
    ) -> None:
        self._address = address
        self._trust = trust or Trust()
        self._patience = patience
        self._limits = patience.limits
        self._clock = clock
        self._extra = extra
        self._wire: Transport | None = None
        self._http = h11.Connection(h11.CLIENT, HEAD_LIMIT)
        self._abandoned = threading.Event()

    def hang_up(self) -> None:
        """Ends the exchange that is going on, from another thread: it is recorded as hung up."""
        self._abandoned.set()
        if self._wire:
            self._wire.hang_up()

    def exchange(
        self, label: str, request: Request, send_options: SendOptions | None = None, stop_when: StopWhen | None = None
    ) -> Exchange:
        """Sends the request and records what comes. Never raises for anything that the target does."""
        send_options = send_options or SendOptions()
        headers = self._headers(request, send_options)
        sent = request
        if send_options.raw is None:
            target = self._address.prefix + request.target
            shown = tuple((name, HIDDEN if secret else value) for name, value, secret in headers)
            sent = Request(request.method, target, shown, request.body)
        kind = kind_of(request, send_options)
        recording = _Recording(label, sent, self._clock(), Watch(self._patience, kind))
        try:
            if send_options.keep_alive:
                recording.notes.append(("reused-connection", str(self._wire is not None).lower()))
            if self._wire is None:
                self._http = h11.Connection(h11.CLIENT, HEAD_LIMIT)
                self._wire = Transport.dial(self._address, recording.deadline, self._trust)
            recording.watch.sends(len(sent.body))
            self._send(recording, self._wire, sent, headers, send_options)
            recording.watch.waits()
            end = self._receive(recording, self._wire, stop_when)
            detail = ""
        except ExchangeEnded as ended:
            end, detail = ended.end, ended.detail
        if self._abandoned.is_set() and end is not End.COMPLETE:
            end, detail = End.HUNG_UP, ""
        self._finish(end, send_options)
        made = recording.exchange(end, detail)
        self._patience.learn(kind, made, ended=recording.watch.ended)
        return made

    def close(self) -> None:
        """Closes the connection."""
        if self._wire:
            self._wire.hang_up()
        self._wire = None

    def _headers(self, request: Request, send_options: SendOptions) -> list[tuple[str, str, bool]]:
        own = [("Host", self._address.host_header), ("User-Agent", "local-dream-conformance")]
        own += [("Accept-Encoding", "identity"), ("Connection", "keep-alive" if send_options.keep_alive else "close")]
        named = {name.lower() for name, _ in request.headers}
        own = [(name, value) for name, value in own if name.lower() not in named]
        headers = [(name, value, False) for name, value in (*own, *request.headers)]
        if send_options.chunked:
            headers.append(("Transfer-Encoding", "chunked", False))
        elif request.body or request.method in ("POST", "PUT", "PATCH"):
            headers.append(("Content-Length", str(len(request.body)), False))
        if send_options.expect:
            headers.append(("Expect", "100-continue", False))
        if not send_options.anonymous:
            extra = list(self._extra)
            if self._address.authorization and not any(name.lower() == "authorization" for name, _ in extra):
                extra.append(("Authorization", self._address.authorization))
            headers += [(name, value, True) for name, value in extra]
        return [(_spelt(name, send_options.spelling), value, secret) for name, value, secret in headers]

    def _send(
        self,
        recording: _Recording,
        wire: Transport,
        request: Request,
        headers: list[tuple[str, str, bool]],
        send_options: SendOptions,
    ) -> None:
        http, deadline = self._http, recording.deadline
        if send_options.raw is not None:
            # h11 only has to know that a request went out, to read what comes back as its answer
            http.send(h11.Request(method="GET", target="/", headers=[("Host", "raw")]))
            http.send(h11.EndOfMessage())
            wire.send(send_options.raw, deadline)
            if send_options.cut:
                recording.notes.append((CUT, "true"))
                raise ExchangeEnded(End.HUNG_UP, "")
            return
        # What is not ASCII in a value goes out as UTF-8, as curl sends what it was given.
        sent = [(name.encode("ascii"), value.encode("utf-8")) for name, value, _ in headers]
        head = h11.Request(method=request.method, target=request.target, headers=sent)
        try:
            wire.send(_bytes(http, head), deadline)
            if send_options.expect and not self._told_to_continue(recording, wire):
                return
            step = CHUNK if send_options.chunked else max(1, len(request.body))
            for start in range(0, len(request.body), step):
                wire.send(_bytes(http, h11.Data(data=request.body[start : start + step])), deadline)
            wire.send(_bytes(http, h11.EndOfMessage()), deadline)
        except ExchangeEnded as ended:
            if ended.end is not End.RESET:
                raise
            # A server may answer and close before it has read everything: what it said is still to be read.
            recording.notes.append((CUT_SHORT, ended.detail))

    def _told_to_continue(self, recording: _Recording, wire: Transport) -> bool:
        """Waits for 100 Continue a while. False where the final answer came instead: then no body is to be sent."""
        patience = recording.deadline.elapsed + CONTINUE_SECONDS
        while recording.deadline.elapsed < patience:
            piece = wire.receive(recording.deadline, max(0.001, patience - recording.deadline.elapsed))
            if piece is None:
                break
            self._take(recording, piece, None)
            if recording.status is not None:
                return False
            if 100 in recording.interim:
                break
        return True

    def _receive(self, recording: _Recording, wire: Transport, stop_when: StopWhen | None) -> End:
        closed = False
        while not recording.over:
            piece = wire.receive(recording.deadline) or b""
            closed = not piece
            self._take(recording, piece, stop_when)
        trailing = len(self._http.trailing_data[0])
        if trailing:
            recording.notes.append(("bytes-after-the-answer", str(trailing)))
        return End.EOF if closed else End.COMPLETE

    def _take(self, recording: _Recording, piece: bytes, stop_when: StopWhen | None) -> None:
        """Reads what has arrived. Raises ExchangeEnded."""
        at = recording.deadline.elapsed
        body: list[bytes] = []
        broken: ExchangeEnded | None = None
        recording.received += len(piece)
        recording.beginning = (recording.beginning + piece[:16])[:16]
        if not b"HTTP/".startswith(recording.beginning[:5]):
            tls = recording.beginning[:2] in (b"\x15\x03", b"\x16\x03")
            said = "TLS: is this an https:// address?" if tls else f"not HTTP: {escape(recording.beginning)}"
            raise ExchangeEnded(End.MALFORMED, f"the answer is {said}")
        try:
            self._http.receive_data(piece)
            while not recording.over:
                event = self._http.next_event()
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    break
                if isinstance(event, h11.InformationalResponse):
                    recording.interim.append(event.status_code)
                elif isinstance(event, h11.Response):
                    _take_head(recording, event, at)
                    _take_coding(recording)
                    recording.watch.begins(event.status_code, recording.media_type)
                elif isinstance(event, h11.Data):
                    body.append(self._decoded(recording, bytes(event.data)))
                else:
                    recording.over = True
        except h11.RemoteProtocolError as error:
            broken = _broken(recording, piece, error)
        if any(body):
            recording.reads.append(Read(at, b"".join(body)))
            recording.watch.receives(recording.reads[-1].data)
        if broken:
            raise broken
        if not recording.over:
            self._check_limits(recording)
            if any(body) and stop_when and stop_when(recording.reads[-1].data):
                raise ExchangeEnded(End.HUNG_UP, "")

    def _decoded(self, recording: _Recording, data: bytes) -> bytes:
        """The bytes without the coding that the request asked for. Raises ExchangeEnded."""
        if recording.decoder is None:
            return data
        try:
            found = recording.decoder.feed(data, self._limits.size)
        except ValueError as error:
            raise ExchangeEnded(End.MALFORMED, escape(str(error))) from None
        recording.received += len(found)
        return found

    def _check_limits(self, recording: _Recording) -> None:
        if recording.received > self._limits.size:
            raise ExchangeEnded(End.TOO_LARGE, f"the suite reads no more than {self._limits.size} bytes of this answer")
        if len(recording.reads) > self._limits.reads:
            raise ExchangeEnded(End.TOO_LARGE, f"the suite reads no more than {self._limits.reads} pieces of an answer")
        if len(recording.interim) > INTERIM_LIMIT:
            raise ExchangeEnded(End.TOO_LARGE, f"the suite reads no more than {INTERIM_LIMIT} interim answers")
        if self._abandoned.is_set():
            raise ExchangeEnded(End.HUNG_UP, "")

    def _finish(self, end: End, send_options: SendOptions) -> None:
        reusable = (
            end is End.COMPLETE
            and send_options.keep_alive
            and self._http.our_state is h11.DONE
            and self._http.their_state is h11.DONE
            and not self._http.trailing_data[0]
        )
        if reusable:
            self._http.start_next_cycle()
        else:
            self.close()


def _spelt(name: str, spelling: str) -> str:
    return {"lower": name.lower(), "upper": name.upper()}.get(spelling, name)


def kind_of(request: Request, send_options: SendOptions) -> Kind:
    """What a request asks of the target."""
    if send_options.raw is not None:
        return Kind.BYTES
    if f"{request.method} {request.target}" not in (GENERATE, UPSCALE):
        return Kind.QUICK
    return Kind.REFUSAL if send_options.refusal else Kind.WORK


def _bytes(http: h11.Connection, event: h11.Event) -> bytes:
    return http.send(event) or b""


def _take_head(recording: _Recording, response: h11.Response, at: float) -> None:
    recording.status = response.status_code
    recording.reason = bytes(response.reason).decode("latin-1")
    recording.http_version = bytes(response.http_version).decode("latin-1")
    recording.headers = tuple(
        (bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in response.headers.raw_items()
    )
    recording.head_at = at


def _take_coding(recording: _Recording) -> None:
    """Looks at the head of an answer for a coding that the request asked for."""
    said = [value for name, value in recording.headers if name.lower() == "content-encoding"]
    asked = recording.request.header("accept-encoding") or ""
    if len(said) == 1 and (decoder := coding.decoder(asked, said[0])):
        recording.decoder = decoder
        recording.notes.append((coding.NOTE, said[0].strip().lower()))


def _broken(recording: _Recording, piece: bytes, error: h11.RemoteProtocolError) -> ExchangeEnded:
    """What it means that h11 cannot go on."""
    if not piece:
        cut_short = dict(recording.notes).get(CUT_SHORT)
        if cut_short:  # the socket reports a reset once, and that was to the sender
            return ExchangeEnded(End.RESET, cut_short)
        if recording.status is not None:
            return ExchangeEnded(End.TRUNCATED, f"closed before the end that was announced: {escape(str(error))}")
        where = "in the head of the answer" if recording.received else "without an answer"
        return ExchangeEnded(End.TRUNCATED, f"closed {where}")
    if error.error_status_hint == 431:
        return ExchangeEnded(End.TOO_LARGE, f"the head of the answer, or of a chunk, is longer than {HEAD_LIMIT} bytes")
    return ExchangeEnded(End.MALFORMED, escape(str(error)))
