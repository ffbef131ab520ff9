"""A suite of one's own, run from this folder: `pytest --target http://127.0.0.1:8081`.

A contract of two requirements, one scenario, one check for each requirement. Everything else (the plan, the budget, the
reports, recordings, waivers) is that of the shipped suite.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_dream_conformance import (
    REGISTRY,
    Context,
    Cost,
    Exchange,
    Request,
    Scenario,
    Suite,
    Target,
    check,
    load_contract,
)

CONTRACT = """
openapi: 3.2.0
info: {title: Manners of our servers, version: "1.0"}
paths:
  /health:
    get:
      x-requirements:
        - {id: OWN-01, level: MUST, profile: core, source: interop, group: health,
           text: GET /health MUST be answered with status 200.}
        - {id: OWN-02, level: SHOULD, profile: core, source: hardening, group: health,
           text: The answer to GET /health SHOULD come within a second.}
"""


def _greeting(target: Target) -> Iterator[Exchange]:
    yield target.send("greeting/first", Request("GET", "/health"))


SCENARIOS = {"greeting": Scenario("greeting", Cost(), _greeting)}


@check("OWN-01", needs=["greeting"])
def greets(context: Context) -> None:
    exchange = context["greeting/first"]
    context.expect(exchange.status == 200, expected="status 200", got=f"status {exchange.status}", exchange=exchange)


@check("OWN-02", needs=["greeting"], requires=["OWN-01"])
def greets_soon(context: Context) -> None:
    exchange = context["greeting/first"]
    took = f"{exchange.ended_at:.1f} s"
    context.expect(exchange.ended_at < 1, expected="an answer within 1 s", got=took, exchange=exchange)


def pytest_local_dream_suite(config: pytest.Config) -> Suite:
    return Suite(load_contract(CONTRACT), REGISTRY, SCENARIOS, folder=Path(__file__).resolve().parent)
