"""Generated requests, generated once: drawing them anew for every trial would take half of the matrix's time.

The probe `generated` sends the same requests to every target as long as all are refused. So its first run in a
process is listened to, and later trials send what was heard. A target that does not refuse one of them gets the real
probe, with its search for a smaller request.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from conformance.generated import refused
from conformance.probe import Probe
from conformance.recorder import Manner, Until
from conformance.settings import Settings
from conformance.suite import Suite
from conformance.target import Target, first_event
from conformance.transcript import Exchange, Request

NAME = "generated"


class Listening:
    """A target that remembers what it is asked."""

    def __init__(self, target: Target) -> None:
        self.settings = target.settings
        self.calls: list[tuple[str, Request]] = []
        self._target = target

    def send(self, label: str, request: Request, manner: Manner | None = None, until: Until | None = None) -> Exchange:
        self.calls.append((label, request))
        return self._target.send(label, request, manner, until)


class Remembered:
    """Runs a probe, or what it sent when it was run with the same settings and everything was refused."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._heard: dict[Settings, list[tuple[str, Request]]] = {}

    def run(self, target: Target) -> Iterator[Exchange]:
        key = replace(target.settings, url="")
        if key in self._heard:
            exchanges = []
            for label, request in self._heard[key]:
                until = first_event() if request.method == "POST" else None
                exchanges.append(target.send(label, request, until=until))
                if exchanges[-1].request.method == "POST" and not refused(exchanges[-1]):
                    break
            else:
                yield from exchanges
                return
        listening = Listening(target)
        exchanges = list(self._probe.run(cast(Target, listening)))
        if all(refused(exchange) for exchange in exchanges if exchange.request.method == "POST"):
            self._heard[key] = listening.calls
        yield from exchanges


def remembering(suite: Suite) -> Suite:
    """The suite with generated requests that are remembered."""
    probe = suite.probes[NAME]
    return replace(suite, probes={**suite.probes, NAME: replace(probe, run=Remembered(probe).run)})
