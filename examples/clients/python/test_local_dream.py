"""How a client is tested with the fixture local_dream_mock: install this project, then `pytest`."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any

import pytest
from local_dream import AsyncClient, BadAnswer, Busy, Client, GenerationFailed, LocalDreamError, Picture, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_dream_mockserver import Mock

    Paint = Callable[..., Picture]

SMALL: dict[str, Any] = {"steps": 3, "width": 64, "height": 48}


def painted(url: str, **fields: Any) -> Picture:
    with Client(url) as client:
        return client.generate("a red house", **{**SMALL, **fields})


def painted_async(url: str, **fields: Any) -> Picture:
    async def paint() -> Picture:
        async with AsyncClient(url) as client:
            return await client.generate("a red house", **{**SMALL, **fields})

    return asyncio.run(paint())


@pytest.fixture(params=[painted, painted_async])
def paint(request: pytest.FixtureRequest) -> Paint:
    """Both clients must pass the same tests."""
    made: Paint = request.param
    return made


def test_a_picture_and_its_steps(local_dream_mock: Mock, paint: Paint) -> None:
    mock = local_dream_mock
    steps: list[tuple[int, int]] = []
    picture = paint(mock.url, seed=7, on_progress=lambda progress: steps.append((progress.step, progress.total_steps)))
    assert (picture.width, picture.height, picture.seed) == (64, 48, 7)
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert mock.requests[0].json == {"prompt": "a red house", "seed": 7, **SMALL}
    assert mock.breaches == []


def test_previews(local_dream_mock: Mock, paint: Paint) -> None:
    previews: list[int] = []
    paint(
        local_dream_mock.url,
        show_diffusion_process=True,
        on_progress=lambda progress: previews.append(len(progress.preview or b"")),
    )
    assert previews == [64 * 48 * 3] * 3


def test_a_busy_server_is_asked_again(local_dream_mock: Mock, paint: Paint) -> None:
    mock = local_dream_mock
    mock.script([mock.busy(retry_after=0), mock.ok()])
    paint(mock.url)
    assert [request.status for request in mock.requests] == [503, 200]


def test_and_not_for_ever(local_dream_mock: Mock, paint: Paint) -> None:
    mock = local_dream_mock
    mock.script([mock.busy(retry_after=0)] * 4)
    with pytest.raises(Busy):
        paint(mock.url)
    assert [request.status for request in mock.requests] == [503] * 4


def test_the_user_is_told_why(local_dream_mock: Mock, paint: Paint) -> None:
    mock = local_dream_mock
    mock.script([mock.refusal("width: too large"), mock.error_event("out of memory", after=2)])
    with pytest.raises(Refused, match="width: too large"):
        paint(mock.url)
    with pytest.raises(GenerationFailed, match="out of memory"):
        paint(mock.url)


def test_hanging_up_frees_the_server(local_dream_mock: Mock) -> None:
    mock = local_dream_mock
    mock.pace(step=0.05)
    with Client(mock.url) as client, closing(client.events("a red house", **{**SMALL, "steps": 50})) as events:
        next(events)
    assert mock.requests[0].wait().hung_up


def test_hanging_up_frees_the_server_async(local_dream_mock: Mock) -> None:
    mock = local_dream_mock
    mock.pace(step=0.05)

    async def begin() -> None:
        async with (
            AsyncClient(mock.url) as client,
            aclosing(client.events("a red house", **{**SMALL, "steps": 50})) as events,
        ):
            await anext(events)

    asyncio.run(begin())
    assert mock.requests[0].wait().hung_up


def test_four_times_the_size(local_dream_mock: Mock) -> None:
    with Client(local_dream_mock.url) as client:
        assert client.upscale(Picture(bytes(6), 2, 1, 0), "그림.bin").startswith(b"\xff\xd8")
    assert local_dream_mock.breaches == []


@pytest.mark.parametrize("fault", ["terminal-missing", "data-not-json", "raw-short-of-a-row", "reset@bytes:200"])
def test_what_servers_do_wrong_ends_as_no_picture(local_dream_mock: Mock, paint: Paint, fault: str) -> None:
    local_dream_mock.fault(fault)
    with pytest.raises(LocalDreamError) as caught:
        paint(local_dream_mock.url)
    assert isinstance(caught.value, BadAnswer)


@pytest.mark.parametrize("quirk", ["comments", "byte-by-byte", "content-type-doubled"])
def test_odd_servers_are_understood(local_dream_mock: Mock, paint: Paint, quirk: str) -> None:
    local_dream_mock.quirk(quirk)
    assert paint(local_dream_mock.url).width == 64
