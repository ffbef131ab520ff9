"""Checks of the groups health and server: GET /health, and paths and methods that the API does not have."""

from __future__ import annotations

from local_dream_conformance.checks.assertions import expect_status, present, unless_absent
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import ABSENT, Exchange
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.selectors import outcome

METHODS = {"/health": "GET", "/generate": "POST", "/upscale": "POST"}
LONG_WAIT = 0.5
"""Seconds that GET /health may take beside a generation before it looks as if it had waited for its end."""
CREDENTIALS = ("authorization", "cookie", "proxy-authorization", "x-api-key")


@check("HLT-01", needs=["health"], requires=[])
def answers(context: Context) -> None:
    expect_status(context, context["health/get"], 200, what="GET /health")


@check("HLT-02", needs=["health"])
def asks_for_no_credentials(context: Context) -> None:
    exchange = context["health/anonymous" if "health/anonymous" in context else "health/get"]
    secret = {name.lower() for name, _ in context.settings.headers} | set(CREDENTIALS)
    if any(name.lower() in secret for name, _ in exchange.request.headers):
        raise MissingEvidence("GET /health was only asked with credentials", ours=True)
    expect_status(context, exchange, 200, what="GET /health without credentials")


@check("HLT-03", needs=["hang-up"])
def answers_while_streaming(context: Context) -> None:
    unless_absent(context)
    stream = context["hang-up/abandoned"]
    last = generation(stream).end
    if last is not None and "hang-up/health-meanwhile" not in context:
        context.not_applicable("the generation was over before /health could be asked meanwhile")
    health = context["hang-up/health-meanwhile"]
    answered = health.ended_at if health.head_at is None else health.head_at
    if last is not None:
        over = stream.started + last.at
        if health.started >= over or answered < LONG_WAIT:
            context.not_applicable("the generation was over before /health could be asked meanwhile")
        context.expect(
            health.started + answered < over,
            expected="an answer to GET /health before the generation ends",
            got=f"one after {answered:.2f} s, when the generation was over",
            exchange=health,
            cause="the server does one thing at a time?",
        )
    expect_status(context, health, 200, what="GET /health while a generation streams")


@check("HLT-04", needs=["health"])
def answers_head(context: Context) -> None:
    exchange = context["health/head"]
    if expect_status(context, exchange, 200, what="HEAD /health"):
        after = dict(exchange.notes).get("bytes-after-the-answer", "")
        context.expect(
            not exchange.size and not after,
            expected="no body in the answer to HEAD",
            got=f"{after or exchange.size} bytes after the head",
            exchange=exchange,
        )


@check("SRV-01", needs=["health"])
def unknown_path(context: Context) -> None:
    nowhere = [f"health/{name}{method}" for name in ("unknown-path", "path-below") for method in ("", "-post")]
    for exchange in present(context, *nowhere):
        below = exchange.label.startswith("health/path-below")
        route = "a route that looks at the beginning of a path?" if below else "a route that catches all?"
        cause = route if exchange.status is not None else ""
        expect_status(context, exchange, 404, what=_asked(exchange), cause=cause)


@check("SRV-02", needs=["health"])
def unknown_method(context: Context) -> None:
    for exchange in context.starting("health/wrong-method-"):
        expect_status(context, exchange, 404, 405, what=_asked(exchange))


@check("SRV-03", needs=["health"], over=["refuse/", "upscale-refuse/"], requires=["SRV-02"])
def unknown_method_names_the_known(context: Context) -> None:
    for exchange in context.starting("health/wrong-method-"):
        path = "/" + exchange.request.target.partition("?")[0].rpartition("/")[2]
        if _is_absent(context, path):
            continue
        allow = exchange.header("allow")
        named = {name.strip().upper() for name in (allow or "").split(",")}
        context.expect(
            exchange.status == 405 and METHODS[path] in named,
            expected=f"status 405 and Allow: {METHODS[path]} for {_asked(exchange)}",
            got=f"{outcome(exchange)}; {'no Allow' if allow is None else 'Allow: ' + escape(allow, 80)}",
            exchange=exchange,
        )


def _is_absent(context: Context, path: str) -> bool:
    """Whether the server does not have this operation at all: then 404 is right for every method."""
    statuses = {e.status for e in context.exchanges.values() if e.operation == f"POST {path}"}
    return path in ("/generate", "/upscale") and bool(statuses) and statuses <= set(ABSENT)


def _asked(exchange: Exchange) -> str:
    return f"{exchange.request.method} {escape(exchange.request.target, 60)}"
