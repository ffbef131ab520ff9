"""The lane: one at a time, in order, bounded, and free again when nobody waits."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

import pytest

from mockserver.engine import Cancelled
from mockserver.lane import Lane
from mockserver.problem import Problem

PATIENCE = 10.0


def test_jobs_run_one_at_a_time_in_order() -> None:
    async def scenario() -> None:
        lane = Lane("test", 10)
        gate, done, running = threading.Event(), [], threading.Semaphore(1)

        def work(number: int, cancelled: Cancelled) -> int:
            assert running.acquire(blocking=False)
            assert gate.wait(PATIENCE)
            done.append(number)
            running.release()
            return number

        jobs = [lane.submit(partial(work, number)) for number in range(5)]
        gate.set()
        assert [await job for job in jobs] == [0, 1, 2, 3, 4]
        assert done == [0, 1, 2, 3, 4]
        lane.close()

    asyncio.run(scenario())


def test_a_full_lane_refuses_and_frees_itself() -> None:
    async def scenario() -> None:
        lane = Lane("test", 1)
        gate = threading.Event()
        running = lane.submit(lambda cancelled: gate.wait(PATIENCE))
        waiting = lane.submit(lambda cancelled: True)
        with pytest.raises(Problem, match="busy") as caught:
            lane.submit(lambda cancelled: True)
        assert (caught.value.status, caught.value.kind) == (503, "server_error")
        assert "Retry-After" in caught.value.headers
        waiting.abandon()
        assert not gate.is_set()
        again = lane.submit(lambda cancelled: "served")
        gate.set()
        assert await running
        assert await again == "served"
        lane.close()

    asyncio.run(scenario())


def test_an_abandoned_job_hears_of_it() -> None:
    async def scenario() -> None:
        lane = Lane("test", 1)
        begun, heard = threading.Event(), threading.Event()

        def work(cancelled: Cancelled) -> None:
            begun.set()
            while not cancelled():
                heard.wait(0.001)
            heard.set()

        job = lane.submit(work)
        assert await asyncio.to_thread(begun.wait, PATIENCE)
        job.abandon()
        assert await asyncio.to_thread(heard.wait, PATIENCE)
        lane.close()

    asyncio.run(scenario())


def test_a_failing_job_leaves_the_lane_alive() -> None:
    async def scenario() -> None:
        lane = Lane("test", 1)

        def fail(cancelled: Cancelled) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await lane.submit(fail)
        assert await lane.submit(lambda cancelled: 5) == 5
        lane.close()

    asyncio.run(scenario())
