"""The worker: one at a time, in order, bounded, and free again when nobody waits."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest

from local_dream_mockserver.server.engine import Cancelled
from local_dream_mockserver.server.errors import APIError
from local_dream_mockserver.server.worker import Worker

PATIENCE = 10.0


def test_jobs_run_one_at_a_time_in_order() -> None:
    async def scenario() -> None:
        worker = Worker("test", 10)
        gate, done, running = threading.Event(), [], threading.Semaphore(1)

        def work(number: int, cancelled: Cancelled) -> int:
            assert running.acquire(blocking=False)
            assert gate.wait(PATIENCE)
            done.append(number)
            running.release()
            return number

        jobs = [worker.submit(partial(work, number)) for number in range(5)]
        gate.set()
        assert [await job for job in jobs] == [0, 1, 2, 3, 4]
        assert done == [0, 1, 2, 3, 4]
        worker.close()

    asyncio.run(scenario())


def test_a_full_lane_refuses_and_frees_itself() -> None:
    async def scenario() -> None:
        worker = Worker("test", 1)
        gate = threading.Event()
        running = worker.submit(lambda cancelled: gate.wait(PATIENCE))
        waiting = worker.submit(lambda cancelled: True)
        with pytest.raises(APIError, match="busy") as caught:
            worker.submit(lambda cancelled: True)
        assert (caught.value.status, caught.value.kind) == (503, "server_error")
        assert "Retry-After" in caught.value.headers
        waiting.abandon()
        assert not gate.is_set()
        again = worker.submit(lambda cancelled: "served")
        gate.set()
        assert await running
        assert await again == "served"
        worker.close()

    asyncio.run(scenario())


def test_as_many_at_once_as_the_engine_can() -> None:
    async def scenario() -> None:
        worker = Worker("test", 1, at_once=2)
        both, gate = threading.Barrier(3), threading.Event()

        def work(cancelled: Cancelled) -> bool:
            both.wait(PATIENCE)
            return gate.wait(PATIENCE)

        jobs = [worker.submit(work) for _ in range(2)]
        await asyncio.to_thread(both.wait, PATIENCE)  # neither waits for the other
        waiting = worker.submit(lambda cancelled: True)
        with pytest.raises(APIError, match="busy"):
            worker.submit(lambda cancelled: True)
        jobs[0].abandon()
        instead = worker.submit(lambda cancelled: True)  # what was abandoned does not count
        gate.set()
        assert all([await jobs[1], await waiting, await instead])
        worker.close()

    asyncio.run(scenario())


def test_an_abandoned_job_hears_of_it() -> None:
    async def scenario() -> None:
        worker = Worker("test", 1)
        begun, heard = threading.Event(), threading.Event()

        def work(cancelled: Cancelled) -> None:
            begun.set()
            while not cancelled():
                heard.wait(0.001)
            heard.set()

        job = worker.submit(work)
        assert await asyncio.to_thread(begun.wait, PATIENCE)
        job.abandon()
        assert await asyncio.to_thread(heard.wait, PATIENCE)
        worker.close()

    asyncio.run(scenario())


def test_a_failing_job_leaves_the_lane_alive() -> None:
    async def scenario() -> None:
        worker = Worker("test", 1)

        def fail(cancelled: Cancelled) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await worker.submit(fail)
        assert await worker.submit(lambda cancelled: 5) == 5
        worker.close()

    asyncio.run(scenario())
