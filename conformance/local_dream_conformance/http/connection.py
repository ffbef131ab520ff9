"""Makes one exchange after another on a connection and records every one of them, whatever the target does.

h11 speaks and reads HTTP; the socket is ours, so that each read has its time, and every wait has a deadline.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import h11

from local_dream_conformance.core.address import Address
from local_dream_conformance.core.exchange import GENERATE, ON_CONTROL, REUSED, UNREAD, UPSCALE, End, Exchange, Request
from local_dream_conformance.core.options import HIDDEN
from local_dream_conformance.core.pieces import Pieces
from local_dream_conformance.http.answer import CUT_SHORT, HEAD_LIMIT, Answer
from local_dream_conformance.http.patience import Kind, Patience, Watch
from local_dream_conformance.http.transport import ExchangeEnded, Transport
from local_dream_conformance.http.trust import Trust

CONTINUE_SECONDS = 1.0  # RFC 9110, 10.1.1: a client must not wait for 100 for ever; curl waits this long
CHUNK = 1000
BEYOND_ASCII = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
CUT = "cut"
"""The note on an exchange whose request was sent in part only, on purpose."""


@dataclass(frozen=True)
class SendOptions:
    """How a request is sent: body in chunked transfer coding, after Expect: 100-continue, on a connection to be kept.

    `pause` has the seconds that lie between the halves of a body. `torn`: a chunk ends within a character, if the body
    has one of several bytes.
    `spelling` is that of all header names: "lower", "upper", or as usual. `anonymous` leaves out the headers that the
    settings add. `refusal`: the request is to be refused, and is not waited for as work is. `raw` is sent instead of
    the request, as it is; with `cut`, the client then closes without waiting for an answer. `control`: to the control
    API.
    """

    chunked: bool = False
    expect: bool = False
    keep_alive: bool = False
    spelling: str = ""
    anonymous: bool = False
    refusal: bool = False
    raw: bytes | None = None
    cut: bool = False
    control: bool = False
    pause: float = 0.0
    torn: bool = False


StopWhen = Callable[[bytes], bool]
"""Gets every piece of the body as it arrives; hanging up is what a true answer means."""


class Connection:
    """A connection to a target, dialled when it is needed and again when it cannot be used any more.

    `patience` says how long the target is waited for. `clock` gives the seconds of the run. `extra` headers are sent
    and recorded without their values. Large answers are kept in the folder `place`.
    """

    def __init__(
        self,
        address: Address,
        patience: Patience,
        clock: Callable[[], float],
        extra: tuple[tuple[str, str], ...] = (),
        trust: Trust | None = None,
        place: Path | None = None,
    ) -> None:
        self._address = address
        self._trust = trust or Trust()
        self._patience = patience
        self._clock = clock
        self._extra = extra
        self._wire: Transport | None = None
        self._http = h11.Connection(h11.CLIENT, HEAD_LIMIT)
        self._place = place
        self._abandoned = threading.Event()
        self._reads = threading.Event()
        self._reads.set()

    def stop_reading(self) -> None:
        """Leaves what comes from now on to the buffers of the connection, until it is hung up; from another thread."""
        self._reads.clear()

    def hang_up(self) -> None:
        """Ends the exchange that is going on, from another thread: it is recorded as hung up."""
        self._abandoned.set()
        self._reads.set()
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
        watch = Watch(self._patience, kind)
        answer = Answer(label, sent, self._clock(), watch, self._patience.limits, reads=Pieces(self._place))
        try:
            if send_options.control:
                answer.notes.append(ON_CONTROL)
            if send_options.keep_alive:
                answer.notes.append((REUSED, str(self._wire is not None).lower()))
            if self._wire is None:
                self._http = h11.Connection(h11.CLIENT, HEAD_LIMIT)
                self._wire = Transport.dial(self._address, answer.deadline, self._trust)
            answer.watch.sends(len(sent.body))
            self._send(answer, self._wire, sent, headers, send_options)
            answer.watch.waits()
            end = self._receive(answer, self._wire, stop_when)
            detail = ""
        except ExchangeEnded as ended:
            end, detail = ended.end, ended.detail
        if self._abandoned.is_set() and end is not End.COMPLETE:
            end, detail = End.HUNG_UP, ""
        self._finish(end, send_options)
        made = answer.exchange(end, detail)
        self._patience.learn(kind, made, ended=answer.watch.ended)
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
        answer: Answer,
        wire: Transport,
        request: Request,
        headers: list[tuple[str, str, bool]],
        send_options: SendOptions,
    ) -> None:
        http, deadline = self._http, answer.deadline
        if send_options.raw is not None:
            # h11 only has to know that a request went out, to read what comes back as its answer
            http.send(h11.Request(method="GET", target="/", headers=[("Host", "raw")]))
            http.send(h11.EndOfMessage())
            wire.send(send_options.raw, deadline)
            if send_options.cut:
                answer.notes.append((CUT, "true"))
                raise ExchangeEnded(End.HUNG_UP, "")
            return
        # What is not ASCII in a value goes out as UTF-8, as curl sends what it was given.
        sent = [(name.encode("ascii"), value.encode("utf-8")) for name, value, _ in headers]
        head = h11.Request(method=request.method, target=request.target, headers=sent)
        try:
            wire.send(_bytes(http, head), deadline)
            if send_options.expect and not self._told_to_continue(answer, wire):
                return
            half = _middle(len(request.body)) if send_options.pause else len(request.body)
            self._send_body(wire, request.body[:half], answer, send_options)
            if half < len(request.body):
                time.sleep(send_options.pause)
                answer.watch.sends(len(request.body) - half)  # what was waited for was ours
                self._send_body(wire, request.body[half:], answer, send_options)
            wire.send(_bytes(http, h11.EndOfMessage()), deadline)
        except ExchangeEnded as ended:
            if ended.end is not End.RESET:
                raise
            # A server may answer and close before it has read everything: what it said is still to be read.
            answer.notes.append((CUT_SHORT, ended.detail))

    def _send_body(self, wire: Transport, part: bytes, answer: Answer, send_options: SendOptions) -> None:
        cuts = {0, len(part)}
        if send_options.chunked:
            cuts |= {*range(0, len(part), CHUNK), _middle(len(part))}
        if send_options.torn and (found := BEYOND_ASCII.search(part)):
            cuts.add(found.start() + 1)
        for start, end in pairwise(sorted(cuts)):
            wire.send(_bytes(self._http, h11.Data(data=part[start:end])), answer.deadline)

    def _told_to_continue(self, answer: Answer, wire: Transport) -> bool:
        """Waits for 100 Continue a while. False where the final answer came instead: then no body is to be sent."""
        patience = answer.deadline.elapsed + CONTINUE_SECONDS
        while answer.deadline.elapsed < patience:
            piece = wire.receive(answer.deadline, max(0.001, patience - answer.deadline.elapsed))
            if piece is None:
                break
            self._take(answer, piece, None)
            if answer.status is not None:
                return False
            if 100 in answer.interim:
                break
        return True

    def _receive(self, answer: Answer, wire: Transport, stop_when: StopWhen | None) -> End:
        closed = False
        while not answer.over:
            if not self._reads.is_set():
                self._rest(answer)
            piece = wire.receive(answer.deadline) or b""
            closed = not piece
            self._take(answer, piece, stop_when)
        trailing = len(self._http.trailing_data[0])
        if trailing:
            answer.notes.append(("bytes-after-the-answer", str(trailing)))
        return End.EOF if closed else End.COMPLETE

    def _rest(self, answer: Answer) -> None:
        """Reads nothing until the exchange is hung up. Raises ExchangeEnded."""
        began = answer.deadline.elapsed
        while self._reads.wait(answer.deadline.wait()) is False:
            pass
        answer.notes.append((UNREAD, f"{answer.deadline.elapsed - began:.3f}"))
        raise ExchangeEnded(End.HUNG_UP, "")

    def _take(self, answer: Answer, piece: bytes, stop_when: StopWhen | None) -> None:
        """Reads what has arrived. Raises ExchangeEnded."""
        body = answer.take(self._http, piece)
        if answer.over:
            return
        if self._abandoned.is_set() or (body and stop_when and stop_when(body)):
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


def _middle(length: int) -> int:
    """Where to cut a body in two: on a boundary of chunks where it has any."""
    middle = length // 2
    return middle - (middle % CHUNK if middle > CHUNK else 0)


def _spelt(name: str, spelling: str) -> str:
    return {"lower": name.lower(), "upper": name.upper()}.get(spelling, name)


def kind_of(request: Request, send_options: SendOptions) -> Kind:
    """What a request asks of the target."""
    if send_options.raw is not None:
        return Kind.BYTES
    if send_options.control or f"{request.method} {request.target}" not in (GENERATE, UPSCALE):
        return Kind.QUICK
    return Kind.REFUSAL if send_options.refusal else Kind.WORK


def _bytes(http: h11.Connection, event: h11.Event) -> bytes:
    return http.send(event) or b""
