"""What answers without any work: /health, paths and methods that do not exist, a connection that is kept alive."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.probe import Cost, Probe
from conformance.probes import payload
from conformance.recorder import Manner
from conformance.target import Target
from conformance.transcript import Exchange, Request


def _health(target: Target) -> Iterator[Exchange]:
    """Costs nothing. health/anonymous leaves out the headers that the settings add: /health needs no credentials."""
    absent = payload.absent(target.settings)
    yield target.send("health/get", payload.HEALTH)
    yield target.send("health/anonymous", payload.HEALTH, Manner(anonymous=True))
    yield target.send("health/head", Request("HEAD", "/health"))
    yield target.send("health/unknown-path", absent)
    yield target.send("health/unknown-path-post", Request("POST", absent.target, payload.JSON, b"{}"))
    yield target.send("health/wrong-method-generate", Request("GET", "/generate"))
    yield target.send("health/wrong-method-upscale", Request("GET", "/upscale"))
    yield target.send("health/wrong-method-health", Request("DELETE", "/health"))


def _keep_alive(target: Target) -> list[Exchange]:
    """Costs nothing: two refusals, each followed by a /health on the same connection."""
    return target.conversation(
        [
            ("keep-alive/refused", payload.refused(target.settings)),
            ("keep-alive/health", payload.HEALTH),
            ("keep-alive/not-found", payload.absent(target.settings)),
            ("keep-alive/last", payload.HEALTH),
        ]
    )


PROBES = (Probe("health", Cost(), _health), Probe("keep-alive", Cost(), _keep_alive))
