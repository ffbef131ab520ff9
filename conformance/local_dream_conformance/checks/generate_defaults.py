"""Checks of the group generate-defaults: what a field means that was left out.

All defaults that a picture depends on are proven by one pair of generations, everything left out against everything
sent: where the pictures are alike, every default is as written. Where they are not, the bisections that the scenario
made, and what the two answers show without a picture (size, step count), say which field is to blame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from local_dream_conformance.checks.check import check
from local_dream_conformance.checks.generate_previews import expect_no_previews
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.fields import documented, max_seed
from local_dream_conformance.core.strict_json import integer
from local_dream_conformance.evidence.generation import GenerationStream, generation
from local_dream_conformance.evidence.image_compare import alike, unlikeness
from local_dream_conformance.evidence.selectors import (
    ALONE,
    GENERATIONS,
    completed,
    fields,
    listed,
    outcome,
    picture,
    size,
    streams,
    value,
)

SHOWN_ELSEWHERE = ("show_diffusion_process", "show_diffusion_stride", "seed")
"""Fields whose default does not show in the picture of a known seed: each has a check of its own below."""
PAINTED = {
    field.ids["default"]: name
    for name, field in documented().items()
    if "default" in field.ids and name not in SHOWN_ELSEWHERE
}
"""Fields whose default shows in the picture, by the requirement that speaks of it."""
OTHER_SIDE = {"width": "height", "height": "width"}
PAINTED_FIELDS = frozenset(PAINTED.values())
LEFT_OUT, EXPLICIT, BISECTIONS = "defaults/absent", "defaults/explicit", "defaults/bisect-"


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
        evidence = _Pair.of(context)
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
            expected=f"more than {len(sparse.previews)} previews, as {sparse.exchange.label} has with stride {stride}",
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
    for one, other in combinations(runs, 2):
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
    pair = _Pair.of(context)
    if fields(pair.absent.exchange.request).get("seed") is not None:
        raise MissingEvidence(f"{LEFT_OUT} has a seed of the suite's choice")
    bare = fields(pair.absent.exchange.request).keys()
    seed_alone = [run for run, sent in pair.bisections if not ((sent - bare) & PAINTED_FIELDS or "image" in sent)]
    if not alike(pair.absent, pair.explicit) and not seed_alone:
        raise MissingEvidence(f"{LEFT_OUT} and {EXPLICIT} differ in a default too, so that this cannot be told")
    for other in seed_alone or [pair.explicit]:
        context.expect(
            alike(pair.absent, other),
            expected=f"the picture of {LEFT_OUT}, which reported the seed {_reported(pair.absent)}",
            got=f"another one for that seed ({unlikeness(pair.absent, other)})",
            exchange=other.exchange,
            cause="the seed that is reported is not the one that was used?",
        )


def _reported(stream: GenerationStream) -> int | None:
    return integer(stream.complete.payload.get("seed")) if stream.complete else None


def _seedless(context: Context) -> list[GenerationStream]:
    """The generations that were asked for without a seed."""
    found = [stream for stream, _ in completed(context) if fields(stream.exchange.request).get("seed") is None]
    if not found:
        raise MissingEvidence("no generation without seed came to complete")
    return found


@dataclass(frozen=True)
class _Blame:
    """Fields that are to blame, and those of which nothing can be said since another one hides them."""

    guilty: tuple[str, ...]
    unclear: tuple[str, ...] = ()
    got: str = ""
    refusal: str | None = None


@dataclass(frozen=True)
class _Pair:
    """Everything left out, everything sent, and the runs between them with the fields that these sent."""

    absent: GenerationStream
    explicit: GenerationStream
    bisections: tuple[tuple[GenerationStream, frozenset[str]], ...]

    @staticmethod
    def of(context: Context) -> _Pair:
        absent, explicit = generation(context[LEFT_OUT]), generation(context[EXPLICIT])
        if picture(absent) is None:
            raise MissingEvidence(f"{LEFT_OUT} came to no picture: {outcome(absent.exchange)}")
        picked, sent = _reported(absent), fields(explicit.exchange.request).get("seed")
        if fields(absent.exchange.request).get("seed", picked) != sent:
            raise MissingEvidence(f"{LEFT_OUT} reported the seed {picked}, {EXPLICIT} sent {sent}")
        return _Pair(absent, explicit, tuple(_bisections(context)))

    def must_differ_in(self, field: str) -> None:
        """Raises MissingEvidence where the pair proves nothing of a field."""
        if field in fields(self.absent.exchange.request) or field not in fields(self.explicit.exchange.request):
            raise MissingEvidence(f"{LEFT_OUT} and {EXPLICIT} do not differ in whether {field} was sent")

    def blame(self) -> _Blame:
        """Which defaults are not as written, as far as it can be told."""
        if alike(self.absent, self.explicit):
            # A few steps more or less may not show in a picture, but servers count them.
            counted = _total(self.absent) != _total(self.explicit) and self._differs_in("steps")
            return _Blame(("steps",) if counted else (), (), self._difference())
        suspects = tuple(field for field in PAINTED.values() if self._differs_in(field) and not self._cleared(field))
        if not suspects and self.images_differ() and not self._cleared("image"):
            return _Blame(())
        if picture(self.explicit) is None:
            said = outcome(self.explicit.exchange)
            named = tuple(field for field in suspects if field in said)
            return _Blame(named or suspects, (), f"with every default sent: {escape(said)}", said)
        shown = tuple(field for field in self._shown() if field in suspects)
        return _Blame(shown or suspects, suspects if shown else (), self._difference())

    def _differs_in(self, field: str) -> bool:
        return field in fields(self.explicit.exchange.request) and field not in fields(self.absent.exchange.request)

    def images_differ(self) -> bool:
        """Whether the two runs have their image in different files, although of the same pixels."""
        one, other = (fields(run.exchange.request).get("image") for run in (self.absent, self.explicit))
        return one != other

    def _cleared(self, field: str) -> bool:
        """Whether a bisection shows that a field makes no difference: it does not where sending it changed nothing."""
        return any(
            alike(self.absent, run) if field in sent else alike(self.explicit, run) for run, sent in self.bisections
        )

    def _shown(self) -> Iterator[str]:
        """The fields that the two answers show to have another default without a look at the pictures."""
        one, other = size(self.absent) or (0, 0), size(self.explicit) or (0, 0)
        if one[0] != other[0]:
            yield "width"
        if one[1] != other[1]:
            yield "height"
        if _total(self.absent) != _total(self.explicit):
            yield from ("steps", "denoise_strength")  # servers count only the steps that the strength leaves

    def _difference(self) -> str:
        if size(self.absent) != size(self.explicit):
            return unlikeness(self.explicit, self.absent)
        totals = _total(self.absent), _total(self.explicit)
        steps = f" and total_steps {totals[0]} instead of {totals[1]}" if totals[0] != totals[1] else ""
        if alike(self.absent, self.explicit):
            return f"the same picture{steps}"
        return f"another picture (PSNR {unlikeness(self.explicit, self.absent).removeprefix('PSNR ')}){steps}"


def _bisections(context: Context) -> Iterator[tuple[GenerationStream, frozenset[str]]]:
    for label in context.exchanges:
        if label.startswith(BISECTIONS) and generation(context[label]).complete is not None:
            run = generation(context[label])
            explicit = dict(run.exchange.notes).get("explicit", "").split()
            yield run, frozenset(fields(run.exchange.request)) - {"image"} | ({"image"} & set(explicit))


def _total(stream: GenerationStream) -> int | None:
    """total_steps in the last progress event."""
    return stream.progress[-1].total_steps if stream.progress else None
