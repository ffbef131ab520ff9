"""The control API, which has an address of its own: what it says, and what it must refuse.

A run leaves the server as it found it. What could change what runs is sent only while a model runs that can be
selected again; where it does not run any more after a request, it is selected again and nothing more is sent. What
would stop it (its own id, or none) is never sent.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Generator, Iterator, Mapping

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import Exchange, Request
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence.control import (
    RUNNING,
    STARTING,
    Serving,
    ids,
    is_control,
    serving,
    state,
    upscales,
)
from local_dream_conformance.http.connection import SendOptions
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.scenario import Scenario
from local_dream_conformance.scenarios.series import labelled, silent

TO_CONTROL = SendOptions(control=True)
SETTLES = 10.0
"""Seconds in which state and model agree again after a change."""
GRACE = 2.5
"""Seconds after which a stop that was meant has stopped what runs: a phone waits 1.5."""
PAUSE = 0.5
NOT_THERE = "GET /info shows no control API there: nothing more was sent to it"
NOTHING_RUNS = "no model of GET /models runs at a known size, and one that does is selected again; select one before"
DISTURBED = "not sent, since a request before it changed what runs"
LOADING = "not sent, since a model was still being started after a request before it"
SILENT = "not sent, since the control API did not answer a request before it"
LATER = (
    *("reselect", "after-reselect", "unknown", "after-unknown"),
    *("nothing", "not-json", "after-nothing", "stale-stop", "after-stop"),
)


def _control(target: Target) -> Iterator[Exchange]:
    """Costs nothing. What runs is selected again as it runs, then what is not there is selected, then what does not run
    is stopped; GET /status is asked after each until it settles, for ten seconds at most."""
    info = target.send("control/info", Request("GET", "/info"), TO_CONTROL)
    yield info
    if not is_control(info):
        _leave_out(target, ("models", "not-found", "status", *LATER), NOT_THERE)
        return
    models = target.send("control/models", Request("GET", "/models"), TO_CONTROL)
    yield models
    yield target.send("control/not-found", requests.absent(target.settings), TO_CONTROL)
    known = ids(models)
    status = yield from _asked(target, "status", lambda one: _is_settled(one, known))
    runs = serving(status)
    if runs is None or runs.model not in known:
        _leave_out(target, LATER, NOTHING_RUNS)
        return
    yield from _disturbing(target, runs)


def _is_settled(status: Exchange, known: list[str]) -> bool:
    """Whether what is said of state and model can be of one moment."""
    if state(status) == STARTING:
        return False
    runs = serving(status)
    return state(status) != RUNNING or upscales(status) or (runs is not None and runs.model in known)


def _disturbing(target: Target, runs: Serving) -> Iterator[Exchange]:
    """What a careful server does not mind while a model runs."""
    whole = {"model_id": runs.model, "width": runs.width, "height": runs.height}
    nobody = f"no-such-model-{random.Random(target.settings.seed).getrandbits(64):016x}"
    size = {"width": runs.width, "height": runs.height}
    steps: tuple[tuple[dict[str, bytes], str, float], ...] = (
        ({"reselect": _json(whole)}, "after-reselect", 0.0),
        ({"unknown": _json({**whole, "model_id": nobody})}, "after-unknown", 0.0),
        ({"nothing": _json(size), "not-json": b'{"model_id": "a re'}, "after-nothing", 0.0),
        ({"stale-stop": _json({"model_id": nobody})}, "after-stop", GRACE),
    )
    left = list(LATER)
    for bodies, then, grace in steps:
        for name, body in bodies.items():
            left.remove(name)
            exchange = target.send(f"control/{name}", _post("/stop" if "stop" in name else "/select", body), TO_CONTROL)
            yield exchange
            if silent(exchange):
                _leave_out(target, left, SILENT)
                return
        left.remove(then)
        if grace:
            target.wait(grace)
        status = yield from _asked(target, then, lambda one: serving(one) == runs)
        if serving(status) != runs:
            _leave_out(target, left, LOADING if state(status) == STARTING else DISTURBED)
            yield target.send("control/restore", _post("/select", _json(whole)), TO_CONTROL)
            yield from _asked(target, "restored", lambda one: serving(one) == runs)
            return


def _asked(target: Target, name: str, settled: Callable[[Exchange], bool]) -> Generator[Exchange, None, Exchange]:
    """GET /status until it is settled, or for SETTLES seconds; while a model is being started, as long as an answer
    is waited for that takes work. The last answer has the name, those before it a number, too."""
    waited, asked = 0.0, 0
    while True:
        status = target.send(f"control/{name}", Request("GET", "/status"), TO_CONTROL)
        most = max(SETTLES, target.settings.idle_timeout) if state(status) == STARTING else SETTLES
        if settled(status) or not state(status) or waited >= most:
            yield status
            return status
        asked += 1
        yield labelled(status, f"control/{name}-before-{asked}")
        target.wait(PAUSE)
        waited += PAUSE


def _post(path: str, body: bytes) -> Request:
    return Request("POST", path, requests.JSON, body)


def _json(values: Mapping[str, object]) -> bytes:
    return json.dumps(values).encode()


def _leave_out(target: Target, names: tuple[str, ...] | list[str], reason: str) -> None:
    for name in names:
        target.leave_out(f"control/{name}", reason)


def _no_address(settings: Settings) -> str | None:
    return None if settings.control_url else "no --control-url: nothing is known of a control API"


CONTROL = Scenario("control", Cost(), _control, available=_no_address)
