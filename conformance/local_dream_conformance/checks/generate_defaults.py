"""Checks of the group generate-defaults: what a field means that was left out.

All defaults that a picture depends on are proven by one pair of generations (`evidence.default_pair`), the others each
by what shows them.
"""

from __future__ import annotations

from itertools import combinations

from local_dream_conformance.checks.check import check
from local_dream_conformance.checks.generate_previews import expect_no_previews
from local_dream_conformance.core.budget import counted
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.fields import documented, max_seed
from local_dream_conformance.core.strict_json import integer
from local_dream_conformance.evidence.default_pair import (
    EXPLICIT,
    LEFT_OUT,
    PAINTED,
    PAINTED_FIELDS,
    DefaultPair,
    reported_seed,
)
from local_dream_conformance.evidence.generation import GenerationStream
from local_dream_conformance.evidence.image_compare import alike, unlikeness
from local_dream_conformance.evidence.selectors import (
    ALONE,
    GENERATIONS,
    completed,
    fields,
    listed,
    streams,
    value,
)

OTHER_SIDE = {"width": "height", "height": "width"}


def _prove(id: str, field: str) -> None:
    over = ["defaults/", "strength/", "edges/"] if field in OTHER_SIDE else ["defaults/"]

    @check(id, needs=["defaults"], over=over, requires=["GEN-REQ-05", "GEN-PIC-07"])
    def default_as_written(context: Context) -> None:
        if field == "denoise_strength" and not context.settings.img2img:
            context.not_applicable("--no-img2img: without an image denoise_strength has no effect")
        if field in ("width", "height") and context.settings.size:
            context.not_applicable("--size: the target makes pictures of one size")
        if field in OTHER_SIDE:
            _beside_the_other_side(context, field)
        evidence = DefaultPair.of(context)
        evidence.must_differ_in(field)
        blame = evidence.blame()
        if field in blame.unclear and field not in blame.guilty:
            raise MissingEvidence(
                f"{LEFT_OUT} and {EXPLICIT} differ in {listed(blame.guilty)} already, so that this cannot be told"
            )
        sent = fields(evidence.explicit.exchange.request)[field]
        others = [name for name in blame.guilty if name != field]
        context.expect(
            field not in blame.guilty,
            expected=f"without {field} what {field} {sent!r} gives",
            got=blame.got,
            exchange=evidence.absent.exchange if blame.refusal is None else evidence.explicit.exchange,
            cause=_cause(others, images=evidence.images_differ() and not evidence.bisections),
        )


def _beside_the_other_side(context: Context, field: str) -> None:
    """Where one side was sent alone, the other one has its default too. Bisections are judged with their pair."""
    other, default = OTHER_SIDE[field], documented()[field].default
    for stream, complete in completed(context, *ALONE):
        sent = fields(stream.exchange.request)
        if field not in sent and other in sent and not stream.exchange.label.startswith("defaults/"):
            context.expect(
                integer(complete.payload.get(field)) == default,
                expected=f"{field} {default} where {other} {sent[other]} was sent alone",
                got=value(complete.payload.get(field)),
                exchange=stream.exchange,
                at=complete.where,
                cause="the side that is left out is made as long as the other one?",
            )


def _cause(others: list[str], *, images: bool) -> str:
    cause = f"this default or that of {listed(others)}" if others else "this default is another one"
    return f"{cause}, or the image is read otherwise from a PNG of 16 bits?" if images else f"{cause}?"


for _id, _field in PAINTED.items():
    _prove(_id, _field)


@check("GEN-DEF-08", needs=["defaults"], over=GENERATIONS, requires=["GEN-EVT-08"])
def previews_are_off(context: Context) -> None:
    silent = [stream for stream in streams(context) if "show_diffusion_process" not in fields(stream.exchange.request)]
    if not silent:
        raise MissingEvidence("every request had show_diffusion_process")
    for stream in silent:
        expect_no_previews(context, stream)


@check("GEN-DEF-09", needs=["base", "overlap"], over=GENERATIONS, requires=["GEN-EVT-09"])
def stride_is_one(context: Context) -> None:
    shown = [
        (stream, fields(stream.exchange.request))
        for stream, _ in completed(context)
        if fields(stream.exchange.request).get("show_diffusion_process") is True
    ]
    pairs = [
        (dense, sparse)
        for dense, one in shown
        for sparse, other in shown
        if "show_diffusion_stride" not in one
        and (integer(other.get("show_diffusion_stride")) or 0) > 1
        and one.get("steps") == other.get("steps")
        and not one.get("image")
        and not other.get("image")
    ]
    if not pairs:
        raise MissingEvidence("no two generations with previews differ in whether show_diffusion_stride was sent")
    if not any(stream.previews for pair in pairs for stream in pair):
        context.not_applicable("the server sends no previews")
    if all(
        (integer(fields(dense.exchange.request).get("steps", documented()["steps"].default)) or 0) < 2
        for dense, _ in pairs
    ):
        context.not_applicable("with --steps 1 every stride gives one preview")
    for dense, sparse in pairs:
        stride = fields(sparse.exchange.request)["show_diffusion_stride"]
        same = len(dense.previews) == len(sparse.previews)
        context.expect(
            len(dense.previews) > len(sparse.previews),
            expected=f"more than {counted(len(sparse.previews), 'preview')}, as {sparse.exchange.label} has with "
            f"stride {stride}",
            got=f"{len(dense.previews)}",
            exchange=dense.exchange,
            cause=f"the stride is ignored, or {stride} is its default?" if same else "",
        )


@check("GEN-DEF-11", needs=["defaults"], over=GENERATIONS, requires=["GEN-EVT-15"])
def seed_is_picked(context: Context) -> None:
    for stream in _seedless(context):
        seed = stream.complete.payload.get("seed") if stream.complete else None
        number = integer(seed)
        context.expect(
            number is not None and 0 <= number <= max_seed(),
            expected=f"a seed of 0 to {max_seed()}, picked by the server",
            got=value(seed),
            exchange=stream.exchange,
            at=stream.complete.where if stream.complete else "",
            cause="the seed is a signed number?" if number is not None and number < 0 else "",
        )


@check("GEN-DEF-12", needs=["defaults", "hang-up"], over=GENERATIONS, requires=["GEN-DEF-11"])
def seeds_differ(context: Context) -> None:
    runs = _seedless(context)
    if len(runs) < 2:
        raise MissingEvidence("fewer than two generations without seed came to complete")
    mixed = _mixes_seeds(context)
    pairs = [pair for pair in combinations(runs, 2) if not (mixed and _overlapped(*pair))]
    if not pairs:
        raise MissingEvidence(
            "the generations without seed that came to complete ran at once, and take each other's seeds"
        )
    for one, other in pairs:
        seeds = [integer(stream.complete.payload.get("seed")) for stream in (one, other) if stream.complete]
        context.expect(
            seeds[0] != seeds[1],
            expected=f"another seed than that of {one.exchange.label}",
            got=f"seed {seeds[1]} both times",
            exchange=other.exchange,
            cause="the seed has a fixed default?",
        )


@check("GEN-DEF-13", needs=["defaults"], over=["defaults/"], requires=["GEN-DEF-11", "GEN-PIC-07"])
def picked_seed_reproduces(context: Context) -> None:
    pair = DefaultPair.of(context)
    if fields(pair.absent.exchange.request).get("seed") is not None:
        raise MissingEvidence(f"{LEFT_OUT} has a seed of the suite's choice")
    bare = fields(pair.absent.exchange.request).keys()
    seed_alone = [run for run, sent in pair.bisections if not ((sent - bare) & PAINTED_FIELDS or "image" in sent)]
    if not alike(pair.absent, pair.explicit) and not seed_alone:
        raise MissingEvidence(f"{LEFT_OUT} and {EXPLICIT} differ in a default too, so that this cannot be told")
    for other in seed_alone or [pair.explicit]:
        context.expect(
            alike(pair.absent, other),
            expected=f"the picture of {LEFT_OUT}, which reported the seed {reported_seed(pair.absent)}",
            got=f"another one for that seed ({unlikeness(pair.absent, other)})",
            exchange=other.exchange,
            cause="the seed that is reported is not the one that was used, or does not settle all of the picture?",
        )


def _mixes_seeds(context: Context) -> bool:
    """Whether some generation reports another seed than it was sent: where requests share their state, GEN-EVT-19 says
    so, and two at once have one seed."""
    return any(
        (sent := integer(fields(stream.exchange.request).get("seed"))) is not None
        and integer(complete.payload.get("seed")) not in (sent, None)
        for stream, complete in completed(context)
    )


def _overlapped(one: GenerationStream, other: GenerationStream) -> bool:
    """Whether two generations ran at the same time."""
    first, later = sorted((one.exchange, other.exchange), key=lambda exchange: exchange.started)
    return later.started < first.started + first.ended_at


def _seedless(context: Context) -> list[GenerationStream]:
    """The generations that were asked for without a seed."""
    found = [stream for stream, _ in completed(context) if fields(stream.exchange.request).get("seed") is None]
    if not found:
        raise MissingEvidence("no generation without seed came to complete")
    return found
