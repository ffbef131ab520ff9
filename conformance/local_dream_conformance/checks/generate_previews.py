"""Checks of the group generate-events: which progress events carry a preview."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import numpy as np

from local_dream_conformance.checks.check import check
from local_dream_conformance.core.budget import counted
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.strict_json import integer, number
from local_dream_conformance.evidence.generation import GenerationEvent, GenerationStream
from local_dream_conformance.evidence.image_compare import resemblance
from local_dream_conformance.evidence.pixels import Pixels, contrast
from local_dream_conformance.evidence.selectors import (
    GENERATIONS,
    completed,
    fields,
    picture,
    preview,
    streams,
)

STRONG = 0.5
"""Strength from which on an image leaves steps that can be shown, whatever the number of steps."""
FLAT = 8
"""Contrast, of 255, up to which a preview is one flat colour."""
CHANGED = (0.6, 0.2)
"""A preview must not resemble its picture by so much, and by so much more than as it is, when it is changed; 0 is not
at all, 1 is the same."""
STEPS_AFTER = 3
"""Progress events after the one of the last step: servers count the decoding."""
ALIKE = 0.5
"""What the last preview must resemble its picture by: one that was made without the decoder has other colours."""


@check("GEN-EVT-08", needs=["defaults"], over=GENERATIONS, requires=["GEN-SSE-06", "GEN-SSE-08"])
def no_previews_unasked(context: Context) -> None:
    quiet = [s for s in streams(context) if fields(s.exchange.request).get("show_diffusion_process") is False]
    if not quiet:
        raise MissingEvidence("no request with show_diffusion_process false was answered with a stream")
    for stream in quiet:
        expect_no_previews(context, stream)


def expect_no_previews(context: Context, stream: GenerationStream) -> None:
    """Expects that no progress event of a stream carries a picture."""
    shown = stream.previews
    context.expect(
        not shown,
        expected="no image in progress events",
        got=f"image in {len(shown)} of {len(stream.progress)} progress events",
        exchange=stream.exchange,
        at=shown[0].where if shown else "",
    )


@check("GEN-EVT-09", needs=["base", "overlap"], over=GENERATIONS, requires=["GEN-EVT-12"])
def stride_thins_previews(context: Context) -> None:
    asked = list(_asked_for_previews(context))
    if not any(stream.previews for stream, _, _ in asked):
        context.not_applicable("the server sends no previews")
    pairs = [
        (thin, stride, dense)
        for thin, stride, steps in asked
        for dense, one, others in asked
        if stride > 1 and one == 1 and steps == others
    ]
    if not pairs:
        raise MissingEvidence("no two generations with previews differ in show_diffusion_stride alone")
    for thin, stride, dense in pairs:
        context.expect(
            len(thin.previews) <= len(dense.previews),
            expected=f"at most {counted(len(dense.previews), 'preview')} with stride {stride}, as many as with "
            "stride 1",
            got=f"{len(thin.previews)}",
            exchange=thin.exchange,
        )


@check("GEN-EVT-10", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-12"])
def previews_where_asked(context: Context) -> None:
    asked = [(stream, fields(stream.exchange.request)) for stream, _ in completed(context)]
    shown = [
        stream
        for stream, sent in asked
        if sent.get("show_diffusion_process") is True
        and (not sent.get("image") or (number(sent.get("denoise_strength", 0.6)) or 0) >= STRONG)
    ]
    if not shown:
        raise MissingEvidence("no generation was asked for previews")
    for stream in shown:
        context.expect(
            bool(stream.previews),
            expected="image in at least one progress event, since show_diffusion_process is true",
            got=f"none in {len(stream.progress)} progress events",
            exchange=stream.exchange,
        )


@check("GEN-EVT-11", needs=["base", "overlap"], over=GENERATIONS, requires=["GEN-EVT-10"])
def previews_at_stride(context: Context) -> None:
    for stream, stride, steps in _asked_for_previews(context):
        wanted = ceil(steps / stride)
        held = context.expect(
            len(stream.previews) == wanted,
            expected=f"{counted(wanted, 'preview')} ({steps} steps, stride {stride})",
            got=f"{len(stream.previews)}",
            exchange=stream.exchange,
        )
        numbers = [event.step for event in stream.progress]
        if held and numbers == list(range(1, steps + 1)):  # step numbers are denoising steps: their places can be seen
            places = [event.step for event in stream.previews]
            context.expect(
                places == list(range(1, steps + 1, stride)),
                expected=f"previews at the steps {', '.join(map(str, range(1, steps + 1, stride)))}",
                got=", ".join(map(str, places)),
                exchange=stream.exchange,
                at=stream.previews[0].where,
            )


@check("GEN-PIC-18", needs=["base"], over=GENERATIONS, requires=["GEN-PIC-06", "GEN-PIC-14"])
def previews_are_upright(context: Context) -> None:
    for stream, event, shown, whole in _last_previews(context):
        held = context.expect(
            contrast(shown) > FLAT,
            expected="a preview that shows something, as the picture does",
            got="one flat colour, about RGB " + " ".join(f"{part:.0f}" for part in shown.reshape(-1, 3).mean(axis=0)),
            exchange=stream.exchange,
            at=event.where,
        )
        if held:
            likeness, changed, how = _best_change(shown, whole)
            context.expect(
                changed < max(CHANGED[0], likeness + CHANGED[1]),
                expected="a preview with the rows, columns and channels of the picture",
                got=f"one that resembles it more when it is changed ({changed:.2f}) than as it is ({likeness:.2f})",
                exchange=stream.exchange,
                at=event.where,
                cause=how,
            )


@check("GEN-PIC-19", needs=["base"], over=GENERATIONS, requires=["GEN-PIC-18"])
def last_preview_resembles(context: Context) -> None:
    for stream, event, shown, whole in _last_previews(context):
        if fields(stream.exchange.request).get("mask"):
            continue  # what is kept of the image may be put back at the end alone
        likeness = resemblance(shown, whole)
        context.expect(
            likeness >= ALIKE,
            expected="something like the picture in the preview of its last step",
            got=f"a resemblance of {likeness:.2f}, where 1 is the same and 0 nothing alike",
            exchange=stream.exchange,
            at=event.where,
            cause="previews of the noise, or of an early step?",
        )


def _best_change(shown: Pixels, whole: Pixels) -> tuple[float, float, str]:
    """How much a preview resembles its picture as it is, and in the way of changing it that makes it most alike."""
    changes = {
        "in one red and blue are swapped (BGR)": shown[:, :, ::-1],
        "one is upside down": shown[::-1],
        "one is mirrored": shown[:, ::-1],
        "one is turned by 180 degrees": shown[::-1, ::-1],
        "in one rows and columns are swapped": shown.reshape(shown.shape[1], shown.shape[0], 3).transpose(1, 0, 2),
    }
    found = [
        (resemblance(np.ascontiguousarray(changed), whole), f"of preview and picture {how}")
        for how, changed in changes.items()
    ]
    changed, how = max(found)
    return resemblance(shown, whole), changed, how


def _last_previews(context: Context) -> Iterator[tuple[GenerationStream, GenerationEvent, Pixels, Pixels]]:
    """Previews of a last step with the finished pictures. Ends the check as not applicable where there are none."""
    found = False
    for stream, _ in completed(context):
        asked = fields(stream.exchange.request)
        event = stream.previews[-1] if stream.previews else None
        if event is None or (integer(asked.get("show_diffusion_stride", 1)) or 0) > 1:
            continue
        after = len(stream.progress) - 1 - stream.progress.index(event)
        shown, whole = preview(stream, event), picture(stream)
        if after <= STEPS_AFTER and shown is not None and whole is not None and shown.size == whole.size:
            found = True
            yield stream, event, shown.pixels, whole.pixels
    if not found:
        context.not_applicable("the server sends no previews of last steps")


def _asked_for_previews(context: Context) -> Iterator[tuple[GenerationStream, int, int]]:
    """Complete streams without `image` in the request that should show previews, with their stride and steps."""
    found = False
    for stream, _ in completed(context):
        asked = fields(stream.exchange.request)
        steps, stride = integer(asked.get("steps")), integer(asked.get("show_diffusion_stride", 1))
        if asked.get("show_diffusion_process") is True and not asked.get("image") and steps and stride:
            found = True
            yield stream, stride, steps
    if not found:
        raise MissingEvidence("no generation was asked for previews")
