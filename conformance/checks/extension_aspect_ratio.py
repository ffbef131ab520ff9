"""Checks of the group extension-aspect-ratio: the shape of the picture as W:H."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.acceptance import expect_status, present, unless_absent
from conformance.check import Case, MissingEvidence, check
from conformance.detection import makes_ratio
from conformance.events import generation
from conformance.evidence import fields, outcome, size, value
from conformance.likeness import by
from conformance.presence import expect_there
from conformance.transcript import Exchange

MULTIPLE = 8
SHAPED = ("aspect-ratio/portrait", "aspect-ratio/landscape")
SIDES = ("width", "height")


def _usual(case: Case) -> tuple[int, int]:
    """The size that the same width and height give without a ratio. Raises MissingEvidence."""
    made = size(generation(case["base"]))
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


def _shaped(case: Case) -> Iterator[Shaped]:
    """Raises MissingEvidence where there is none."""
    found = False
    for exchange in present(case, *SHAPED):
        made = size(generation(exchange))
        if made is not None:
            found = True
            across, down = (int(part) for part in fields(exchange.request)["aspect_ratio"].split(":"))
            yield Shaped(exchange, made, (across, down), max(_usual(case)))
    if not found:
        raise MissingEvidence("complete has no size")


@check("EXT-ASP-01", needs=["aspect-ratio", "base"])
def there(case: Case) -> None:
    shown, base = case["aspect-ratio/portrait"], case["base"]
    unless_absent(case)
    asked, made = fields(shown.request), size(generation(shown))
    what = f"aspect_ratio {asked.get('aspect_ratio')} with {asked.get('width')}x{asked.get('height')}"
    evidence = f"{what} is answered with {outcome(shown)}" if made is None else f"{what} gives {by(made)}"
    expect_there(case, "aspect_ratio", makes_ratio(shown, base), evidence, shown)


@check("EXT-ASP-02", needs=["aspect-ratio", "base"], requires=["EXT-ASP-01"])
def keeps_the_longer_side(case: Case) -> None:
    for shown in _shaped(case):
        (across, down), longer = shown.ratio, shown.longer
        side, other = (0, 1) if across > down else (1, 0)
        case.expect(
            shown.made[side] == longer and max(shown.made) == longer,
            expected=f"a {SIDES[side]} of {longer}, the longer side, with aspect_ratio {across}:{down}",
            got=by(shown.made),
            exchange=shown.exchange,
            cause="the ratio is read as H:W" if shown.made[other] == longer else "",
        )


@check("EXT-ASP-03", needs=["aspect-ratio", "base"], requires=["EXT-ASP-02"])
def rounds_the_shorter_side_down(case: Case) -> None:
    for shown in _shaped(case):
        ratio, longer = shown.ratio, shown.longer
        exact = longer * min(ratio) / max(ratio)
        wanted = max(MULTIPLE, longer * min(ratio) // max(ratio) // MULTIPLE * MULTIPLE)
        case.expect(
            min(shown.made) == wanted,
            expected=f"a shorter side of {wanted}: {exact:.1f} rounded down to a multiple of {MULTIPLE}",
            got=by(shown.made),
            exchange=shown.exchange,
        )


@check("EXT-ASP-04", needs=["aspect-ratio"], requires=["EXT-ASP-01"])
def refuses_what_is_no_ratio(case: Case) -> None:
    for exchange in present(case, "aspect-ratio/no-ratio", "aspect-ratio/zero"):
        expect_status(case, exchange, 400, what=f"aspect_ratio {value(fields(exchange.request).get('aspect_ratio'))}")
