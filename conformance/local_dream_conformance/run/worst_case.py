"""What a run costs a target that accepts all that it is asked for, also what it should refuse: found by a dry run.

The scenarios run against a target that is not there. It accepts everything, has every extension, and paints noise, so
that whatever a scenario sends only after an answer of that kind is counted too.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from random import Random
from typing import Any, cast

import local_dream_conformance.scenarios
from local_dream_conformance.core.budget import Budget, Cost
from local_dream_conformance.core.exchange import End, Exchange, Read, Request, Transcript
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence.spending import spent_on
from local_dream_conformance.http.connection import SendOptions
from local_dream_conformance.http.target import Target
from local_dream_conformance.run.plan import Plan

EDGE = 8
"""Width and height of the pictures."""


def worst(plan: Plan, settings: Settings) -> Cost:
    """The most that the scenarios of a plan can cost, within the budget. Scenarios of somebody's own are not run dry,
    since nobody knows what they do; they cost what they say."""
    target = Accepting(settings)
    for scenario in plan.scenarios:
        if getattr(scenario.run, "__module__", "").startswith(f"{local_dream_conformance.scenarios.__name__}."):
            target.done[scenario.name] = Transcript(scenario.name, tuple(scenario.run(cast(Target, target))))
        else:
            target.cost += scenario.cost
    return _within(settings.budget, target.cost)


def _within(budget: Budget, cost: Cost) -> Cost:
    limits = (budget.generations, cost.generations), (budget.upscales, cost.upscales)
    generations, upscales = (count if limit is None else min(limit, count) for limit, count in limits)
    return Cost(generations, upscales)


class Accepting:
    """Stands for a target: answers at once, and counts."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.cost = Cost()
        self.done: dict[str, Transcript] = {}
        self._random = Random(settings.seed)
        self._now = 0.0

    def transcript(self, scenario: str) -> Transcript | None:
        return self.done.get(scenario)

    def has_stalled(self, request: Request) -> str:
        return ""

    def affords(self, cost: Cost) -> bool:
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
        exchange = Exchange(
            label,
            request,
            self._now,
            End.COMPLETE,
            0.5,
            status=200,
            headers=(("Content-Type", "text/event-stream"),),
            reads=(Read(0.1, self._stream(request)),),
        )
        self.cost += spent_on(exchange)
        return exchange

    def begin(self, label: str, request: Request, send_options: SendOptions | None = None) -> Begun:
        return Begun(self.send(label, request))

    def conversation(self, calls: list[tuple[str, Request]]) -> list[Exchange]:
        return [self.send(label, request) for label, request in calls]

    def raw(self, label: str, data: bytes, *, cut: bool = False, stop_when: object = None) -> Exchange:
        return self.send(label, Request("", "", (), b"" if cut else data))

    def _stream(self, request: Request) -> bytes:
        asked = request.json if isinstance(request.json, dict) else {}
        width, height = EDGE, EDGE
        if isinstance(asked.get("size"), int):
            width = height = asked["size"] or EDGE
        elif "aspect_ratio" in asked:
            height = 2 * EDGE
        image = b64encode(self._random.randbytes(width * height * 3)).decode()
        complete = {"image": image, "width": width, "height": height, "format": asked.get("output_format", "raw")}
        return _event("progress", step=1, total_steps=1) + _event("complete", **complete)


class Begun:
    """A call that was begun."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def wait_for_event(self) -> bool:
        return True

    def hang_up(self) -> None:
        """There is nothing to hang up on."""

    def result(self) -> Exchange:
        return self._exchange


def _event(kind: str, **data: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()
