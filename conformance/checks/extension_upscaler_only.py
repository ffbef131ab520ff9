"""Checks of the group extension-upscaler-only: a server that has /upscale and no /generate."""

from __future__ import annotations

from conformance.acceptance import ABSENT, expect_status, is_upscale
from conformance.check import Case, MissingEvidence, check
from conformance.evidence import is_generate
from conformance.presence import expect_there
from conformance.transcript import Exchange


def _asked(case: Case) -> tuple[list[Exchange], list[Exchange]]:
    """The answered requests for /generate and for /upscale. Raises MissingEvidence where one has none."""
    answered = [exchange for exchange in case.exchanges.values() if exchange.status is not None]
    generates = [case[exchange.label] for exchange in answered if is_generate(exchange)]
    upscales = [case[exchange.label] for exchange in answered if is_upscale(exchange)]
    if not generates or not upscales:
        raise MissingEvidence("no answer shows whether there is a /generate and an /upscale")
    return generates, upscales


@check("EXT-UPO-01", needs=["keep-alive", "upscale-refuse"])
def there(case: Case) -> None:
    generates, upscales = _asked(case)
    lacks = all(exchange.status in ABSENT for exchange in generates)
    has = any(exchange.status not in ABSENT for exchange in upscales)
    evidence = f"POST /generate is answered with status {generates[0].status}"
    if lacks and not has:
        evidence += f", and POST /upscale with {upscales[0].status}"
    expect_there(case, "upscaler-only", lacks and has, evidence, generates[0])


@check("EXT-UPO-02", needs=["keep-alive", "upscale-refuse"], requires=["EXT-UPO-01"])
def has_no_generate(case: Case) -> None:
    for exchange in _asked(case)[0]:
        expect_status(case, exchange, 404, what="POST /generate at a server without it")
