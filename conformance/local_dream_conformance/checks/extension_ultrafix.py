"""Checks of the group extension-ultrafix: a picture refined tile by tile."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from local_dream_conformance.checks.assertions import accepted, expect_status, expect_there, present, unless_absent
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.image_compare import by, coarse
from local_dream_conformance.evidence.pixels import Pixels, psnr
from local_dream_conformance.evidence.selectors import fields, outcome, picture, size, value
from local_dream_conformance.scenarios.test_images import card

REFINED, BARE = "ultrafix/refined", "ultrafix/no-image"
LIKE = 14.0
"""PSNR in dB, of means, from which a part of the picture shows what `image` shows there."""
SAME = 60.0
"""PSNR in dB from which a part is that of `image` as it was."""
ACROSS = 3
"""Parts of the picture in each direction."""
NAMES = (("upper", "middle", "lower"), ("left", "middle", "right"))


@check("EXT-UFX-01", needs=["ultrafix"], requires=[])
def there(context: Context) -> None:
    bare = context[BARE]
    unless_absent(context)
    expect_there(
        context, "ultrafix", not accepted(bare), f"ultrafix without image is answered with {outcome(bare)}", bare
    )


@check("EXT-UFX-02", needs=["ultrafix"], requires=["EXT-UFX-01"])
def makes_the_whole_picture(context: Context) -> None:
    shown = context[REFINED]
    asked, made = fields(shown.request), size(generation(shown))
    wanted = (asked["width"], asked["height"])
    context.expect(
        generation(shown).complete is not None and made == wanted,
        expected=f"complete with a picture of {by(wanted)}",
        got=outcome(shown) if made is None else by(made),
        exchange=shown,
        cause="one tile is sent in place of the picture?" if made is not None and made != wanted else "",
    )


def _parts(context: Context) -> Iterator[tuple[str, Pixels, Pixels]]:
    """Each ninth of the picture, by its name, with that of `image`. Raises MissingEvidence."""
    found = picture(generation(context[REFINED]))
    if found is None:
        raise MissingEvidence("no picture to look at")
    width, height = found.size
    before = card(width, height)
    for row, high in enumerate(np.array_split(np.arange(height), ACROSS)):
        for column, wide in enumerate(np.array_split(np.arange(width), ACROSS)):
            part = np.ix_(high, wide)
            yield f"{NAMES[0][row]} {NAMES[1][column]}", before[part], found.pixels[part]


@check("EXT-UFX-03", needs=["ultrafix"], requires=["EXT-UFX-02"])
def shows_the_image_everywhere(context: Context) -> None:
    for name, before, after in _parts(context):
        likeness = psnr(coarse(before), coarse(after))
        context.expect(
            likeness >= LIKE,
            expected=f"what image shows, in the {name} ninth too (PSNR of at least {LIKE:g} dB in the means)",
            got=f"PSNR {likeness:.1f} dB",
            exchange=context[REFINED],
            cause="image is ignored, or tiles are in other places?",
        )


@check("EXT-UFX-04", needs=["ultrafix"], requires=["EXT-UFX-03"])
def refines_all_of_it(context: Context) -> None:
    for name, before, after in _parts(context):
        likeness = psnr(before, after)
        context.expect(
            likeness < SAME,
            expected=f"something else than image in the {name} ninth",
            got="image as it was" if likeness == float("inf") else f"PSNR {likeness:.1f} dB",
            exchange=context[REFINED],
            cause="only some of the tiles are refined?",
        )


@check("EXT-UFX-05", needs=["ultrafix"], requires=["EXT-UFX-01"])
def needs_an_image(context: Context) -> None:
    expect_status(context, context[BARE], 400, what="ultrafix without image")


@check("EXT-UFX-06", needs=["ultrafix"], requires=["EXT-UFX-01"])
def takes_no_mask(context: Context) -> None:
    expect_status(context, context["ultrafix/mask"], 400, what="ultrafix with a mask")


@check("EXT-UFX-07", needs=["ultrafix"], requires=["EXT-UFX-01"])
def refuses_odd_values(context: Context) -> None:
    labels = ("tile-odd", "tile-zero", "tile-text", "tile-too-large", "not-boolean")
    for exchange in present(context, *(f"ultrafix/{label}" for label in labels)):
        field = "ultrafix" if exchange.label.endswith("not-boolean") else "tile_size"
        expect_status(context, exchange, 400, what=f"{field} {value(fields(exchange.request).get(field))}")
