"""Checks of the group extension-reference-images: pictures that a generation follows."""

from __future__ import annotations

from local_dream_conformance.checks.assertions import accepted, expect_status, expect_there, present, unless_absent
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.image_compare import by
from local_dream_conformance.evidence.pixels import psnr
from local_dream_conformance.evidence.selectors import fields, outcome, picture, size

TWO = "reference-images/two"
EQUAL = 50.0
"""PSNR in dB from which two pictures are one but for rounding."""
REFUSED = tuple(f"reference-images/{name}" for name in ("text", "none", "number", "not-base64", "not-picture"))


def _likeness(context: Context) -> float | None:
    """PSNR of the picture after references and that without; None where one is missing, or of another size."""
    if "base" not in context:
        return None
    without, with_them = picture(generation(context["base"])), picture(generation(context[TWO]))
    if without is None or with_them is None or without.size != with_them.size:
        return None
    return psnr(without.pixels, with_them.pixels)


@check("EXT-REF-01", needs=["reference-images", "base"], requires=[])
def there(context: Context) -> None:
    shown = context[TWO]
    unless_absent(context)
    refused = any(not accepted(exchange) for exchange in present(context, *REFUSED))
    likeness = _likeness(context)
    ignored = not refused and likeness is not None and likeness >= EQUAL
    evidence = f"two reference_images are answered with {outcome(shown)}"
    if ignored:
        evidence += ", which shows the picture without them, and what are no pictures is taken, too"
    made = generation(shown).complete is not None
    expect_there(context, "reference_images", made and not ignored, evidence, shown)


@check("EXT-REF-02", needs=["reference-images"], requires=["EXT-REF-01"])
def takes_pictures_of_any_shape(context: Context) -> None:
    shown = context[TWO]
    asked, made = fields(shown.request), size(generation(shown))
    wanted = (asked["width"], asked["height"])
    context.expect(
        made == wanted,
        expected=f"a picture of {by(wanted)}",
        got=outcome(shown) if made is None else by(made),
        exchange=shown,
        cause="the picture takes its size from a reference?" if made is not None and made != wanted else "",
    )


@check("EXT-REF-03", needs=["reference-images", "base"], requires=["EXT-REF-01"])
def they_change_the_picture(context: Context) -> None:
    likeness = _likeness(context)
    if likeness is None:
        raise MissingEvidence("no pictures to compare")
    context.expect(
        likeness < EQUAL,
        expected="another picture than without reference_images",
        got=f"the same one (PSNR {likeness:.1f} dB)",
        exchange=context[TWO],
        cause="the field is ignored?",
    )


@check("EXT-REF-04", needs=["reference-images"], requires=["EXT-REF-01"])
def refuses_what_are_no_pictures(context: Context) -> None:
    for exchange in present(context, *REFUSED):
        expect_status(context, exchange, 400, what=f"reference_images: {exchange.label.partition('/')[2]}")
