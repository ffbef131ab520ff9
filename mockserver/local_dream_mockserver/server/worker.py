"""A worker that does jobs one at a time, or as many at once as its engine can, and takes turns between the clients that
wait for it.

Jobs of one client are done in the order in which they came; between clients (told apart by address) the next job is
taken round robin, so that a thousand jobs of one client delay another one by one job.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Generic, TypeVar

from local_dream_mockserver.server.client_address import client_address
from local_dream_mockserver.server.engine import Cancelled
from local_dream_mockserver.server.errors import APIError, Code

T = TypeVar("T")


class Job(Generic[T]):
    """A job of a worker. Await it for its result; abandon it when nobody waits any more."""

    def __init__(self, client: str, work: Callable[[Cancelled], T]) -> None:
        self.client = client
        self.future: Future[T] = Future()
        self._work = work
        self._cancelled = threading.Event()

    def __await__(self) -> Generator[Any, None, T]:
        return asyncio.wrap_future(self.future).__await__()

    @property
    def abandoned(self) -> bool:
        return self._cancelled.is_set()

    def abandon(self) -> None:
        """Takes a waiting job out of the queue; tells a running one that its result is not wanted."""
        self._cancelled.set()
        self.future.cancel()

    def stop(self) -> None:
        """As `abandon`, but whoever waits for the result gets APIError (503): the server is being stopped."""
        self._cancelled.set()
        with suppress(InvalidStateError):
            self.future.set_exception(
                APIError(503, "the server is being stopped", {"Retry-After": "5"}, code=Code.BUSY)
            )

    def run(self) -> None:
        """In the worker's thread."""
        if self.future.done() or not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self._work(self._cancelled.is_set)
        except BaseException as error:  # whatever the work raises, whoever waits hears of it and the thread lives on
            with suppress(InvalidStateError):
                self.future.set_exception(error)
        else:
            with suppress(InvalidStateError):
                self.future.set_result(result)


class Worker:
    """See the module's text. `max_waiting` is how many jobs may wait behind the `at_once` that run; one that was
    abandoned ends soon, and does not count. A client that has no job here is let in when the queue is full too, up to
    as many jobs again: otherwise one client could take all the places."""

    def __init__(self, name: str, max_waiting: int, at_once: int = 1) -> None:
        self._executor = ThreadPoolExecutor(at_once, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._queues: dict[str, deque[Job[Any]]] = {}
        """The waiting jobs of each client; the client whose turn is next comes first."""
        self._running: set[Job[Any]] = set()
        self._at_once = at_once
        self._max_waiting = max_waiting
        self._closed = False

    @property
    def wanted(self) -> bool:
        """Whether jobs wait for one that runs. From any thread."""
        return bool(self._queues)

    def expect_room(self) -> None:
        """Raises APIError (503) when `submit` would, at no cost."""
        with self._lock:
            self._admit(client_address.get())

    def submit(self, work: Callable[[Cancelled], T]) -> Job[T]:
        """Puts a job in the client's queue. Raises APIError (503) when too many wait already."""
        with self._lock:
            job = Job(client_address.get(), work)
            self._admit(job.client)
            self._queues.setdefault(job.client, deque()).append(job)
            self._executor.submit(self._run_next)
        job.future.add_done_callback(lambda _: self._forget(job))
        return job

    def close(self) -> None:
        """Stops every job; does not wait for those that run."""
        with self._lock:
            self._closed = True
            jobs = [*self._running, *(job for queue in self._queues.values() for job in queue)]
        for job in jobs:
            job.stop()
        self._executor.shutdown(wait=False)

    def _admit(self, client: str) -> None:
        running = [job.client for job in self._running if not job.abandoned]
        jobs = len(running) + sum(map(len, self._queues.values()))
        known = client in self._queues or client in running
        most = self._max_waiting if known else 2 * self._max_waiting
        if jobs >= most + self._at_once or self._closed:
            raise APIError(503, "busy with other requests; try again later", {"Retry-After": "5"}, code=Code.BUSY)

    def _run_next(self) -> None:
        with self._lock:
            if not self._queues:
                return
            client = next(iter(self._queues))
            queue = self._queues.pop(client)
            job = queue.popleft()
            self._running.add(job)
            if queue:
                self._queues[client] = queue
        job.run()
        with self._lock:
            self._running.remove(job)

    def _forget(self, job: Job[Any]) -> None:
        """Takes a job that was abandoned before its turn out of its queue: what it holds may be large."""
        with self._lock:
            queue = self._queues.get(job.client, deque())
            with suppress(ValueError):
                queue.remove(job)
            if not queue:
                self._queues.pop(job.client, None)
