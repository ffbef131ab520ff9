"""Checks of the group extension-aspect-ratio: the shape of the picture as W:H."""

from __future__ import annotations

from conformance.acceptance import expect_status, present, unless_absent
from conformance.check import Case, MissingEvidence, check
from conformance.detection import makes_ratio
from conformance.events import generation
from conformance.evidence import fields, outcome, size, value
from conformance.likeness import by
from conformance.presence import expect_there

MULTIPLE = 8


def _usual(case: Case) -> tuple[int, int]:
    """The size that the same width and height give without a ratio. Raises MissingEvidence."""
    made = size(generation(case["base"]))
    if made is None:
        raise MissingEvidence("base has no size to compare with")
    return made


def _sides(case: Case) -> tuple[tuple[int, int], tuple[int, int], int]:
    """(what was made, the ratio as two integers, the longer side that there must be)."""
    shown = case["aspect-ratio/portrait"]
    made = size(generation(shown))
    if made is None:
        raise MissingEvidence("complete has no size")
    across, down = (int(part) for part in fields(shown.request)["aspect_ratio"].split(":"))
    return made, (across, down), max(_usual(case))


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
    made, (across, down), longer = _sides(case)
    side = "width" if across > down else "height"
    case.expect(
        made[0 if across > down else 1] == longer and max(made) == longer,
        expected=f"a {side} of {longer}, the longer side, with aspect_ratio {across}:{down}",
        got=by(made),
        exchange=case["aspect-ratio/portrait"],
        cause="the ratio is read as H:W" if made[1 if across > down else 0] == longer else "",
    )


@check("EXT-ASP-03", needs=["aspect-ratio", "base"], requires=["EXT-ASP-02"])
def rounds_the_shorter_side_down(case: Case) -> None:
    made, ratio, longer = _sides(case)
    exact = longer * min(ratio) / max(ratio)
    wanted = max(MULTIPLE, longer * min(ratio) // max(ratio) // MULTIPLE * MULTIPLE)
    case.expect(
        min(made) == wanted,
        expected=f"a shorter side of {wanted}: {exact:.1f} rounded down to a multiple of {MULTIPLE}",
        got=by(made),
        exchange=case["aspect-ratio/portrait"],
    )


@check("EXT-ASP-04", needs=["aspect-ratio"], requires=["EXT-ASP-01"])
def refuses_what_is_no_ratio(case: Case) -> None:
    for exchange in present(case, "aspect-ratio/no-ratio", "aspect-ratio/zero"):
        expect_status(case, exchange, 400, what=f"aspect_ratio {value(fields(exchange.request).get('aspect_ratio'))}")
