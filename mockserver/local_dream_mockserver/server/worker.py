"""A lane: one worker thread that does jobs one at a time, in the order in which they came."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from local_dream_mockserver.server.engine import Cancelled
from local_dream_mockserver.server.errors import APIError, Code

T = TypeVar("T")


class Job(Generic[T]):
    """A job in a lane. Await it for its result; abandon it when nobody waits any more."""

    def __init__(self, future: Future[T], cancelled: threading.Event) -> None:
        self._future = future
        self._cancelled = cancelled

    def __await__(self) -> Generator[Any, None, T]:
        return asyncio.wrap_future(self._future).__await__()

    @property
    def abandoned(self) -> bool:
        return self._cancelled.is_set()

    def abandon(self) -> None:
        """Takes a waiting job out of the lane; tells a running one that its result is not wanted."""
        self._cancelled.set()
        self._future.cancel()


class Worker:
    """See the module's text. `max_waiting` is how many jobs may wait behind the one that runs; one that was abandoned
    ends soon, and does not count."""

    def __init__(self, name: str, max_waiting: int) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._jobs: set[Job[Any]] = set()
        self._max_waiting = max_waiting

    def submit(self, work: Callable[[Cancelled], T]) -> Job[T]:
        """Puts a job in the lane. Raises Problem (503) when too many wait already."""
        with self._lock:
            if sum(not job.abandoned for job in self._jobs) > self._max_waiting:
                raise APIError(503, "busy with other requests; try again later", {"Retry-After": "5"}, code=Code.BUSY)
            cancelled = threading.Event()
            future = self._executor.submit(work, cancelled.is_set)
            job = Job(future, cancelled)
            self._jobs.add(job)
        future.add_done_callback(lambda _: self._done(job))
        return job

    def close(self) -> None:
        """Abandons every job; does not wait for the one that runs."""
        with self._lock:
            jobs = list(self._jobs)
        for job in jobs:
            job.abandon()
        self._executor.shutdown(wait=False)

    def _done(self, job: Job[Any]) -> None:
        with self._lock:
            self._jobs.discard(job)
