"""Checks of the group extension-aspect-ratio: the shape of the picture as W:H."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from local_dream_conformance.checks.assertions import expect_status, expect_there, present, unless_absent
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.evidence.extensions import makes_ratio
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.image_compare import by
from local_dream_conformance.evidence.selectors import fields, outcome, size, value

MULTIPLE = 8
SHAPED = ("aspect-ratio/portrait", "aspect-ratio/landscape")
SIDES = ("width", "height")


def _usual(context: Context) -> tuple[int, int]:
    """The size that the same width and height give without a ratio. Raises MissingEvidence."""
    made = size(generation(context["base"]))
    if made is None:
        raise MissingEvidence("base has no size to compare with")
    return made


@dataclass(frozen=True)
class Shaped:
    """A picture with a ratio: its size, the ratio as two integers, and the longer side that there must be."""

    exchange: Exchange
    made: tuple[int, int]
    ratio: tuple[int, int]
    longer: int


def _shaped(context: Context) -> Iterator[Shaped]:
    """Raises MissingEvidence where there is none."""
    found = False
    for exchange in present(context, *SHAPED):
        made = size(generation(exchange))
        if made is not None:
            found = True
            across, down = (int(part) for part in fields(exchange.request)["aspect_ratio"].split(":"))
            yield Shaped(exchange, made, (across, down), max(_usual(context)))
    if not found:
        raise MissingEvidence("complete has no size")


@check("EXT-ASP-01", needs=["aspect-ratio", "base"], requires=[])
def there(context: Context) -> None:
    shown, base = context["aspect-ratio/portrait"], context["base"]
    unless_absent(context)
    asked, made = fields(shown.request), size(generation(shown))
    what = f"aspect_ratio {asked.get('aspect_ratio')} with {asked.get('width')}x{asked.get('height')}"
    evidence = f"{what} is answered with {outcome(shown)}" if made is None else f"{what} gives {by(made)}"
    expect_there(context, "aspect_ratio", makes_ratio(shown, base), evidence, shown)


@check("EXT-ASP-02", needs=["aspect-ratio", "base"], requires=["EXT-ASP-01"])
def keeps_the_longer_side(context: Context) -> None:
    for shown in _shaped(context):
        (across, down), longer = shown.ratio, shown.longer
        side, other = (0, 1) if across > down else (1, 0)
        context.expect(
            shown.made[side] == longer and max(shown.made) == longer,
            expected=f"a {SIDES[side]} of {longer}, the longer side, with aspect_ratio {across}:{down}",
            got=by(shown.made),
            exchange=shown.exchange,
            cause="the ratio is read as H:W?" if shown.made[other] == longer else "",
        )


@check("EXT-ASP-03", needs=["aspect-ratio", "base"], requires=["EXT-ASP-02"])
def rounds_the_shorter_side_down(context: Context) -> None:
    for shown in _shaped(context):
        ratio, longer = shown.ratio, shown.longer
        exact = longer * min(ratio) / max(ratio)
        wanted = max(MULTIPLE, longer * min(ratio) // max(ratio) // MULTIPLE * MULTIPLE)
        context.expect(
            min(shown.made) == wanted,
            expected=f"a shorter side of {wanted}: {exact:.1f} rounded down to a multiple of {MULTIPLE}",
            got=by(shown.made),
            exchange=shown.exchange,
        )


@check("EXT-ASP-04", needs=["aspect-ratio"], also=["destructive"], requires=["EXT-ASP-01"])
def refuses_what_is_no_ratio(context: Context) -> None:
    for exchange in present(context, "aspect-ratio/no-ratio", "aspect-ratio/zero", "destructive/aspect-ratio/zero"):
        expect_status(
            context, exchange, 400, what=f"aspect_ratio {value(fields(exchange.request).get('aspect_ratio'))}"
        )
