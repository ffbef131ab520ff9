"""Checks of the groups health and server: GET /health, and paths and methods that the API does not have."""

from __future__ import annotations

from conformance.acceptance import ABSENT, expect_status, is_upscale, present, unless_absent
from conformance.check import Case, MissingEvidence, check
from conformance.escape import escape
from conformance.events import generation
from conformance.evidence import is_generate, outcome
from conformance.transcript import Exchange

METHODS = {"/health": "GET", "/generate": "POST", "/upscale": "POST"}
LONG_WAIT = 0.5
"""Seconds that GET /health may take beside a generation before it looks as if it had waited for its end."""
CREDENTIALS = ("authorization", "cookie", "proxy-authorization", "x-api-key")


@check("HLT-01", needs=["health"])
def answers(case: Case) -> None:
    expect_status(case, case["health/get"], 200, what="GET /health")


@check("HLT-02", needs=["health"], requires=["HLT-01"])
def asks_for_no_credentials(case: Case) -> None:
    exchange = case["health/anonymous" if "health/anonymous" in case else "health/get"]
    secret = {name.lower() for name, _ in case.settings.headers} | set(CREDENTIALS)
    if any(name.lower() in secret for name, _ in exchange.request.headers):
        raise MissingEvidence("GET /health was only asked with credentials")
    expect_status(case, exchange, 200, what="GET /health without credentials")


@check("HLT-03", needs=["hang-up"], requires=["HLT-01"])
def answers_while_streaming(case: Case) -> None:
    unless_absent(case)
    stream, health = case["hang-up/abandoned"], case["hang-up/health-meanwhile"]
    last = generation(stream).terminal
    if last is not None:
        over = stream.started + last.at
        if health.started >= over or health.ended_at < LONG_WAIT:
            case.not_applicable("the generation was over before /health could be asked meanwhile")
        case.expect(
            health.started + health.ended_at < over,
            expected="an answer to GET /health before the generation ends",
            got=f"one after {health.ended_at:.2f} s, when the generation was over",
            exchange=health,
            cause="the server does one thing at a time",
        )
    expect_status(case, health, 200, what="GET /health while a generation streams")


@check("HLT-04", needs=["health"], requires=["HLT-01"])
def answers_head(case: Case) -> None:
    exchange = case["health/head"]
    if expect_status(case, exchange, 200, what="HEAD /health"):
        after = dict(exchange.notes).get("bytes-after-the-answer", "")
        case.expect(
            not exchange.body and not after,
            expected="no body in the answer to HEAD",
            got=f"{after or len(exchange.body)} bytes after the head",
            exchange=exchange,
        )


@check("SRV-01", needs=["health"], requires=["HLT-01"])
def unknown_path(case: Case) -> None:
    for exchange in present(case, "health/unknown-path", "health/unknown-path-post"):
        expect_status(case, exchange, 404, what=_asked(exchange), cause="a route that catches all?")


@check("SRV-02", needs=["health"], requires=["HLT-01"])
def unknown_method(case: Case) -> None:
    for exchange in case.starting("health/wrong-method-"):
        expect_status(case, exchange, 404, 405, what=_asked(exchange))


@check("SRV-03", needs=["health"], over=["refuse/", "upscale-refuse/"], requires=["SRV-02"])
def unknown_method_names_the_known(case: Case) -> None:
    for exchange in case.starting("health/wrong-method-"):
        path = "/" + exchange.request.target.partition("?")[0].rpartition("/")[2]
        if _is_absent(case, path):
            continue
        allow = exchange.header("allow")
        named = {name.strip().upper() for name in (allow or "").split(",")}
        case.expect(
            exchange.status == 405 and METHODS[path] in named,
            expected=f"status 405 and Allow: {METHODS[path]} for {_asked(exchange)}",
            got=f"{outcome(exchange)}; {'no Allow' if allow is None else 'Allow: ' + escape(allow, 80)}",
            exchange=exchange,
        )


def _is_absent(case: Case, path: str) -> bool:
    """Whether the server does not have this operation at all: then 404 is right for every method."""
    asked = is_upscale if path == "/upscale" else is_generate
    statuses = {exchange.status for exchange in case.exchanges.values() if asked(exchange)}
    return path in ("/generate", "/upscale") and bool(statuses) and statuses <= set(ABSENT)


def _asked(exchange: Exchange) -> str:
    return f"{exchange.request.method} {escape(exchange.request.target, 60)}"
