"""Checks of the group generate-pictures: how pictures are coded, and what size they have."""

from __future__ import annotations

from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.strict_json import integer
from local_dream_conformance.evidence.image_compare import by
from local_dream_conformance.evidence.images import BadPicture, decode_base64, of_payload, raw_rgb
from local_dream_conformance.evidence.pixels import contrast, other_order
from local_dream_conformance.evidence.selectors import GENERATIONS, completed, fields, picture, pictured, size, value

FLAT = 8
"""Contrast, of 255, up to which a picture is one flat colour: a JPEG of one is not quite flat."""


@check("GEN-PIC-01", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-15"])
def images_are_base64(context: Context) -> None:
    for stream, complete in completed(context):
        for event in (*stream.previews, complete):
            problem = "" if event.image is not None else f"image is {value(event.payload.get('image'))}, not a string"
            try:
                decode_base64(event.image if event.image is not None else "")
            except BadPicture as bad:
                problem = problem or str(bad)
            context.expect(
                not problem,
                expected="image as base64: standard alphabet, padded, on one line",
                got=problem,
                exchange=stream.exchange,
                at=event.where,
            )


@check("GEN-PIC-02", needs=["base"], over=GENERATIONS, requires=["GEN-PIC-01"])
def raw_without_format(context: Context) -> None:
    plain = [(stream, complete) for stream, complete in completed(context) if "format" not in complete.payload]
    if not plain:
        context.not_applicable("every complete event has a format key")
    for stream, complete in plain:
        width, height = size(stream) or (0, 0)
        problem = ""
        try:
            raw_rgb(decode_base64(complete.image or ""), width, height)
        except BadPicture as bad:
            problem = str(bad)
        held = context.expect(
            not problem,
            expected="raw RGB of width * height * 3 bytes, since there is no format key",
            got=problem,
            exchange=stream.exchange,
            at=complete.where,
        )
        asked = _asked_size(fields(stream.exchange.request))
        as_asked = None in asked or asked == (width, height)  # where sizes are swapped, that is said elsewhere
        shown = picture(stream) if held and as_asked else None
        if shown is not None:
            order = other_order(shown.pixels)
            context.expect(
                not order,
                expected="raw RGB row by row, three values a pixel",
                got="rows and pixels that do not fit one another, and do when they are read in another order",
                exchange=stream.exchange,
                at=complete.where,
                cause=order,
            )


@check("GEN-PIC-03", needs=["base"], over=GENERATIONS, requires=["GEN-PIC-01"])
def format_is_true(context: Context) -> None:
    named = [(stream, complete) for stream, complete in completed(context) if "format" in complete.payload]
    if not named:
        context.not_applicable("no complete event has a format key")
    for stream, complete in named:
        context.expect(
            not (problem := _problem(complete.payload)),
            expected=f"a picture of the format {value(complete.payload['format'])}",
            got=problem,
            exchange=stream.exchange,
            at=complete.where,
        )


@check("GEN-PIC-04", needs=["base"], over=GENERATIONS, requires=["GEN-PIC-01"])
def picture_has_reported_size(context: Context) -> None:
    for stream, shown in pictured(context):
        context.expect(
            shown.size == size(stream),
            expected=f"a picture of {by(size(stream))} pixels, as complete says",
            got=by(shown.size),
            exchange=stream.exchange,
            at=stream.complete.where if stream.complete else "",
        )


@check("GEN-PIC-05", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-15"])
def size_as_requested(context: Context) -> None:
    sized = [
        (stream, complete, asked)
        for stream, complete in completed(context)
        if (asked := _asked_size(fields(stream.exchange.request))) != (None, None)
    ]
    if not sized:
        raise MissingEvidence("no generation with width or height in its request came to complete")
    for stream, complete, asked in sized:
        got = size(stream)
        swapped = got == asked[::-1] and asked[0] != asked[1]
        edges = [name for name, edge in zip(("width", "height"), asked, strict=True) if edge is not None]
        context.expect(
            got is not None and all(edge in (None, other) for edge, other in zip(asked, got, strict=True)),
            expected=f"{' and '.join(edges)} {'x'.join(str(edge) for edge in asked if edge is not None)}, as asked for",
            got=by(got),
            exchange=stream.exchange,
            at=complete.where,
            cause="width and height are swapped" if swapped else _fixed(context),
        )


@check("GEN-PIC-06", needs=["base"], over=GENERATIONS, requires=["GEN-PIC-01"])
def previews_are_pictures(context: Context) -> None:
    found = [(stream, event) for stream, _ in completed(context) for event in stream.previews]
    if not found:
        context.not_applicable("the server sends no previews")
    for stream, event in found:
        named = "format" in event.payload
        problem = _problem(event.payload, size(stream), given=not named)
        context.expect(
            not problem,
            expected=f"a preview of the format {value(event.payload['format'])}"
            if named
            else f"a preview as raw RGB of {by(size(stream))} pixels, since it has no format key",
            got=problem,
            exchange=stream.exchange,
            at=event.where,
        )


@check("GEN-PIC-14", needs=["base"], over=GENERATIONS, requires=["GEN-PIC-01"])
def not_flat(context: Context) -> None:
    for stream, shown in pictured(context):
        colour = shown.pixels.reshape(-1, 3).mean(axis=0)
        cause = ""
        if colour.min() > 250:
            cause = "all white: a safety filter that blanks pictures?"
        elif colour.max() < 5:
            cause = "all black: a safety filter, or numbers that overflowed in the decoder?"
        context.expect(
            contrast(shown.pixels) > FLAT,
            expected="a picture",
            got="one flat colour, about RGB " + " ".join(f"{channel:.0f}" for channel in colour),
            exchange=stream.exchange,
            at=stream.complete.where if stream.complete else "",
            cause=cause,
        )


def _problem(payload: dict[str, object], preview_of: tuple[int, int] | None = None, *, given: bool = False) -> str:
    """What is wrong with the picture in an event, "" where nothing is. `given`: it has the size `preview_of`."""
    try:
        if given:
            raw_rgb(decode_base64(str(payload.get("image"))), *(preview_of or (0, 0)))
        else:
            of_payload(payload, preview_of)
    except BadPicture as bad:
        return str(bad)
    return ""


def _asked_size(sent: dict[str, object]) -> tuple[int | None, int | None]:
    """width and height of a request, None where it leaves them out or asks for a size in the way of an extension."""
    if sent.keys() & {"size", "aspect_ratio"}:
        return None, None
    return integer(sent.get("width")), integer(sent.get("height"))


def _fixed(context: Context) -> str:
    return "" if context.settings.size else "a model of one fixed size? Then give it with --size"
