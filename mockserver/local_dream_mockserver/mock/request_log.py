"""The journal: what clients sent, in memory only, and no more of it than a bound."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

from starlette.datastructures import Headers

from local_dream_mockserver.mock.violation import Violation
from local_dream_mockserver.server import clock

MOST_REQUESTS = 1000
MOST_BYTES = 128 * 1024 * 1024
GENERATION = ("POST", "/generate")


@dataclass(frozen=True, slots=True)
class HangUp:
    """The client closed the connection before it had the whole answer.

    `seconds` after the request came; `bytes_sent` and `events_sent` of the answer's body had been sent by then (to the
    proxy, where a fault of the wire holds them back).
    """

    seconds: float
    bytes_sent: int
    events_sent: int


@dataclass(eq=False, kw_only=True)
class Request:
    """One request and what became of it. `wait` before looking at `status` or `hung_up` of one that may still run."""

    number: int
    """From 1, in the order of arrival."""
    method: str
    path: str
    query: str
    headers: Headers
    """Names in any case; `headers.getlist(name)` where one was sent several times."""
    at: float
    """Seconds since the journal began."""
    body: bytes = field(default=b"", repr=False)
    complete: bool = False
    """Whether the whole body came (and was kept: bodies that the server refuses by their length are not)."""
    breaches: tuple[Violation, ...] = ()
    """What in it a client cannot count on. Judged once the body is complete."""
    answer: str = "honest"
    """What it was answered with: "honest", or the names of the faults and quirks, or the script's answer."""
    status: int | None = None
    hung_up: HangUp | None = None
    bytes_sent: int = 0
    events_sent: int = 0
    held: bool = field(default=False, repr=False)
    """Whether the proxy still has its answer when the application has ended."""
    _began: float = field(default_factory=clock.monotonic, repr=False)
    _over: bool = field(default=False, repr=False)
    _begun: bool = field(default=False, repr=False)
    _stirred: threading.Condition = field(default_factory=threading.Condition, repr=False)
    """Told whenever something comes of a request; the journal's, for all of its requests."""

    @property
    def json(self) -> Any:
        """The body as JSON. Raises ValueError where it is none."""
        return json.loads(self.body)

    @property
    def over(self) -> bool:
        """Whether it was answered to the end, or the client has hung up."""
        return self._over

    @property
    def requirements(self) -> list[str | None]:
        """The ids of `breaches`."""
        return [breach.requirement for breach in self.breaches]

    def wait(self, seconds: float = 10.0) -> Request:
        """Waits until it is over; answers with itself. Raises TimeoutError."""
        with self._stirred:
            if not self._stirred.wait_for(lambda: self.over, seconds):
                raise TimeoutError(f"request {self.number} ({self.method} {self.path}) is still being answered")
        return self

    def begin(self, answer: str) -> None:
        """From now on it is answered so: before, there is nothing that could be held or released."""
        with self._stirred:
            self.answer = answer
            self._begun = True
            self._stirred.notify_all()

    def sends(self, size: int, events: int) -> None:
        """So many more bytes, and events that end in them, of its answer's body are sent."""
        with self._stirred:
            self.bytes_sent += size
            self.events_sent += events
            self._stirred.notify_all()

    def end(self, *, left: bool = False) -> None:
        """It is over. `left`: because the client left before it had everything."""
        with self._stirred:
            if self.over:
                return
            if left:
                self.hung_up = HangUp(clock.monotonic() - self._began, self.bytes_sent, self.events_sent)
            self._over = True
            self._stirred.notify_all()

    def as_json(self) -> dict[str, Any]:
        """All of it for JSON but the body as it came; `json` is the body where it is JSON that can be told again."""
        try:
            value = self.json
            json.dumps(value, allow_nan=False)  # NaN and 1e999 can be read, but not be written
        except (ValueError, RecursionError):
            value = None
        return {
            "number": self.number,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": [list(header) for header in self.headers.items()],
            "at": self.at,
            "body_length": len(self.body),
            "complete": self.complete,
            "json": value,
            "breaches": [breach.as_json() for breach in self.breaches],
            "answer": self.answer,
            "status": self.status,
            "over": self.over,
            "bytes_sent": self.bytes_sent,
            "events_sent": self.events_sent,
            "hung_up": asdict(self.hung_up) if self.hung_up else None,
        }


class RequestLog:
    """Requests in the order of arrival. Beyond the bounds the oldest are dropped. From any thread."""

    def __init__(self, most_requests: int = MOST_REQUESTS, most_bytes: int = MOST_BYTES) -> None:
        self._most_requests = most_requests
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._stirred = threading.Condition()
        self.clear()

    def clear(self) -> None:
        """Forgets everything and begins anew. What still runs is not listed again."""
        with self._lock:
            self._requests: deque[Request] = deque()
            self._count = 0
            self._held = 0
            self._began = clock.monotonic()

    @property
    def requests(self) -> list[Request]:
        with self._lock:
            return list(self._requests)

    def begin(self, method: str, path: str, query: str, headers: Headers) -> Request:
        """Adds a request that has just come."""
        with self._lock:
            self._count += 1
            request = Request(
                number=self._count,
                method=method,
                path=path,
                query=query,
                headers=headers,
                at=clock.monotonic() - self._began,
                _stirred=self._stirred,
            )
            self._requests.append(request)
            self._trim()
        with self._stirred:
            self._stirred.notify_all()
        return request

    def keep(self, request: Request, body: bytes, complete: bool) -> None:
        """Keeps a request's body, and drops the oldest requests where there is no room."""
        with self._lock:
            request.body, request.complete = body, complete
            if body and request in self._requests:  # and has not been dropped, or forgotten by `clear`
                self._held += len(body)
            self._trim()

    def settle(self, seconds: float) -> None:
        """Waits until nothing is under way. Raises TimeoutError."""
        until = clock.monotonic() + seconds
        for request in self.requests:
            request.wait(max(0.0, until - clock.monotonic()))

    def wait_for_events(self, events: int, seconds: float, number: int | None = None) -> Request:
        """The generation that is under way, or the next one where none is; with `number` the request that has it, which
        may still have to come. Waits until so many events of its answer were sent, or until it is over. Raises
        TimeoutError."""
        found: Request | None = None

        def reached() -> bool:
            nonlocal found
            found = found or next(filter(wanted, self.requests), None)
            return found is not None and (found.over or (found._begun and found.events_sent >= events))

        def wanted(request: Request) -> bool:
            if number is not None:
                return request.number == number
            return (request.method, request.path) == GENERATION and not request.over

        with self._stirred:
            if self._stirred.wait_for(reached, seconds):
                assert found is not None
                return found
        if found is not None:
            raise TimeoutError(f"request {found.number}: {found.events_sent} of {events} events after {seconds:g} s")
        what = "no generation is under way" if number is None else f"there is no request {number}"
        raise TimeoutError(f"{what} after {seconds:g} s, and {len(self.requests)} requests are in the journal")

    @property
    def breaches(self) -> list[Violation]:
        """Those of all requests."""
        return [breach for request in self.requests for breach in request.breaches]

    def _trim(self) -> None:
        while len(self._requests) > 1 and (len(self._requests) > self._most_requests or self._held > self._most_bytes):
            self._held -= len(self._requests.popleft().body)
