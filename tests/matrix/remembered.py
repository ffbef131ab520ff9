"""Generated requests, generated once: drawing them anew for every trial would take half of the matrix's time.

The scenario `generated` sends the same requests to every target as long as all are refused. So its first run in a
process is listened to, and later trials send what was heard. A target that does not refuse one of them gets the real
scenario, with its search for a smaller request.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from local_dream_conformance.core.exchange import Exchange, Request
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.http.connection import SendOptions, StopWhen
from local_dream_conformance.http.running import first_event
from local_dream_conformance.http.target import Target
from local_dream_conformance.run.suite import Suite
from local_dream_conformance.scenarios.generated_requests import refused
from local_dream_conformance.scenarios.scenario import Scenario

NAME = "generated"


class Listening:
    """A target that remembers what it is asked."""

    def __init__(self, target: Target) -> None:
        self.settings = target.settings
        self.calls: list[tuple[str, Request]] = []
        self._target = target

    def send(
        self, label: str, request: Request, send_options: SendOptions | None = None, stop_when: StopWhen | None = None
    ) -> Exchange:
        self.calls.append((label, request))
        return self._target.send(label, request, send_options, stop_when)

    def has_stalled(self, request: Request) -> str:
        return self._target.has_stalled(request)


class Remembered:
    """Runs a scenario, or what it sent when it was run with the same settings and everything was refused."""

    def __init__(self, scenario: Scenario) -> None:
        self._probe = scenario
        self._heard: dict[Settings, list[tuple[str, Request]]] = {}

    def run(self, target: Target) -> Iterator[Exchange]:
        key = replace(target.settings, url="")
        if key in self._heard and not target.has_stalled(self._heard[key][0][1]):
            exchanges = []
            for label, request in self._heard[key]:
                stop_when = first_event() if request.method == "POST" else None
                exchanges.append(target.send(label, request, stop_when=stop_when))
                if exchanges[-1].request.method == "POST" and not refused(exchanges[-1]):
                    break
            else:
                yield from exchanges
                return
        listening = Listening(target)
        exchanges = list(self._probe.run(cast(Target, listening)))
        posted = [exchange for exchange in exchanges if exchange.request.method == "POST"]
        if posted and all(refused(exchange) for exchange in posted):
            self._heard[key] = listening.calls
        yield from exchanges


def remembering(suite: Suite) -> Suite:
    """The suite with generated requests that are remembered."""
    scenario = suite.scenarios[NAME]
    return replace(suite, scenarios={**suite.scenarios, NAME: replace(scenario, run=Remembered(scenario).run)})
