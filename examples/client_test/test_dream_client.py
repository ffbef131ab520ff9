"""How a client is tested with the fixture local_dream_mock: `pip install local-dream-conformance`, then `pytest`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from dream_client import NoPicture, paint

if TYPE_CHECKING:
    from local_dream_mockserver import Mock

SMALL: dict[str, Any] = {"steps": 3, "width": 64, "height": 48}


def test_a_picture_and_its_steps(local_dream_mock: Mock) -> None:
    mock = local_dream_mock
    steps: list[tuple[int, int]] = []
    picture = paint(mock.url, "a red house", lambda *step: steps.append(step), seed=7, **SMALL)
    assert (picture.width, picture.height, picture.seed) == (64, 48, 7)
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert mock.requests[0].json == {"prompt": "a red house", "seed": 7, **SMALL}
    assert mock.breaches == []


def test_a_busy_server_is_asked_again(local_dream_mock: Mock) -> None:
    mock = local_dream_mock
    mock.script([mock.busy(retry_after=0), mock.ok()])
    paint(mock.url, "a red house", **SMALL)
    assert [request.status for request in mock.requests] == [503, 200]


def test_the_user_is_told_why(local_dream_mock: Mock) -> None:
    mock = local_dream_mock
    mock.script([mock.refusal("width: too large"), mock.error_event("out of memory", after=2)])
    with pytest.raises(NoPicture, match="width: too large"):
        paint(mock.url, "a red house", **SMALL)
    with pytest.raises(NoPicture, match="out of memory"):
        paint(mock.url, "a red house", **SMALL)


@pytest.mark.parametrize("fault", ["terminal-missing", "data-not-json", "raw-short-of-a-row", "reset@bytes:200"])
def test_what_servers_do_wrong_ends_as_no_picture(local_dream_mock: Mock, fault: str) -> None:
    local_dream_mock.fault(fault)
    with pytest.raises(NoPicture):
        paint(local_dream_mock.url, "a red house", **SMALL)


@pytest.mark.parametrize("quirk", ["comments", "byte-by-byte", "content-type-doubled"])
def test_odd_servers_are_understood(local_dream_mock: Mock, quirk: str) -> None:
    local_dream_mock.quirk(quirk)
    assert paint(local_dream_mock.url, "a red house", **SMALL).width == 64
