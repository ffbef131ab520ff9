"""Checks of the group generate-request: what is taken and what is refused, wrong types and ranges apart."""

from __future__ import annotations

import io
from collections.abc import Callable

from PIL import Image

from local_dream_conformance.checks.assertions import (
    NEEDED,
    accepted,
    expect_status,
    expect_taken,
    generations,
    present,
    unless_absent,
)
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.fields import documented, max_seed
from local_dream_conformance.core.strict_json import integer
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.images import file_sent
from local_dream_conformance.evidence.pixels import psnr
from local_dream_conformance.evidence.selectors import GENERATIONS, fields, listed, outcome, picture

ALIKE = 35.0
"""PSNR in dB from which two pictures are the same one (GEN-PIC-07)."""
DEFAULT_EDGE = 512
WITHOUT_IMAGES = "a server without image-to-image is judged with --no-img2img"


def _refused(context: Context, *labels: str, cause: str = "") -> None:
    unless_absent(context)
    for exchange in present(context, *labels):
        what = exchange.label.rpartition("/")[2].replace("-", " ")
        expect_status(context, exchange, 400, what=what, cause=cause if exchange.status == 200 else "")


@check("GEN-REQ-01", needs=["refuse"])
def prompt_missing(context: Context) -> None:
    _refused(context, "refuse/prompt-missing", cause="prompt has a default?")


@check("GEN-REQ-02", needs=["refuse"])
def malformed(context: Context) -> None:
    _refused(
        context, "refuse/json-malformed", "refuse/json-trailing", "refuse/json-nan", cause="a lenient JSON reader?"
    )


@check("GEN-REQ-03", needs=["refuse"])
def body_empty(context: Context) -> None:
    _refused(context, "refuse/body-empty")


@check("GEN-REQ-04", needs=["refuse"])
def not_an_object(context: Context) -> None:
    kinds = ("array", "array-of-one", "string", "number", "null")
    _refused(context, *(f"refuse/json-{kind}" for kind in kinds))


@check("GEN-REQ-05", needs=["defaults"], over=NEEDED, requires=["GEN-SSE-01"])
def everything_else_is_optional(context: Context) -> None:
    unless_absent(context)
    bare = context["defaults/absent"]
    if not any(accepted(exchange) for exchange in (bare, *generations(context))):
        raise MissingEvidence("the server took no generation on, whatever was in the request")
    brought = [field for field in fields(bare.request) if field in documented() and field != "prompt"]
    of_its_own = [f"{name} (--field)" for name, _ in context.settings.fields]
    context.expect(
        accepted(bare),
        expected=f"a generation begins for a request with {listed(['prompt', *brought, *of_its_own])} alone",
        got=outcome(bare),
        exchange=bare,
        cause=_of_images(context) if "image" in brought else "",
    )
    for field in brought:
        lacking = [exchange for exchange in generations(context) if field not in fields(exchange.request)]
        if lacking and any(accepted(exchange) for exchange in generations(context)):
            shown = context[next((exchange for exchange in lacking if accepted(exchange)), lacking[-1]).label]
            context.expect(
                accepted(shown),
                expected=f"a generation begins for a request without {field}",
                got=outcome(shown),
                exchange=shown,
            )


@check("GEN-REQ-06", needs=["refuse"])
def prompt_empty(context: Context) -> None:
    unless_absent(context)
    for exchange in present(context, "refuse/prompt-empty"):
        stream = generation(exchange)
        is_error = stream.end is not None and stream.end.meaning == "error"
        context.expect(
            exchange.status == 400 or (exchange.status == 200 and is_error),
            expected="status 400, or a stream with an error event, for an empty prompt",
            got=outcome(exchange),
            exchange=exchange,
        )


@check("GEN-REQ-07", needs=["refuse"], requires=["GEN-REQ-06"])
def prompt_empty_before_the_stream(context: Context) -> None:
    _refused(context, "refuse/prompt-empty", cause="the prompt is looked at only after the stream has begun?")


@check("GEN-REQ-08", needs=["overlap"], over=NEEDED, requires=["GEN-SSE-01"])
def unknown_fields(context: Context) -> None:
    unless_absent(context)
    known = {*documented(), *dict(context.settings.fields)}
    expect_taken(context, lambda exchange: not fields(exchange.request).keys() <= known, "fields that nobody knows")


def _null(field: str) -> Callable[[Exchange], bool]:
    return lambda exchange: field in fields(exchange.request) and fields(exchange.request)[field] is None


@check("GEN-REQ-09", needs=["hang-up"], over=NEEDED, requires=["GEN-SSE-01"])
def image_null(context: Context) -> None:
    unless_absent(context)
    expect_taken(context, _null("image"), "image: null", "null is read as a string of the wrong type?")


@check("GEN-REQ-10", needs=["hang-up"], over=NEEDED, requires=["GEN-SSE-01"])
def mask_null(context: Context) -> None:
    unless_absent(context)
    expect_taken(context, _null("mask"), "mask: null", "null is read as a string of the wrong type?")


@check("GEN-REQ-11", needs=["base", "nulls"], requires=["GEN-PIC-07"])
def every_null(context: Context) -> None:
    exchange = context["nulls"]
    base = context["nulls/left-out" if "nulls/left-out" in context else "base"]
    nulls = [field for field, value in fields(exchange.request).items() if value is None]
    if not context.expect(
        accepted(exchange),
        expected=f"a generation begins with null for {listed(nulls)}",
        got=outcome(exchange),
        exchange=exchange,
    ):
        return
    with_nulls, without = picture(generation(exchange)), picture(generation(base))
    if with_nulls is None or without is None:
        raise MissingEvidence(f"{exchange.label} or {base.label} has no picture to compare")
    same = with_nulls.size == without.size and psnr(with_nulls.pixels, without.pixels) >= ALIKE
    context.expect(
        same,
        expected=f"the picture of `{base.label}`, whose request leaves these fields out",
        got="another picture",
        exchange=exchange,
        cause="a null is not treated as the default",
    )


@check("GEN-REQ-12", needs=["refuse-image"])
def image_not_base64(context: Context) -> None:
    labels = ("refuse-image/image-not-base64", "refuse-image/image-junk-in-base64")
    _refused(context, *labels, cause="a base64 reader that skips what it does not know?")


@check("GEN-REQ-13", needs=["refuse-image"])
def image_not_an_image(context: Context) -> None:
    _refused(context, "refuse-image/image-not-an-image", cause="an image that cannot be decoded is ignored?")


@check("GEN-REQ-14", needs=["refuse-image"])
def mask_not_base64(context: Context) -> None:
    _refused(context, "refuse-image/mask-not-base64", cause="a base64 reader that skips what it does not know?")


@check("GEN-REQ-15", needs=["refuse-image"])
def mask_not_an_image(context: Context) -> None:
    _refused(context, "refuse-image/mask-not-an-image", cause="a mask that cannot be decoded is ignored?")


@check("GEN-REQ-16", needs=["range"])
def mask_without_image(context: Context) -> None:
    _needs_img2img(context)
    _refused(context, "range/mask-without-image", cause="the mask is ignored?")


@check("GEN-REQ-17", needs=["defaults", "strength"], over=NEEDED, requires=["GEN-SSE-01"])
def image_as_png_and_jpeg(context: Context) -> None:
    _needs_img2img(context)
    unless_absent(context)
    for name, magic in (("PNG", b"\x89PNG"), ("JPEG", b"\xff\xd8\xff")):
        expect_taken(context, _begins(magic), f"an image as {name}", _of_images(context))


def _of_images(context: Context) -> str:
    """What is to be said where a request with an image is not taken on."""
    if any(accepted(exchange) for exchange in generations(context) if _image(exchange)):
        return "other images are taken on"
    return WITHOUT_IMAGES


def _begins(magic: bytes) -> Callable[[Exchange], bool]:
    return lambda exchange: _image(exchange).startswith(magic)


@check("GEN-REQ-18", needs=["strength"], over=NEEDED, requires=["GEN-SSE-01"])
def image_of_another_size(context: Context) -> None:
    _needs_img2img(context)
    unless_absent(context)
    expect_taken(context, _of_another_size, "an image of another size than the picture", "the server does not fit it?")


def _image(exchange: Exchange) -> bytes:
    """The picture in a request; b"" where there is none."""
    image = fields(exchange.request).get("image")
    return file_sent(image) if isinstance(image, str) else b""


def _of_another_size(exchange: Exchange) -> bool:
    data = _image(exchange)
    if not data:
        return False
    with Image.open(io.BytesIO(data)) as image:  # only the suite's own pictures, or a recording's
        size = image.size
    edges = (integer(fields(exchange.request).get(name, DEFAULT_EDGE)) for name in ("width", "height"))
    return size != tuple(edges)


def _needs_img2img(context: Context) -> None:
    if not context.settings.img2img:
        context.not_applicable("--no-img2img: the target takes no images")


@check("GEN-REQ-20", needs=["defaults", "hang-up"], over=NEEDED, requires=["GEN-SSE-01"])
def schedulers(context: Context) -> None:
    unless_absent(context)
    for name in ("dpm", "euler_a"):
        expect_taken(context, _has("scheduler", name), f"scheduler: {name}")


def _has(field: str, value: object) -> Callable[[Exchange], bool]:
    return lambda exchange: fields(exchange.request).get(field) == value


@check("GEN-REQ-21", needs=["overlap"], over=NEEDED, requires=["GEN-SSE-01"])
def stride_zero_without_previews(context: Context) -> None:
    unless_absent(context)
    expect_taken(
        context,
        lambda exchange: (
            fields(exchange.request).get("show_diffusion_stride") == 0
            and not fields(exchange.request).get("show_diffusion_process")
        ),
        "show_diffusion_stride: 0 and no previews",
        "the stride is looked at also where it has no meaning?",
    )


@check("GEN-REQ-22", needs=["edges"], over=GENERATIONS, requires=["GEN-EVT-12"])
def seeds_at_the_edges(context: Context) -> None:
    unless_absent(context)
    sent = [(exchange, fields(exchange.request).get("seed")) for exchange in context.starting(*GENERATIONS)]
    if not any(seed in (0, max_seed()) for _, seed in sent):
        raise MissingEvidence("no generation had the smallest or the largest seed")
    for edge in (0, max_seed()):
        runs = [exchange for exchange, seed in sent if seed == edge]
        done = [exchange for exchange in runs if generation(exchange).complete]
        for exchange in done or runs[-1:]:
            complete = generation(exchange).complete
            echoed = integer(complete.payload.get("seed")) if complete else None
            context.expect(
                echoed == edge,
                expected=f"a generation whose complete says seed: {edge}",
                got=f"seed: {echoed}" if complete else outcome(exchange),
                exchange=exchange,
                at=complete.where if complete else "",
                cause="a seed of 32 bits is read into a signed number?" if complete or exchange.status == 400 else "",
            )
