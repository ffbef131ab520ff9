"""Work for a client that may hang up while it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Message

from local_dream_mockserver.server.connection import ClientGone, while_connected


def played(scene: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Runs a scene; its client hangs up when the event is set."""

    async def play() -> None:
        await scene(asyncio.Event())

    asyncio.run(play())


async def receiving(left: asyncio.Event) -> Message:
    await left.wait()
    return {"type": "http.disconnect"}


def test_the_result_comes_back_and_nothing_looks_on() -> None:
    async def scene(left: asyncio.Event) -> None:
        assert await while_connected(lambda: receiving(left), asyncio.sleep(0, "made")) == "made"
        left.set()
        await asyncio.sleep(0.01)
        here = asyncio.current_task()
        assert asyncio.all_tasks() == {here}
        assert here is not None
        assert here.cancelling() == 0

    played(scene)


def test_work_ends_when_the_client_hangs_up() -> None:
    ended: list[str] = []

    async def work(left: asyncio.Event) -> None:
        left.set()
        try:
            async with asyncio.timeout(60):
                await asyncio.Event().wait()
        finally:
            ended.append("work")

    async def scene(left: asyncio.Event) -> None:
        with pytest.raises(ClientGone):
            await while_connected(lambda: receiving(left), work(left))
        assert ended == ["work"]
        await asyncio.sleep(0)  # goes on as if nothing had been cancelled
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()

    played(scene)


def test_a_server_that_stops_is_no_client_that_hangs_up() -> None:
    async def scene(left: asyncio.Event) -> None:
        waiting = asyncio.ensure_future(while_connected(lambda: receiving(left), asyncio.Event().wait()))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    played(scene)


def test_a_server_that_stops_while_its_client_hangs_up_stops() -> None:
    async def scene(left: asyncio.Event) -> None:
        waiting = asyncio.ensure_future(while_connected(lambda: receiving(left), asyncio.Event().wait()))
        await asyncio.sleep(0.01)
        left.set()
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises((asyncio.CancelledError, ClientGone)):
            await waiting

    played(scene)


def test_what_the_work_raises_is_raised() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async def scene(left: asyncio.Event) -> None:
        with pytest.raises(ZeroDivisionError):
            await while_connected(lambda: receiving(left), fail())

    played(scene)
