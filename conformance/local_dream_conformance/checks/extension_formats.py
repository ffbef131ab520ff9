"""Checks of the group extension-formats: pictures as PNG or JPEG where the client asks for that."""

from __future__ import annotations

import numpy as np
from PIL import Image

from local_dream_conformance.checks.assertions import expect_status, expect_there, present, unless_absent
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.evidence.extensions import makes_formats
from local_dream_conformance.evidence.generation import GenerationEvent, GenerationStream, generation
from local_dream_conformance.evidence.image_compare import SAME, coarse
from local_dream_conformance.evidence.images import BadPicture, Picture, of_payload
from local_dream_conformance.evidence.pixels import Pixels, psnr
from local_dream_conformance.evidence.selectors import completed, fields, outcome, picture, size, value

NEARLY = 32.0
"""PSNR in dB that the block means of a JPEG must have with those of the raw picture (EXT-FMT-05). JPEG of quality 30
leaves 36 and more, even of pure noise; pictures that are turned, BGR or off by half a block have less than 30."""
MEANS = " in block means"
ASKED = ("formats/png", "size/square", "aspect-ratio/portrait", "aspect-ratio/landscape")
"""Generations in which a format is asked for."""

FIELDS = ("output_format", "preview_format")


def _described(exchange: Exchange) -> str:
    complete = generation(exchange).complete
    if complete is None:
        return f"output_format png is answered with {outcome(exchange)}"
    said = complete.payload.get("format")
    return f"output_format png: complete has {'no format' if said is None else f'format {value(said)}'}"


@check("EXT-FMT-01", needs=["formats"], requires=[])
def there(context: Context) -> None:
    shown = context["formats/png"]
    unless_absent(context)
    expect_there(context, "formats", makes_formats(shown), _described(shown), shown)


def _expect_coded(context: Context, stream: GenerationStream, event: GenerationEvent, wanted: str) -> None:
    """Expects that the picture of an event says that it is in the wanted format, and is."""
    said = event.payload.get("format")
    if not context.expect(
        said == wanted,
        expected=f'"format": "{wanted}", as the request asked',
        got=f"format {value(said)}" if "format" in event.payload else "no format",
        exchange=stream.exchange,
        at=event.where,
    ):
        return
    try:
        of_payload(event.payload, size(stream))
        problem = ""
    except BadPicture as error:
        problem = str(error)
    context.expect(not problem, expected=f"{wanted} bytes", got=problem, exchange=stream.exchange, at=event.where)


@check(
    "EXT-FMT-02",
    needs=["formats"],
    over=["size/square", "aspect-ratio/"],
    requires=["EXT-FMT-01", "GEN-EVT-15"],
)
def complete_is_in_its_format(context: Context) -> None:
    for stream, complete in completed(context, *ASKED):
        wanted = fields(stream.exchange.request).get("output_format")
        if wanted is not None:
            _expect_coded(context, stream, complete, wanted)


@check("EXT-FMT-03", needs=["formats"], over=["aspect-ratio/"], requires=["EXT-FMT-01"])
def previews_are_in_their_format(context: Context) -> None:
    judged = False
    for stream, _ in completed(context, *ASKED):
        wanted = fields(stream.exchange.request).get("preview_format")
        if wanted is None:
            continue
        for event in stream.previews:
            judged = True
            _expect_coded(context, stream, event, wanted)
    if not judged:
        context.not_applicable("the server sends no previews")


@check("EXT-FMT-04", needs=["formats", "base"], over=["size/square", "aspect-ratio/portrait"], requires=["EXT-FMT-01"])
def left_out_means_raw(context: Context) -> None:
    for stream, complete in completed(context, "base", *ASKED):
        asked = fields(stream.exchange.request)
        events = [complete] if asked.get("output_format") is None else []
        events += stream.previews if asked.get("preview_format") is None else ()
        for event in events:
            said = event.payload.get("format", "raw")
            field = "output_format" if event is complete else "preview_format"
            context.expect(
                said == "raw",
                expected=f"raw pictures without {field}",
                got=f"format {value(said)}",
                exchange=stream.exchange,
                at=event.where,
                cause="one format is taken for both fields?" if len(asked.keys() & set(FIELDS)) == 1 else "",
            )


@check("EXT-FMT-05", needs=["formats", "base"], requires=["EXT-FMT-02", "EXT-FMT-03", "GEN-PIC-07"])
def shows_the_same_picture(context: Context) -> None:
    base, shown = generation(context["base"]), generation(context["formats/png"])
    pairs = [(picture(base), picture(shown), shown.complete)]
    if base.previews and shown.previews and len(base.previews) == len(shown.previews):
        last = shown.previews[-1]
        pairs.append((_preview(base, base.previews[-1]), _preview(shown, last), last))
    for raw, coded, event in pairs:
        if raw is None or coded is None or event is None:
            continue
        lossy = coded.format == "jpeg"
        wanted = NEARLY if lossy else SAME
        likeness = _likeness(raw, coded.pixels, lossy)
        context.expect(
            likeness >= wanted,
            expected=f"the picture of base as {coded.format} (PSNR of at least {wanted:g} dB{MEANS if lossy else ''})",
            got=f"PSNR {likeness:.1f} dB",
            exchange=shown.exchange,
            at=event.where,
            cause=_cause(raw, coded.pixels, lossy),
        )
    if not context.assertions:
        raise MissingEvidence("no pictures to compare")


def _preview(stream: GenerationStream, event: GenerationEvent) -> Picture | None:
    try:
        return of_payload(event.payload, size(stream))
    except BadPicture:
        return None


def _likeness(raw: Picture, pixels: Pixels, lossy: bool) -> float:
    """PSNR of two pictures; of the block means of one that is a JPEG. Previews may be coded at another size."""
    before = raw.pixels
    if before.shape != pixels.shape:
        size = (pixels.shape[1], pixels.shape[0])
        before = np.asarray(Image.fromarray(before).resize(size, Image.Resampling.BOX))
    return psnr(coarse(before), coarse(pixels)) if lossy else psnr(before, pixels)


def _cause(raw: Picture, pixels: Pixels, lossy: bool) -> str:
    ways = {"BGR": pixels[..., ::-1], "upside down": pixels[::-1], "mirrored": pixels[:, ::-1]}
    for way, undone in ways.items():
        if _likeness(raw, undone, lossy) >= (NEARLY if lossy else SAME):
            return f"it looks {way}"
    return ""


@check("EXT-FMT-06", needs=["formats"], requires=["EXT-FMT-01"])
def refuses_other_formats(context: Context) -> None:
    for exchange in present(context, "formats/output-unknown", "formats/preview-unknown"):
        sent = fields(exchange.request)
        field = next(name for name in FIELDS if name in sent)
        expect_status(context, exchange, 400, what=f'{field} "{sent[field]}"')
