"""Checks of the group generate-events: which progress events carry a preview."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.strict_json import integer
from local_dream_conformance.evidence.generation import GenerationStream
from local_dream_conformance.evidence.selectors import GENERATIONS, completed, fields, streams


@check("GEN-EVT-08", needs=["defaults"], over=GENERATIONS, requires=["GEN-EVT-12"])
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
            expected=f"at most {len(dense.previews)} previews with stride {stride}, as many as with stride 1",
            got=f"{len(thin.previews)}",
            exchange=thin.exchange,
        )


@check("GEN-EVT-10", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-12"])
def previews_where_asked(context: Context) -> None:
    for stream, _, _ in _asked_for_previews(context):
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
            expected=f"{wanted} previews ({steps} steps, stride {stride})",
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
