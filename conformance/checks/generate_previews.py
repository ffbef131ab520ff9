"""Checks of the group generate-events: which progress events carry a preview."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from conformance.check import Case, MissingEvidence, check
from conformance.events import GenerationStream
from conformance.evidence import (
    GENERATIONS,
    completed,
    fields,
    streams,
)
from conformance.strict_json import integer


@check("GEN-EVT-08", needs=["defaults"], over=GENERATIONS, requires=["GEN-EVT-12"])
def no_previews_unasked(case: Case) -> None:
    quiet = [s for s in streams(case) if fields(s.exchange.request).get("show_diffusion_process") is False]
    if not quiet:
        raise MissingEvidence("no request with show_diffusion_process false was answered with a stream")
    for stream in quiet:
        expect_no_previews(case, stream)


def expect_no_previews(case: Case, stream: GenerationStream) -> None:
    """Expects that no progress event of a stream carries a picture."""
    shown = stream.previews
    case.expect(
        not shown,
        expected="no image in progress events",
        got=f"image in {len(shown)} of {len(stream.progress)} progress events",
        exchange=stream.exchange,
        at=shown[0].where if shown else "",
    )


@check("GEN-EVT-09", needs=["base", "overlap"], over=GENERATIONS, requires=["GEN-EVT-12"])
def stride_thins_previews(case: Case) -> None:
    asked = list(_asked_for_previews(case))
    if not any(stream.previews for stream, _, _ in asked):
        case.not_applicable("the server sends no previews")
    pairs = [
        (thin, stride, dense)
        for thin, stride, steps in asked
        for dense, one, others in asked
        if stride > 1 and one == 1 and steps == others
    ]
    if not pairs:
        raise MissingEvidence("no two generations with previews differ in show_diffusion_stride alone")
    for thin, stride, dense in pairs:
        case.expect(
            len(thin.previews) <= len(dense.previews),
            expected=f"at most {len(dense.previews)} previews with stride {stride}, as many as with stride 1",
            got=f"{len(thin.previews)}",
            exchange=thin.exchange,
        )


@check("GEN-EVT-10", needs=["base"], over=GENERATIONS, requires=["GEN-EVT-12"])
def previews_where_asked(case: Case) -> None:
    for stream, _, _ in _asked_for_previews(case):
        case.expect(
            bool(stream.previews),
            expected="image in at least one progress event, since show_diffusion_process is true",
            got=f"none in {len(stream.progress)} progress events",
            exchange=stream.exchange,
        )


@check("GEN-EVT-11", needs=["base", "overlap"], over=GENERATIONS, requires=["GEN-EVT-10"])
def previews_at_stride(case: Case) -> None:
    for stream, stride, steps in _asked_for_previews(case):
        wanted = ceil(steps / stride)
        held = case.expect(
            len(stream.previews) == wanted,
            expected=f"{wanted} previews ({steps} steps, stride {stride})",
            got=f"{len(stream.previews)}",
            exchange=stream.exchange,
        )
        numbers = [event.step for event in stream.progress]
        if held and numbers == list(range(1, steps + 1)):  # step numbers are denoising steps: their places can be seen
            places = [event.step for event in stream.previews]
            case.expect(
                places == list(range(1, steps + 1, stride)),
                expected=f"previews at the steps {', '.join(map(str, range(1, steps + 1, stride)))}",
                got=", ".join(map(str, places)),
                exchange=stream.exchange,
                at=stream.previews[0].where,
            )


def _asked_for_previews(case: Case) -> Iterator[tuple[GenerationStream, int, int]]:
    """Complete streams without `image` in the request that should show previews, with their stride and steps."""
    found = False
    for stream, _ in completed(case):
        asked = fields(stream.exchange.request)
        steps, stride = integer(asked.get("steps")), integer(asked.get("show_diffusion_stride", 1))
        if asked.get("show_diffusion_process") is True and not asked.get("image") and steps and stride:
            found = True
            yield stream, stride, steps
    if not found:
        raise MissingEvidence("no generation was asked for previews")
