"""How a client gets behind with reading, and where it is not worth it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local_dream_conformance.core.exchange import UNREAD
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.scenarios.behind import FASTEST, FILLS, LONGEST, behind
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.app import create_app
from tests.conformance.scenarios.running import run
from tests.matrix.standing import serving

SETTINGS = Settings("http://h")
SMALL = (184, 104)


@pytest.mark.parametrize("per_step", [0.011, 0.014, 0.017])
@pytest.mark.parametrize("size", [None, (512, 512), (1024, 1024)])
def test_so_much_is_left_unread_that_nothing_more_is_taken(size: tuple[int, int] | None, per_step: float) -> None:
    found = behind(replace(SETTINGS, size=size), SMALL, per_step, 250)
    width, height = size or SMALL
    assert found is not None
    assert found.seconds <= LONGEST
    per_second = width * height * 4 / found.stride / per_step
    assert found.seconds * per_second == pytest.approx(FILLS)
    assert found.stride == 1 or FASTEST / 2 <= per_second <= FASTEST


@pytest.mark.parametrize(("per_step", "steps"), [(None, 9), (0.05, 80), (1.0, 9), (0.002, 250), (0.01, 100)])
def test_a_server_is_not_left_unread_that_is_slow_or_would_be_done(per_step: float | None, steps: int) -> None:
    assert behind(SETTINGS, SMALL, per_step, steps) is None


@pytest.mark.parametrize(("per_step", "unread"), [(0.012, True), (0.1, False)])
def test_a_client_hangs_up_behind_where_a_server_is_fast(per_step: float, unread: bool) -> None:
    with serving(create_app(SyntheticEngine(Pacing(first=0, step=per_step)))) as url:
        found, _ = run(url, "base", "hang-up")
    abandoned, following = found["hang-up/abandoned"], found["hang-up/next"]
    assert (UNREAD in dict(abandoned.notes)) is unread
    assert abandoned.request.json.get("show_diffusion_process", False) is unread
    assert b"event: complete" not in abandoned.body
    assert b"event: complete" in following.body
