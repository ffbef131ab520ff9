"""What answers without any work: /health, paths and methods that do not exist, a connection that is kept alive."""

from __future__ import annotations

from collections.abc import Iterator

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import Exchange, Request
from local_dream_conformance.http.connection import SendOptions
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.scenario import Scenario


def _health(target: Target) -> Iterator[Exchange]:
    """Costs nothing. health/anonymous leaves out the headers that the settings add: /health needs no credentials."""
    absent = requests.absent(target.settings)
    yield target.send("health/get", requests.HEALTH)
    yield target.send("health/anonymous", requests.HEALTH, SendOptions(anonymous=True))
    yield target.send("health/head", Request("HEAD", "/health"))
    yield target.send("health/unknown-path", absent)
    yield target.send("health/unknown-path-post", Request("POST", absent.target, requests.JSON, b"{}"))
    yield target.send("health/path-below", Request("GET", f"/health{absent.target}"))
    yield target.send("health/path-below-post", Request("POST", f"/generate{absent.target}", requests.JSON, b"{}"))
    yield target.send("health/wrong-method-generate", Request("GET", "/generate"))
    yield target.send("health/wrong-method-upscale", Request("GET", "/upscale"))
    yield target.send("health/wrong-method-health", Request("DELETE", "/health"))


def _keep_alive(target: Target) -> list[Exchange]:
    """Costs nothing: two refusals, each followed by a /health on the same connection."""
    return target.conversation(
        [
            ("keep-alive/refused", requests.refused(target.settings)),
            ("keep-alive/health", requests.HEALTH),
            ("keep-alive/not-found", requests.absent(target.settings)),
            ("keep-alive/last", requests.HEALTH),
        ]
    )


SCENARIOS = (Scenario("health", Cost(), _health), Scenario("keep-alive", Cost(), _keep_alive))
