"""A suite of a handful of requirements, to test the plugin with: `pytest -p tests.conformance.tiny_suite`.

Its scenarios ask a server for /generate?NAME and /upscale; the requirement TINY-GEN-NN holds where the answer says so.
"""

from __future__ import annotations

import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from local_dream_conformance.checks.check import Check
from local_dream_conformance.core import contract
from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.exchange import End, Exchange, Read, Request
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.http.target import Target
from local_dream_conformance.run.suite import Suite
from local_dream_conformance.scenarios.scenario import Scenario

SPEC = """
openapi: 3.2.0
info: {title: Tiny, version: "0.1"}
x-requirements:
  - {id: TINY-HLT-01, level: MUST, profile: core, source: seed, group: health,
     text: The server MUST say yes., clause: "200 OK"}
paths:
  /generate:
    post:
      x-requirements:
        - {id: TINY-GEN-01, level: MUST, profile: core, source: seed, group: generate, text: Base MUST be good.}
        - {id: TINY-GEN-02, level: MUST, profile: core, source: seed, group: generate, text: Base MUST be blue.}
        - {id: TINY-GEN-03, level: SHOULD, profile: core, source: interop, group: generate, text: Base SHOULD be neat.}
        - {id: TINY-GEN-04, level: MUST, profile: core, source: interop, group: generate, text: All MUST be words.}
        - {id: TINY-GEN-05, level: MAY, profile: core, source: interop, group: generate, text: Base MAY sing.}
        - {id: TINY-GEN-06, level: MUST, profile: core, source: seed, group: generate, text: Nobody sees this.,
           unjudged: it cannot be seen}
        - {id: TINY-GEN-07, level: SHOULD, profile: hardened, source: hardening, group: generate,
           text: More SHOULD be good.}
  /upscale:
    post:
      x-requirements:
        - {id: TINY-UPS-01, level: MUST, profile: core, source: seed, group: upscale, text: Upscale MUST be good.}
        - {id: TINY-UPS-02, level: MUST, profile: extension:fast, source: extension, group: upscale,
           text: Fast MUST be good.}
"""


def ask(target: Target, label: str, method: str, path: str, body: bytes = b"") -> Exchange:
    settings = target.settings
    headers = {**dict(settings.headers), "X-Label": label}
    request = urllib.request.Request(settings.url + path, body or None, headers, method=method)
    begun = time.monotonic()
    try:
        with urllib.request.urlopen(request) as answer:
            status, data = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, data = error.code, error.read()
    return Exchange(
        label,
        Request(method, urlsplit(path).path, tuple(headers.items()), body),
        started=begun,
        end=End.COMPLETE,
        ended_at=0.01,
        status=status,
        reads=(Read(0.01, data),),
    )


def health(target: Target) -> Iterable[Exchange]:
    yield ask(target, "health", "GET", "/health")


def base(target: Target) -> Iterable[Exchange]:
    if os.environ.get("TINY_BASE_RAISES"):
        raise RuntimeError("the base scenario is broken")
    yield ask(target, "base", "POST", "/generate", b'{"prompt": "a cat", "pad": "' + b"x" * 400 + b'"}')


def more(target: Target) -> Iterable[Exchange]:
    assert target.transcript("base")
    yield ask(target, "more/one", "POST", "/generate", b"{}")
    yield ask(target, "more/two", "POST", "/generate", b"{}")


def upscale(target: Target) -> Iterable[Exchange]:
    yield ask(target, "upscale", "POST", "/upscale", b"rgb")


def without_upscaler(settings: Settings) -> str | None:
    return None if settings.upscaler_path else "no --upscaler-path"


SCENARIOS = {
    "health": Scenario("health", Cost(), health),
    "upscale": Scenario("upscale", Cost(upscales=1), upscale, available=without_upscaler),
    "more": Scenario("more", Cost(generations=2), more, after=("base",)),
    "base": Scenario("base", Cost(generations=1), base),
}


def says_yes(context: Context) -> None:
    context.expect(
        context["health"].body == b"yes", expected="yes", got=repr(context["health"].body), exchange=context["health"]
    )


def says(word: bytes, label: str = "base") -> Check:
    def check(context: Context) -> None:
        exchange = context[label]
        context.expect(
            word in exchange.body,
            expected=f"the word {word.decode()}",
            got=exchange.body.decode("utf-8", "replace"),
            exchange=exchange,
            at="byte 0",
            cause="the word was forgotten",
        )

    scenario = label.partition("/")[0]
    return Check("", check, (scenario,), (), ())


def words_everywhere(context: Context) -> None:
    for exchange in context.starting("base", "more"):
        context.expect(exchange.body != b"", expected="words", got="nothing", exchange=exchange)


def vacuous(context: Context) -> None:
    assert context["base"]


def registry() -> dict[str, list[Check]]:
    requires = ("TINY-GEN-01",)

    def entry(id: str, source: Check, requires: tuple[str, ...] = (), over: tuple[str, ...] = ()) -> list[Check]:
        return [Check(id, source.function, source.needs, over, requires)]

    checks = {
        "TINY-HLT-01": [Check("TINY-HLT-01", says_yes, ("health",), (), ())],
        "TINY-GEN-01": entry("TINY-GEN-01", says(b"good")),
        "TINY-GEN-02": entry("TINY-GEN-02", says(b"blue"), requires),
        "TINY-GEN-03": entry("TINY-GEN-03", says(b"neat")),
        "TINY-GEN-04": [Check("TINY-GEN-04", words_everywhere, ("base",), ("base", "more"), ())],
        "TINY-GEN-05": entry("TINY-GEN-05", says(b"song")),
        "TINY-GEN-07": entry("TINY-GEN-07", says(b"good", "more/one")),
        "TINY-UPS-01": entry("TINY-UPS-01", says(b"good", "upscale")),
        "TINY-UPS-02": entry("TINY-UPS-02", says(b"good", "upscale")),
    }
    if os.environ.get("TINY_VACUOUS"):
        checks["TINY-GEN-02"] = [Check("TINY-GEN-02", vacuous, ("base",), (), ())]
    return checks


FOLDER = Path(__file__).resolve().parent


def suite() -> Suite:
    return Suite(contract.load(SPEC), registry(), SCENARIOS)


def pytest_local_dream_suite(config: pytest.Config) -> Suite:
    return suite()
