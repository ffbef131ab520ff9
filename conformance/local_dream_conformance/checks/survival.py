"""The check that no request ends the server. Every other check is spared what a target that is gone did not answer."""

from __future__ import annotations

from local_dream_conformance.checks.check import SURVIVAL, check
from local_dream_conformance.core.context import Context
from local_dream_conformance.evidence.deaths import deaths

ASKED = ("refuse/health", "hang-up/health")
"""Without these nobody knows whether a refusal or a client that hangs up ends the server."""


@check(
    SURVIVAL,
    needs=["health", "keep-alive", "base", "refuse", "range", "hang-up", "overlap", "upscale-refuse"],
    over=[""],
    requires=[],
    also=["refuse-image", "upscale", "destructive"],
    deaths=True,
)
def lives_on(context: Context) -> None:
    found = deaths(context.exchanges.values())
    for death in found:
        shown = context[death.killer.label]
        context.expect(
            False, expected="a server that outlives every request", got=death.text, exchange=shown, cause=death.cause
        )
    if not found:
        for label in ASKED:
            shown = context[label]
        context.expect(True, expected="a server that outlives every request", got="", exchange=shown)
