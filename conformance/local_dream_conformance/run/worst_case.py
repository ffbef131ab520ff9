"""What a run costs a target that accepts all that it is asked for, also what it should refuse: found by a dry run.

The scenarios run against a target that is not there. It accepts everything, has every extension, paints noise, and
goes on with a generation that its client hung up on, so that whatever a scenario sends only after an answer of that
kind is counted too.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any, cast

import local_dream_conformance.scenarios
from local_dream_conformance.core.budget import Budget, Cost
from local_dream_conformance.core.exchange import ON_CONTROL, End, Exchange, Read, Request, Transcript
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence.spending import spent_on
from local_dream_conformance.http.connection import SendOptions, kind_of
from local_dream_conformance.http.patience import Kind
from local_dream_conformance.http.target import Target
from local_dream_conformance.run.plan import Plan
from local_dream_conformance.scenarios.scenario import Scenario

EDGE = 8
"""Width and height of the pictures."""
STEP, UNNOTICED = 1.0, 3600.0
"""Seconds that a step takes, and for which the next generation waits once a client has hung up."""


def worst(plan: Plan, settings: Settings) -> Cost:
    """The most that the scenarios of a plan can cost, within the budget."""
    return _within(settings.budget, dry(plan, settings).cost)


def is_own(scenario: Scenario) -> bool:
    """Whether a scenario is somebody's own. Those are not run dry, since nobody knows what they do."""
    return not getattr(scenario.run, "__module__", "").startswith(f"{local_dream_conformance.scenarios.__name__}.")


def dry(plan: Plan, settings: Settings) -> Accepting:
    """The target after a dry run. Scenarios of somebody's own cost what they say."""
    if "://" not in settings.url:  # our own server has no address before it runs
        settings = replace(settings, url="http://127.0.0.1:8081")
    target = Accepting(settings)
    for scenario in plan.scenarios:
        if is_own(scenario):
            target.cost += scenario.cost
        else:
            target.done[scenario.name] = Transcript(scenario.name, tuple(scenario.run(cast(Target, target))))
    return target


def _within(budget: Budget, cost: Cost) -> Cost:
    limits = (budget.generations, cost.generations), (budget.upscales, cost.upscales)
    generations, upscales = (count if limit is None else min(limit, count) for limit, count in limits)
    return Cost(generations, upscales)


class Accepting:
    """Stands for a target: answers at once, and counts."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.cost = Cost()
        self.asked: Counter[Kind] = Counter()
        self.done: dict[str, Transcript] = {}
        self.deaths = 0
        self._random = Random(settings.seed)
        self._now = 0.0
        self._late = 0.0

    def transcript(self, scenario: str) -> Transcript | None:
        return self.done.get(scenario)

    def has_stalled(self, request: Request) -> str:
        return ""

    def affords(self, cost: Cost) -> bool:
        return True

    def spares(self, cost: Cost) -> bool:
        return True

    def leave_out(self, label: str, reason: str) -> None:
        """Nothing is left out."""

    def send(
        self,
        label: str,
        request: Request,
        send_options: SendOptions | None = None,
        stop_when: Callable[[bytes], bool] | None = None,
    ) -> Exchange:
        self._now += 1.0
        if send_options is not None and send_options.control:
            self.asked[Kind.QUICK] += 1
            return controlled(label, request, self._now)
        self.asked[kind_of(request, send_options or SendOptions())] += 1
        events = self._events(request)
        reads = tuple(Read(self._late + number * STEP, event) for number, event in enumerate(events, 1))
        exchange = Exchange(
            label,
            request,
            self._now,
            End.COMPLETE,
            reads[-1].at,
            status=200,
            headers=(("Content-Type", "text/event-stream"),),
            reads=reads,
        )
        self.cost += spent_on(exchange)
        return exchange

    def wait(self, seconds: float) -> None:
        """Nothing takes time."""
        self._now += seconds

    def begin(self, label: str, request: Request, send_options: SendOptions | None = None) -> Begun:
        return Begun(self.send(label, request), self.go_on)

    def go_on(self) -> None:
        """Works for a client that has hung up: what is asked for next waits."""
        self._late += UNNOTICED

    def conversation(self, calls: list[tuple[str, Request]]) -> list[Exchange]:
        return [self.send(label, request) for label, request in calls]

    def raw(self, label: str, data: bytes, *, cut: bool = False, stop_when: object = None) -> Exchange:
        return self.send(label, Request("", "", (), b"" if cut else data))

    def _events(self, request: Request) -> list[bytes]:
        """The first two steps, so that it is known how long one takes, and the end."""
        asked = request.json if isinstance(request.json, dict) else {}
        width, height = EDGE, EDGE
        if isinstance(asked.get("size"), int):
            width = height = asked["size"] or EDGE
        elif "aspect_ratio" in asked:
            height = 2 * EDGE
        image = b64encode(self._random.randbytes(width * height * 3)).decode()
        complete = {"image": image, "width": width, "height": height, "format": asked.get("output_format", "raw")}
        begun = [_event("progress", step=step, total_steps=asked.get("steps", 2)) for step in (1, 2)]
        return [*begun, _event("complete", **complete)]


CONTROL: dict[str, object] = {
    "/info": {"app": "localdream", "protocol": 1, "version": "", "device": ""},
    "/models": {"use_img2img": True, "models": [{"id": "model"}], "upscalers": []},
    "/status": {"state": "running", "serving_model_id": "model", "width": EDGE, "height": EDGE},
    "/select": {"ok": True},
    "/stop": {"ok": True, "ignored": True},
}
"""What a control API answers at which something runs."""


def controlled(label: str, request: Request, now: float) -> Exchange:
    """An exchange with such a control API."""
    found = CONTROL.get(request.target)
    body = json.dumps(found or {"error": "not found"}).encode()
    return Exchange(
        label,
        request,
        now,
        End.COMPLETE,
        0.5,
        status=200 if found else 404,
        headers=(("Content-Type", "application/json"),),
        reads=(Read(0.1, body),),
        notes=(ON_CONTROL,),
    )


class Begun:
    """A call that was begun."""

    def __init__(self, exchange: Exchange, hang_up: Callable[[], None]) -> None:
        self._exchange, self._hang_up = exchange, hang_up

    def wait_for_event(self) -> bool:
        return True

    def wait_for_another(self, seconds: float) -> None:
        """It has come."""

    def hang_up(self) -> None:
        """The target does not notice."""
        self._hang_up()

    def result(self) -> Exchange:
        return self._exchange


def _event(kind: str, **data: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()
