"""The journal: what clients sent, in memory only, and no more of it than a bound."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

from starlette.datastructures import Headers

from local_dream_mockserver.mock.violation import Violation

MOST_REQUESTS = 1000
MOST_BYTES = 128 * 1024 * 1024


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
    _began: float = field(default_factory=time.monotonic, repr=False)
    _over: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def json(self) -> Any:
        """The body as JSON. Raises ValueError where it is none."""
        return json.loads(self.body)

    @property
    def over(self) -> bool:
        """Whether it was answered to the end, or the client has hung up."""
        return self._over.is_set()

    @property
    def requirements(self) -> list[str | None]:
        """The ids of `breaches`."""
        return [breach.requirement for breach in self.breaches]

    def wait(self, seconds: float = 10.0) -> Request:
        """Waits until it is over; answers with itself. Raises TimeoutError."""
        if not self._over.wait(seconds):
            raise TimeoutError(f"request {self.number} ({self.method} {self.path}) is still being answered")
        return self

    def end(self, *, left: bool = False) -> None:
        """It is over. `left`: because the client left before it had everything."""
        if self.over:
            return
        if left:
            self.hung_up = HangUp(time.monotonic() - self._began, self.bytes_sent, self.events_sent)
        self._over.set()

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
            "hung_up": asdict(self.hung_up) if self.hung_up else None,
        }


class RequestLog:
    """Requests in the order of arrival. Beyond the bounds the oldest are dropped. From any thread."""

    def __init__(self, most_requests: int = MOST_REQUESTS, most_bytes: int = MOST_BYTES) -> None:
        self._most_requests = most_requests
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forgets everything and begins anew. What still runs is not listed again."""
        with self._lock:
            self._requests: deque[Request] = deque()
            self._count = 0
            self._held = 0
            self._began = time.monotonic()

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
                at=time.monotonic() - self._began,
            )
            self._requests.append(request)
            self._trim()
        return request

    def keep(self, request: Request, body: bytes, complete: bool) -> None:
        """Keeps a request's body, and drops the oldest requests where there is no room."""
        with self._lock:
            request.body, request.complete = body, complete
            if request in self._requests:  # and has not been dropped, or forgotten by `clear`
                self._held += len(body)
            self._trim()

    def settle(self, seconds: float) -> None:
        """Waits until nothing is under way. Raises TimeoutError."""
        until = time.monotonic() + seconds
        for request in self.requests:
            request.wait(max(0.0, until - time.monotonic()))

    def _trim(self) -> None:
        while len(self._requests) > 1 and (len(self._requests) > self._most_requests or self._held > self._most_bytes):
            self._held -= len(self._requests.popleft().body)
