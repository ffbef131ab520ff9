"""Checks of the group upscale-answer: the JPEG that comes back, its size, its headers, and what it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from local_dream_conformance.checks.assertions import expect_uncoded, unless_absent
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import UPSCALE, End, Exchange
from local_dream_conformance.evidence import jpeg
from local_dream_conformance.evidence.image_compare import changes
from local_dream_conformance.evidence.images import FEW_PIXELS, BadPicture, Picture, decode
from local_dream_conformance.evidence.pixels import Pixels, psnr, shift, shrink
from local_dream_conformance.evidence.selectors import ending, outcome
from local_dream_conformance.evidence.views import VIEWS
from local_dream_conformance.scenarios.forms import forms_of

FACTOR = 4
ALIKE = 25.0
"""PSNR in dB that the answer, shrunk, must have with what was sent. JPEG of low quality leaves 37 and more; mirrored,
BGR or flat pictures have less than 15, one that is off by a pixel or cropped by two less than 25."""
SMALLEST_JUDGED = 8
"""Edge in pixels below which a network sees more padding than picture."""
WIDE_ENOUGH = 16
"""Edge in pixels from which a picture tells how far it was shifted: a blob and two slopes must be seen in it."""
SHIFTED = 0.3
"""Pixels of what was sent by which an answer must not be shifted: less than half of one, and than the three eighths by
which a bilinear enlargement moves that does not look at the middle of pixels."""
SEAM = 16.0
"""How far a row or a column, of 255, may be on the whole from what was sent: tiles must not show."""
OTHER_COLOUR = 6.0
"""How much brighter or darker, of 255, a channel must not be on the whole."""
SLACK_MS, SLACK = 50, 1.05
"""What clocks that are read at different moments may differ by."""
FLAG = "X-Use-OpenCL"


def _answers(context: Context) -> list[Exchange]:
    """The answers to upscales that a server has to make. Raises MissingEvidence where there is none."""
    unless_absent(context, "/upscale")
    return [exchange for exchange in context.starting("upscale/") if exchange.operation == UPSCALE]


def _asked_again(context: Context, refused: Exchange) -> bool:
    """Whether this refusal is that of a form in the request (see UPS-REQ-08, -17, -18): plainer ones were taken."""
    answers = _answers(context)
    same = [other for other in answers if other.request.body == refused.request.body]
    flagged = refused.request.header(FLAG) is not None and any(other.request.header(FLAG) is None for other in same)
    return flagged or (bool(forms_of(refused)) and any(other.status == 200 for other in answers))


@check("UPS-ANS-01", needs=["upscale"], over=["upscale-refuse/"])
def is_a_jpeg_answer(context: Context) -> None:
    # It sees what must be refused, too: only a server that answers that with 404 as well has no /upscale.
    judged = [
        exchange for exchange in _answers(context) if exchange.status == 200 or not _asked_again(context, exchange)
    ]
    for exchange in judged:
        context.expect(
            exchange.status == 200 and exchange.media_type == "image/jpeg",
            expected="status 200 and media type image/jpeg",
            got=outcome(exchange),
            exchange=exchange,
            cause="does the path that --upscaler-path gives exist on the server?"
            if exchange.status not in (None, 200)
            else "",
        )
        if exchange.status == 200:
            expect_uncoded(context, exchange)


def _enlarged(context: Context) -> list[Exchange]:
    """The answers with status 200. Raises MissingEvidence where there is none."""
    found = [exchange for exchange in _answers(context) if exchange.status == 200]
    if not found:
        raise MissingEvidence("no upscale was answered with status 200")
    return found


def _decoded(exchange: Exchange) -> Picture | None:
    """The picture in an answer; None where it cannot be read. Decoded once for each exchange."""
    found = _read(exchange)
    return found if isinstance(found, Picture) else None


def _read(exchange: Exchange) -> Picture | BadPicture:
    return VIEWS.of(exchange, "enlarged", _decode, lambda _: 3 * FEW_PIXELS)


def _decode(exchange: Exchange) -> Picture | BadPicture:
    """The picture, of at most four times as many pixels as it should have, or what is wrong with it."""
    width, height = (_edge(exchange.request.header(f"x-image-{edge}")) or 0 for edge in ("width", "height"))
    try:
        return decode(exchange.body, "jpeg", max(FEW_PIXELS, 4 * FACTOR**2 * width * height))
    except BadPicture as bad:
        return bad


def _pictured(context: Context) -> Iterator[tuple[Exchange, Picture]]:
    for exchange in _enlarged(context):
        picture = _decoded(exchange)
        if picture is not None:
            yield exchange, picture


def _edge(text: str | None) -> int | None:
    """A header as an integer, where it is nothing but digits."""
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,15}", text) else None


def _sent_size(exchange: Exchange) -> tuple[int, int]:
    """(width, height) as the request says. Raises MissingEvidence where it is no size."""
    width = _edge(exchange.request.header("x-image-width"))
    height = _edge(exchange.request.header("x-image-height"))
    if width is None or height is None:
        raise MissingEvidence(f"the request of {exchange.label} has no size")
    return width, height


@check("UPS-ANS-02", needs=["upscale"], requires=["UPS-ANS-01"])
def is_one_jpeg_in_colour(context: Context) -> None:
    for exchange in _enlarged(context):
        context.expect(
            exchange.end in (End.COMPLETE, End.EOF),
            expected="the whole body that the head announces",
            got=escape(f"{exchange.size} bytes, {ending(exchange)}: {exchange.detail}", 200),
            exchange=exchange,
        )
        picture = _read(exchange)
        if isinstance(picture, BadPicture) and exchange.is_cut:
            continue
        if isinstance(picture, BadPicture):
            context.expect(False, expected="a JPEG picture", got=str(picture), exchange=exchange)
            continue
        context.expect(
            picture.mode == "RGB",
            expected="a JPEG in colour (three channels)",
            got=f"one of mode {escape(picture.mode, 20)}",
            exchange=exchange,
        )
        length = jpeg.length(exchange.body)
        context.expect(
            length == exchange.size,
            expected="nothing after the end of the picture (FF D9)",
            got=f"{exchange.size} bytes that end with {exchange.body[-4:].hex(' ')}"
            if length is None
            else f"{exchange.size - length} bytes after the first {length}, which are the picture",
            exchange=exchange,
            cause="what is left of a longer answer?" if length is not None else "",
        )


@check("UPS-ANS-03", needs=["upscale"], requires=["UPS-ANS-02"])
def is_four_times_as_large(context: Context) -> None:
    for exchange, picture in _pictured(context):
        width, height = _sent_size(exchange)
        wanted = (width * FACTOR, height * FACTOR)
        context.expect(
            picture.size == wanted,
            expected=f"{wanted[0]}x{wanted[1]} pixels for a picture of {width}x{height}",
            got=f"{picture.size[0]}x{picture.size[1]}",
            exchange=exchange,
            cause=_why_another_size(picture.size, (width, height)),
        )


def _why_another_size(got: tuple[int, int], sent: tuple[int, int]) -> str:
    width, height = sent
    if got == (height * FACTOR, width * FACTOR):
        return "width and height are swapped"
    for factor in (1, 2, 3, 8):
        if got == (width * factor, height * factor):
            return f"the factor is {factor}"
    if got[0] >= width * FACTOR and got[1] >= height * FACTOR:
        return "the picture is padded to whole tiles, and the padding is not cut off"
    return "the picture is cropped to whole tiles or even sizes?"


@check("UPS-ANS-04", needs=["upscale"], requires=["UPS-ANS-02"])
def headers_say_the_size(context: Context) -> None:
    for exchange, picture in _pictured(context):
        for name, edge in zip(("X-Output-Width", "X-Output-Height"), picture.size, strict=True):
            said = exchange.header(name)
            context.expect(
                _edge(said) == edge,
                expected=f"{name}: {edge}, as the picture is",
                got="no such header" if said is None else f"{name}: {escape(said, 40)}",
                exchange=exchange,
            )


@check("UPS-ANS-05", needs=["upscale"], requires=["UPS-ANS-01"])
def duration_is_an_integer(context: Context) -> None:
    for exchange in _enlarged(context):
        said = exchange.header("x-duration-ms")
        context.expect(
            _edge(said) is not None,
            expected="X-Duration-Ms: an integer of at least 0",
            got="no such header" if said is None else f"X-Duration-Ms: {escape(said, 40)}",
            exchange=exchange,
        )


@check("UPS-ANS-06", needs=["upscale"], requires=["UPS-ANS-05"])
def duration_is_within_the_wait(context: Context) -> None:
    for exchange in _enlarged(context):
        said = _edge(exchange.header("x-duration-ms"))
        waited = exchange.ended_at * 1000
        context.expect(
            said is not None and said <= max(waited + SLACK_MS, waited * SLACK),
            expected=f"X-Duration-Ms of at most the {waited:.0f} ms that the client waited",
            got=f"X-Duration-Ms: {said}",
            exchange=exchange,
            cause="another unit than milliseconds?",
        )


@check("UPS-ANS-07", needs=["upscale"], requires=["UPS-ANS-03"])
def shows_what_was_sent(context: Context) -> None:
    for exchange, picture in _pictured(context):
        width, height = _sent_size(exchange)
        if min(width, height) < SMALLEST_JUDGED:
            continue
        sent = np.frombuffer(exchange.request.body, np.uint8).reshape(height, width, 3)
        shrunk = shrink(picture.pixels, FACTOR)
        likeness = psnr(shrunk, sent)
        context.expect(
            likeness >= ALIKE,
            expected=f"the picture that was sent, when shrunk by {FACTOR} (PSNR of {ALIKE:g} dB)",
            got=f"{likeness:.1f} dB",
            exchange=exchange,
            cause=_why_unlike(shrunk, sent),
        )
        context.expect(
            picture.orientation == 1,
            expected="a picture that is shown as it is stored",
            got=f"one whose metadata (EXIF) say that it is to be turned or mirrored: orientation {picture.orientation}",
            exchange=exchange,
        )


def _why_unlike(shrunk: Pixels, sent: Pixels) -> str:
    """The likely reason why the answer does not show what was sent: the change of it that the answer resembles."""
    same_size = {name: changed for name, changed in changes(sent).items() if changed.shape == sent.shape}
    likeness, cause = max((psnr(shrunk, changed), name) for name, changed in same_size.items())
    if likeness > psnr(shrunk, sent) + 3:
        return cause
    return "one flat colour" if int(np.ptp(shrunk)) < 8 else "shifted, cropped, or another picture"


def _line(apart: NDArray[np.float64], row: bool) -> str:
    """The row or the column of what was sent that is furthest from it."""
    return f"row {int(apart.mean(axis=1).argmax())}" if row else f"column {int(apart.mean(axis=0).argmax())}"


@check("UPS-ANS-08", needs=["upscale"], requires=["UPS-ANS-07"])
def neither_shifted_nor_brighter(context: Context) -> None:
    judged = False
    for exchange, picture in _pictured(context):
        width, height = _sent_size(exchange)
        if min(width, height) < WIDE_ENOUGH:
            continue
        judged = True
        sent = np.frombuffer(exchange.request.body, np.uint8).reshape(height, width, 3)
        shrunk = shrink(picture.pixels, FACTOR)
        right, down = shift(sent, shrunk)
        context.expect(
            max(abs(right), abs(down)) <= SHIFTED,
            expected=f"the picture where it was, within {SHIFTED:g} of its pixels",
            got=f"one shifted by {right:+.2f} pixels to the right and {down:+.2f} down",
            exchange=exchange,
            cause="an enlargement that does not look at the middle of pixels, or padding that is cut off on one side?",
        )
        apart = np.abs(shrunk.astype(np.float64) - sent).mean(axis=2)
        row, column = (float(apart.mean(axis=axis).max()) for axis in (1, 0))
        context.expect(
            max(row, column) <= SEAM,
            expected=f"every row and column within {SEAM:g} of 255 of what was sent, on the whole",
            got=f"{max(row, column):.1f} in {_line(apart, row >= column)}",
            exchange=exchange,
            cause="a seam between tiles, or an edge that was lost?",
        )
        off = (shrunk.astype(np.float64) - sent).mean(axis=(0, 1))
        context.expect(
            float(np.abs(off).max()) <= OTHER_COLOUR,
            expected=f"red, green and blue within {OTHER_COLOUR:g} of 255 of what they were, on the whole",
            got=" ".join(f"{name} {by:+.1f}" for name, by in zip(("red", "green", "blue"), off, strict=True)),
            exchange=exchange,
        )
    if not judged:
        raise MissingEvidence(f"no answer shows a picture with sides of {WIDE_ENOUGH} pixels or more")
