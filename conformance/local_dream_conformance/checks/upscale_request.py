"""Checks of the group upscale-request: which requests /upscale takes, and which it refuses."""

from __future__ import annotations

from local_dream_conformance.checks import generated_requests
from local_dream_conformance.checks.assertions import expect_status, present, unless_absent
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import UPSCALE, Exchange
from local_dream_conformance.evidence import envelope
from local_dream_conformance.evidence.selectors import outcome
from local_dream_conformance.scenarios.generated_requests import size_problem

FLAG = "X-Use-OpenCL"
LEAKS = (b"root:", b"localhost", b"/bin/sh", b"127.0.0.1\t", b"127.0.0.1 ")
"""What stands in /etc/passwd and /etc/hosts, the files that the suite asks for."""


def _refused(context: Context, *labels: str, cause: str = "") -> None:
    unless_absent(context, "/upscale")
    for exchange in present(context, *labels):
        _unless_path_first(context, exchange)
        what = exchange.label.rpartition("/")[2].replace("-", " ")
        expect_status(context, exchange, 400, what=what, cause=cause if exchange.status == 200 else "")


def _unless_path_first(context: Context, exchange: Exchange) -> None:
    """Without --upscaler-path the suite has only a made-up one; a server may look at that before anything else."""
    if context.settings.upscaler_path is not None or exchange.status in (None, 200, 400):
        return
    unknown = context.exchanges.get("upscale-refuse/path-unknown")
    if unknown and unknown.status == exchange.status and unknown.body == exchange.body:
        context.not_applicable(
            f"the server looks at X-Upscaler-Path first (status {exchange.status} for an unknown one): "
            "give one that it has with --upscaler-path"
        )


@check("UPS-REQ-01", needs=["upscale-refuse"])
def width_missing(context: Context) -> None:
    _refused(context, "upscale-refuse/width-missing")


@check("UPS-REQ-02", needs=["upscale-refuse"])
def height_missing(context: Context) -> None:
    _refused(context, "upscale-refuse/height-missing")


@check("UPS-REQ-03", needs=["upscale-refuse"])
def path_missing(context: Context) -> None:
    _refused(context, "upscale-refuse/path-missing", cause="the server has a default upscaler?")


@check("UPS-REQ-04", needs=["upscale-refuse"])
def not_a_number(context: Context) -> None:
    _refused(context, "upscale-refuse/width-not-a-number", "upscale-refuse/height-not-a-number")


@check("UPS-REQ-05", needs=["upscale-refuse"])
def body_short(context: Context) -> None:
    _refused(context, "upscale-refuse/body-short", cause="the server reads past the end of the body, or pads it?")


@check("UPS-REQ-06", needs=["upscale-refuse"])
def body_long(context: Context) -> None:
    _refused(context, "upscale-refuse/body-long", cause="what is too much is cut off?")


@check("UPS-REQ-07", needs=["upscale-refuse"])
def body_empty(context: Context) -> None:
    _refused(context, "upscale-refuse/body-empty")


@check("UPS-REQ-08", needs=["upscale"], requires=["UPS-ANS-01"])
def opencl_flag(context: Context) -> None:
    asked = [exchange for exchange in context.starting("upscale/") if exchange.operation == UPSCALE]
    for flag in sorted({exchange.request.header(FLAG) or "" for exchange in asked}):
        having = [exchange for exchange in asked if (exchange.request.header(FLAG) or "") == flag]
        shown = next((exchange for exchange in having if exchange.status == 200), having[-1])
        expect_status(context, context[shown.label], 200, what=f"{FLAG}: {escape(flag, 20)}" if flag else f"no {FLAG}")


@check("UPS-REQ-09", needs=["upscale-refuse"], requires=["ERR-01", "ERR-02"])
def path_unknown(context: Context) -> None:
    unless_absent(context, "/upscale")
    for exchange in present(context, "upscale-refuse/path-unknown"):
        context.expect(
            exchange.status is not None and exchange.status >= 400,
            expected="an error status for an unknown X-Upscaler-Path",
            got=outcome(exchange),
            exchange=exchange,
            cause="the server takes another upscaler?" if exchange.status == 200 else "",
        )
        if not envelope.unknown(exchange):
            problem = envelope.problem(exchange)
            context.expect(not problem, expected="the error envelope", got=problem, exchange=exchange)


@check("UPS-REQ-10", needs=["upscale-refuse"], over=["upscale-range/path-empty"], requires=["UPS-REQ-09"])
def path_unknown_is_the_clients_mistake(context: Context) -> None:
    for exchange in present(context, "upscale-refuse/path-unknown", "upscale-range/path-empty"):
        what = "an empty X-Upscaler-Path" if exchange.request.header("x-upscaler-path") == "" else "an unknown one"
        expect_status(context, exchange, 400, 404, what=what)


@check("UPS-REQ-11", needs=["upscale-refuse", "upscale-range"])
def reads_no_other_file(context: Context) -> None:
    unless_absent(context, "/upscale")
    # Where a made-up path gives a picture (UPS-REQ-09), no path is looked at, and no file of that name read.
    ignores = any(e.status == 200 for e in present(context, "upscale-refuse/path-unknown"))
    for exchange in present(context, "upscale-range/path-traversal", "upscale-range/path-absolute"):
        path = escape(exchange.request.header("x-upscaler-path") or "", 60)
        leak = next((leak for leak in LEAKS if leak in exchange.body), None)
        refused = exchange.status is not None and exchange.status >= 400
        context.expect(
            leak is None and (refused or (ignores and exchange.status == 200)),
            expected=f"an error that shows nothing of the file, for X-Upscaler-Path: {path}",
            got=outcome(exchange),
            exchange=exchange,
            cause="the answer quotes the file" if leak else "the file was read as a model?",
        )


@check("UPS-REQ-12", needs=["upscale-refuse", "upscale-range"])
def zero(context: Context) -> None:
    _refused(context, "upscale-range/width-zero", "upscale-range/height-zero")


@check("UPS-REQ-13", needs=["upscale-refuse", "upscale-range"], also=["destructive"])
def negative(context: Context) -> None:
    _refused(context, *_either("both-negative", "width-negative"), cause="-4 x -4 is 16 pixels too")


@check("UPS-REQ-14", needs=["upscale-refuse", "upscale-range"])
def not_quite_an_integer(context: Context) -> None:
    _refused(
        context,
        *(
            f"upscale-range/{edge}-{kind}"
            for edge in ("width", "height")
            for kind in ("suffix", "fraction", "exponent")
        ),
        cause="a number reader that stops at what it does not know, as std::stoi does?",
    )


@check("UPS-REQ-15", needs=["upscale-refuse", "upscale-range"])
def beyond_32_bits(context: Context) -> None:
    _refused(
        context, "upscale-range/width-overflow", "upscale-range/height-overflow", cause="the size is cut to 32 bits?"
    )


def _either(*names: str) -> tuple[str, ...]:
    """The labels of what has killed servers, and those that it had when everybody was asked for it."""
    return tuple(f"{series}/{name}" for name in names for series in ("destructive/upscale-range", "upscale-range"))


@check("UPS-REQ-16", needs=["upscale-refuse", "upscale-range", "generated"], also=["destructive"])
def generated_sizes(context: Context) -> None:
    overflowing = [label for label in _either("size-overflow") if label in context]
    if overflowing:
        _refused(context, *overflowing, cause="width * height * 3 is reckoned in 32 bits?")
    if "upscale-range/width-underscore" in context:
        cause = "a number reader that passes over underscores, as Python's int() does?"
        _refused(context, "upscale-range/width-underscore", cause=cause)
    if "upscale-range/opencl-other-body-short" in context:
        _refused(context, "upscale-range/opencl-other-body-short")
    for exchange in context.starting("generated/upscale/"):
        _unless_path_first(context, exchange)
    generated_requests.judge(context, "generated/upscale/", lambda exchange: size_problem(exchange.request))
