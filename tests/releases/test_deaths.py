"""Requests that kill a recorded release kill its personality, where that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.emulated.releases import personalities
from local_dream_mockserver.faults.selection import Selection
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from tests.mockserver.live_server import PATIENCE, events_of, running
from tests.releases.test_kinds import BASE, NAMES, generated


@pytest.mark.parametrize("name", NAMES)
def test_destructive_bugs_kill_the_server_for_a_while_and_only_where_asked(
    name: str, urls: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"X-Image-Width": "-4", "X-Image-Height": "-4", "X-Upscaler-Path": "up.mnn"}
    alive = httpx.post(f"{urls[name]}/upscale", headers=headers, content=b"x" * 48)
    assert alive.status_code == 500
    assert events_of(generated(urls[name], width=-8).text)[-1]["message"] == "std::bad_alloc"
    with dying(name, 1e9, monkeypatch) as url:
        assert httpx.get(f"{url}/health").status_code == 200
        with pytest.raises(httpx.TransportError):
            httpx.post(f"{url}/upscale", headers=headers, content=b"x" * 48)
        with pytest.raises(httpx.ConnectError):  # the port is closed, as that of a process that has gone
            httpx.get(f"{url}/health")
    with dying(name, 0.2, monkeypatch) as url:
        with pytest.raises(httpx.TransportError):
            generated(url, width=-8)
        with httpx.Client(transport=httpx.HTTPTransport(retries=12)) as patient:
            assert patient.get(f"{url}/health", timeout=PATIENCE).status_code == 200


@contextmanager
def dying(name: str, gone_for: float, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("local_dream_mockserver.faults.emulated.http_library.GONE_FOR", gone_for)
    alteration = personalities()[name].make(destructive=True)
    app = create_faulty_app(SyntheticEngine(Pacing(first=0, step=0)), None, Selection([alteration]))
    with running(app, http=alteration.http) as url:
        yield url


def test_2_4_dies_of_the_generation_after_an_empty_picture_that_was_left() -> None:
    for deadly in (False, True):
        alteration = personalities()["2.4"].make(destructive=deadly)
        app = create_faulty_app(SyntheticEngine(Pacing(first=0, step=0.05)), None, Selection([alteration]))
        with running(app, http=alteration.http) as url, httpx.Client(base_url=url, timeout=PATIENCE) as client:
            with client.stream("POST", "/generate", json=BASE | {"steps": 40, "width": 0}) as left:
                next(left.iter_text())
            if deadly:
                with pytest.raises(httpx.TransportError):
                    generated(url)
            else:
                assert generated(url).status_code == 200
