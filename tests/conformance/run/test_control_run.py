"""The control API judged at real servers on two ports: as it should be, dead, silent, another program, in transition.

What runs when the suite comes runs when it leaves, and nothing that could change it is sent to whom it is not known to
suit.
"""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local_dream_conformance.core import settings_sources
from local_dream_conformance.core.contract import of_profile
from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.core.exchange import ON_CONTROL, End, Exchange, Read, Request
from local_dream_conformance.core.verdict import Judgement, Verdict
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.report import curl
from local_dream_conformance.run import plan, suite
from local_dream_conformance.run.runner import Run
from local_dream_conformance.scenarios import control as scenario
from local_dream_mockserver.mock.synthetic import SyntheticEngine
from local_dream_mockserver.server.app import create_app
from tests.conformance.run.control_server import MODEL, OTHER, ControlServer, listening, said
from tests.conformance.scenarios.killers import KILLERS
from tests.mockserver.live_server import controlled, running
from tests.ports import free_port

SUITE = suite.load()
IDS = [one.id for one in SUITE.contract.requirements if of_profile(one.profile) == "control"]
LATER = ("EXT-CTL-11", "EXT-CTL-12", "EXT-CTL-13", "EXT-CTL-14", "EXT-CTL-15")
"""What is judged by requests that could change what runs."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(create_app(SyntheticEngine())) as url:
        yield url


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many polls, and less time between them."""
    monkeypatch.setattr(scenario, "PAUSE", 0.02)
    monkeypatch.setattr(scenario, "SETTLES", 0.4)
    monkeypatch.setattr(scenario, "GRACE", 0.1)


def judged(url: str, control: str, *more: str, **given: Any) -> dict[str, Judgement]:
    """What the suite says of the requirements of the control API, and of `more`."""
    settings = settings_sources.resolve(url, {"control-url": control, "idle-timeout": "2", **given}, {}, {}, "")
    ids = [*IDS, *more]
    with tempfile.TemporaryDirectory() as text:
        folder = RunFolder(Path(text))
        folder.begin(url)
        run = Run(SUITE, settings, plan.make(SUITE, ids, settings), folder)
        found = {id: run.judge(id) for id in ids}
        for exchange in run.transcript("control").exchanges:
            assert control in curl.command(exchange, settings).line
        assert not any(list(killer.found(run.transcript("control").exchanges)) for killer in KILLERS)
        return found


def having(judgements: dict[str, Judgement], *verdicts: Verdict) -> list[str]:
    return [id for id, judgement in judgements.items() if judgement.verdict in verdicts]


def test_a_server_of_two_ports_holds_all_of_it_and_is_left_as_it_was() -> None:
    with controlled(SyntheticEngine()) as (url, control):
        httpx.post(f"{control}/select", json={"model_id": "synthetic", "width": 256, "height": 128})
        before = httpx.get(f"{control}/status").json()
        assert having(judged(url, control, "HLT-01"), Verdict.PASS) == [*IDS, "HLT-01"]
        assert httpx.get(f"{control}/status").json() == before


def test_nothing_that_names_nothing_or_what_runs_is_stopped(url: str) -> None:
    server = ControlServer()
    with listening(server) as control:
        assert having(judged(url, control), Verdict.PASS, Verdict.WARN, Verdict.NOT_APPLICABLE) == IDS
    stops = [model for path, model in server.posted if path == "/stop"]
    assert len(stops) == 1
    assert stops[0]
    assert stops[0] not in (MODEL, OTHER)
    selected = [model for path, model in server.posted if path == "/select"]
    assert MODEL in selected
    assert OTHER not in selected


def test_what_would_stop_a_model_is_known_as_harm() -> None:
    asked = [
        exchange("control/models", Request("GET", "/models"), b'{"models": [{"id": "a"}, {"id": "b"}]}'),
        exchange("control/status", Request("GET", "/status"), b'{"serving_model_id": "a"}'),
        *(
            exchange(f"control/{name}", Request("POST", path, (), body), b"{}")
            for name, path, body in (
                ("same", "/select", b'{"model_id": "a"}'),
                ("other", "/select", b'{"model_id": "b"}'),
                ("late", "/stop", b'{"model_id": "x"}'),
                ("running", "/stop", b'{"model_id": "a"}'),
                ("empty", "/stop", b'{"model_id": ""}'),
                ("nothing", "/stop", b""),
            )
        ),
    ]
    found = {label.partition("/")[2] for killer in KILLERS for label in killer.found(asked)}
    assert found == {"other", "running", "empty", "nothing"}


def exchange(label: str, request: Request, body: bytes) -> Exchange:
    """One with the control API."""
    return Exchange(label, request, 0.0, End.COMPLETE, 0.0, status=200, reads=(Read(0.0, body),), notes=(ON_CONTROL,))


def test_without_its_address_it_is_not_applicable_and_why_is_said(url: str) -> None:
    settings = settings_sources.resolve(url, {"profile": "all"}, {}, {}, "")
    planned = plan.make(SUITE, IDS, settings)
    assert planned.unavailable["control"].startswith("no --control-url")
    with pytest.raises(BadSetting, match="give --control-url"):
        settings_sources.resolve(url, {"extension": ["control"]}, {}, {}, "")


def test_a_dead_port_is_a_failure_of_the_control_api_and_no_death_of_the_server(url: str) -> None:
    found = judged(url, f"http://127.0.0.1:{free_port()}", "SRV-05")
    assert having(found, Verdict.FAIL) == ["EXT-CTL-01"]
    assert "unreachable" in found["EXT-CTL-01"].findings[0].got
    assert found["EXT-CTL-02"].verdict is Verdict.BLOCKED
    assert found["EXT-CTL-02"].blocked_by == ("EXT-CTL-01",)
    assert found["SRV-05"].verdict is Verdict.PASS


def test_a_port_that_hangs_is_asked_once(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = judged(url, f"http://127.0.0.1:{silent.getsockname()[1]}")
        silent.settimeout(0.2)
        silent.accept()[0].close()
        with pytest.raises(TimeoutError):
            silent.accept()
    assert having(found, Verdict.FAIL) == ["EXT-CTL-01"]
    assert set(having(found, Verdict.BLOCKED)) == {*IDS} - {"EXT-CTL-01"}


@pytest.mark.parametrize(
    "info", [b"<html>a router</html>", b"[]", b'{"app": "another"}', b"\xff", b'{"app": "localdream"', b""]
)
def test_nothing_is_posted_to_another_program(url: str, info: bytes) -> None:
    class Stranger(ControlServer):
        def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
            super().answer(method, path, body)
            return 200, info

    server = Stranger()
    with listening(server) as control:
        assert having(judged(url, control), Verdict.FAIL) == ["EXT-CTL-01"]
    assert [path for _, path, _ in server.asked] == ["/info"]


@pytest.mark.parametrize(
    "now",
    [
        said(None, "idle", None),
        said(OTHER, "error", None),
        said("__upscaler__"),
        said("not-listed"),
        said(MODEL, size=None),
        said(MODEL, "starting"),
    ],
)
def test_nothing_is_posted_where_no_listed_model_runs_at_a_known_size(url: str, now: dict[str, Any]) -> None:
    server = ControlServer()
    server.now = now
    with listening(server) as control:
        found = judged(url, control)
    assert server.posted == []
    open_still = having(found, Verdict.UNTESTED, Verdict.BLOCKED)
    assert set(LATER) <= set(open_still)
    wrong = now["state"] == "running" and now["serving_model_id"] != "__upscaler__"
    assert having(found, Verdict.FAIL) == (["EXT-CTL-10"] if wrong else [])


def test_what_does_not_agree_in_a_transition_is_asked_again(url: str) -> None:
    server = ControlServer()
    server.coming = [said(None), said("not-listed"), said(MODEL, size=None), said(MODEL, "starting")]

    def reload(server: ControlServer, model: str) -> None:
        if model == MODEL:
            server.coming = [said(None, "idle", None), said(MODEL, "starting"), said(OTHER), said(MODEL, size=64)]

    server.on_select = reload
    with listening(server) as control:
        assert having(judged(url, control), Verdict.FAIL, Verdict.UNTESTED, Verdict.BLOCKED) == []


def test_a_model_that_is_still_being_started_is_no_failure(url: str) -> None:
    server = ControlServer()

    def start(server: ControlServer, model: str) -> None:
        server.now = said(MODEL, "starting")

    server.on_select = start
    with listening(server) as control:
        found = judged(url, control)
    assert having(found, Verdict.FAIL) == []
    assert "still being started" in found["EXT-CTL-11"].reason


def stopped(server: ControlServer) -> None:
    server.now = said(None, "idle", None)


def select_runs(server: ControlServer, model: str) -> None:
    """What is selected runs; what is not there stops everything."""
    server.now = said(model) if model in (MODEL, OTHER) else said(None, "idle", None)


def select_what_is_there(server: ControlServer, model: str) -> None:
    if model in (MODEL, OTHER):
        server.now = said(model)


@pytest.mark.parametrize(
    ("on_select", "on_stop", "broken"),
    [
        (select_runs, lambda server: None, "EXT-CTL-12"),
        (lambda server, model: select_runs(server, model or OTHER), lambda server: None, "EXT-CTL-12"),
        (select_what_is_there, stopped, "EXT-CTL-14"),
    ],
)
def test_what_a_wrong_server_stopped_is_selected_again(
    url: str, on_select: Callable[[ControlServer, str], Any], on_stop: Callable[[ControlServer], None], broken: str
) -> None:
    server = ControlServer()
    server.on_select, server.on_stop = on_select, on_stop
    with listening(server) as control:
        assert having(judged(url, control), Verdict.FAIL) == [broken]
    assert server.posted[-1] == ("/select", MODEL)
    assert server.now == said(MODEL)
