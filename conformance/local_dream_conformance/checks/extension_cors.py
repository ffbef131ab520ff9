"""Checks of the group extension-cors: what browsers need before pages of other origins can use the server."""

from __future__ import annotations

from local_dream_conformance.checks.assertions import expect_there, present, unless_absent
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import ABSENT, UPSCALE, Exchange
from local_dream_conformance.evidence.selectors import outcome

PREFLIGHTS = ("cors/preflight-generate", "cors/preflight-upscale")
ANSWERS = (
    "cors/health",
    "cors/not-found",
    "cors/refused-generate",
    "cors/refused-upscale",
    "formats/png",
    "cors-upscale/page",
)
ORIGIN = "access-control-allow-origin"
EXPOSED = ("x-output-width", "x-output-height", "x-duration-ms")
SENT = ("content-type", "x-image-width", "x-image-height", "x-upscaler-path", "x-use-opencl")


def _lets_in(exchange: Exchange) -> bool:
    """Whether the answer lets the origin of its request in."""
    said = exchange.values(ORIGIN)
    return len(said) == 1 and said[0].strip() in ("*", exchange.request.header("origin"))


def _named(exchange: Exchange, header: str) -> set[str]:
    """The names in a list header, in lower case."""
    return {name.strip().lower() for text in exchange.values(header) for name in text.split(",")}


def _origin(exchange: Exchange) -> str:
    said = exchange.values(ORIGIN)
    return f"Access-Control-Allow-Origin: {escape(', '.join(said), 60)}" if said else "no Access-Control-Allow-Origin"


def _is_let(exchange: Exchange) -> bool:
    return exchange.status in (200, 204) and _lets_in(exchange)


@check("EXT-COR-01", needs=["cors"], over=["formats/png"], requires=[])
def there(context: Context) -> None:
    asked = list(present(context, *PREFLIGHTS))
    let = [exchange for exchange in asked if _is_let(exchange)]
    shown = (let or asked)[0]
    evidence = f"OPTIONS {shown.request.target} is answered with status {shown.status} and {_origin(shown)}"
    if not let and any(exchange.values(ORIGIN) for exchange in context.exchanges.values()):
        evidence += "; other answers have it, so that pages can make those requests that need no preflight"
    expect_there(context, "cors", bool(let), evidence, shown)


def _is_of_nothing(context: Context, preflight: Exchange) -> bool:
    """Whether the server does not have the operation that a preflight is for: pages then have no use for it."""
    posted = preflight.label.replace("preflight", "refused")
    return posted in context and context[posted].status in ABSENT


@check("EXT-COR-02", needs=["cors"], requires=["EXT-COR-01"])
def answers_preflights(context: Context) -> None:
    for exchange in present(context, *PREFLIGHTS):
        if _is_of_nothing(context, exchange):
            continue
        context.expect(
            _is_let(exchange),
            expected="status 204 or 200 and an Access-Control-Allow-Origin for the origin",
            got=f"{outcome(exchange)}, {_origin(exchange)}",
            exchange=exchange,
            cause="browsers send no credentials with it" if exchange.status in (401, 403) else "",
        )
    if not context.assertions:
        context.not_applicable("the server has neither /generate nor /upscale")


def _expect_allowed(context: Context, exchange: Exchange, names: tuple[str, ...]) -> None:
    if exchange.status is None:
        raise MissingEvidence(f"the preflight got no answer (see EXT-COR-02): {outcome(exchange)}")
    # The star does not stand for Authorization, which is not asked for here.
    allowed = _named(exchange, "access-control-allow-headers")
    missing = [name for name in names if name not in allowed and "*" not in allowed]
    context.expect(
        not missing,
        expected=f"Access-Control-Allow-Headers with {', '.join(names)}",
        got=f"without {', '.join(missing)}",
        exchange=exchange,
        cause="browsers refuse to send the request",
    )


@check("EXT-COR-03", needs=["cors"], requires=["EXT-COR-01"])
def allows_json(context: Context) -> None:
    unless_absent(context)
    _expect_allowed(context, context["cors/preflight-generate"], SENT[:1])


@check("EXT-COR-04", needs=["cors"], requires=["EXT-COR-01"])
def allows_the_headers_of_upscale(context: Context) -> None:
    unless_absent(context, "/upscale")
    _expect_allowed(context, context["cors/preflight-upscale"], SENT)


@check("EXT-COR-05", needs=["cors"], over=["formats/png", "cors-upscale/"], requires=["EXT-COR-01"])
def lets_the_origin_read_every_answer(context: Context) -> None:
    for exchange in present(context, *ANSWERS):
        if exchange.status is not None:
            context.expect(
                _lets_in(exchange),
                expected="one Access-Control-Allow-Origin: * or the request's origin",
                got=_origin(exchange),
                exchange=exchange,
                cause="a page learns neither the status nor the text of this answer",
            )
    if not context.assertions:
        raise MissingEvidence("no request with an Origin was answered")


@check("EXT-COR-06", needs=["cors-upscale"], over=["upscale/", "cors/refused-upscale"], requires=["EXT-COR-01"])
def exposes_the_headers_of_upscale(context: Context) -> None:
    unless_absent(context, "/upscale")
    for exchange in context.starting("cors-upscale/", "upscale/"):
        if exchange.operation != UPSCALE or exchange.status != 200 or not _lets_in(exchange):
            continue
        exposed = _named(exchange, "access-control-expose-headers")
        missing = [name for name in EXPOSED if name not in exposed and "*" not in exposed]
        context.expect(
            not missing,
            expected=f"Access-Control-Expose-Headers with {', '.join(EXPOSED)}",
            got=f"without {', '.join(missing)}",
            exchange=exchange,
            cause="a page cannot read them",
        )
    if not context.assertions:
        raise MissingEvidence("no upscale was answered with status 200 and a header that lets pages in")


@check("EXT-COR-07", needs=["cors"], requires=["EXT-COR-01"])
def preflights_last(context: Context) -> None:
    for exchange in filter(_is_let, present(context, *PREFLIGHTS)):
        said = exchange.header("access-control-max-age") or ""
        context.expect(
            said.strip().isascii() and said.strip().isdigit(),
            expected="Access-Control-Max-Age in seconds",
            got=f"Access-Control-Max-Age: {escape(said, 40)}" if said else "no Access-Control-Max-Age",
            exchange=exchange,
        )
