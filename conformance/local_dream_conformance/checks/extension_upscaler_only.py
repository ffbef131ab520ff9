"""Checks of the group extension-upscaler-only: a server that has /upscale and no /generate."""

from __future__ import annotations

from local_dream_conformance.checks.assertions import expect_status, expect_there
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.exchange import ABSENT, GENERATE, UPSCALE, Exchange


def _asked(context: Context) -> tuple[list[Exchange], list[Exchange]]:
    """The answered requests for /generate and for /upscale. Raises MissingEvidence where one has none."""
    answered = [exchange for exchange in context.exchanges.values() if exchange.status is not None]
    generates = [context[exchange.label] for exchange in answered if exchange.operation == GENERATE]
    upscales = [context[exchange.label] for exchange in answered if exchange.operation == UPSCALE]
    if not generates or not upscales:
        raise MissingEvidence("no answer shows whether there is a /generate and an /upscale")
    return generates, upscales


@check("EXT-UPO-01", needs=["keep-alive", "upscale-refuse"], requires=[])
def there(context: Context) -> None:
    generates, upscales = _asked(context)
    lacks = all(exchange.status in ABSENT for exchange in generates)
    has = any(exchange.status not in ABSENT for exchange in upscales)
    evidence = f"POST /generate is answered with status {generates[0].status}"
    if lacks and not has:
        evidence += f", and POST /upscale with {upscales[0].status}"
    expect_there(context, "upscaler-only", lacks and has, evidence, generates[0])


@check("EXT-UPO-02", needs=["keep-alive", "upscale-refuse"], requires=["EXT-UPO-01"])
def has_no_generate(context: Context) -> None:
    for exchange in _asked(context)[0]:
        expect_status(context, exchange, 404, what="POST /generate at a server without it")
