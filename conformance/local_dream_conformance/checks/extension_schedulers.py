"""Checks of the group extension-schedulers: those that --extension declares, since a silent fallback cannot be seen."""

from __future__ import annotations

from local_dream_conformance.checks.assertions import expect_there
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.fields import added_schedulers, synonyms
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.pixels import psnr
from local_dream_conformance.evidence.selectors import fields, listed, outcome, picture

EQUAL = 50.0
"""PSNR in dB from which two pictures are one but for rounding: those of two schedulers differ by more."""


def _asked(context: Context) -> list[Exchange]:
    """With the schedulers that are declared."""
    return [one for one in context.starting("schedulers/") if _name(one) in added_schedulers()]


def _name(exchange: Exchange) -> str:
    return str(fields(exchange.request).get("scheduler"))


def _completes(exchange: Exchange) -> bool:
    return generation(exchange).complete is not None


@check("EXT-SCH-01", needs=["schedulers"], requires=[])
def there(context: Context) -> None:
    asked = _asked(context)
    taken = [_name(exchange) for exchange in asked if _completes(exchange)]
    evidence = f"accepted: {listed(taken)}" if taken else f"{asked[0].label}: {outcome(asked[0])}"
    expect_there(context, "schedulers", bool(taken), evidence, asked[0])


@check("EXT-SCH-02", needs=["schedulers"], requires=["EXT-SCH-01"])
def completes_with_each(context: Context) -> None:
    for exchange in _asked(context):
        context.expect(
            _completes(exchange),
            expected=f"a generation with the scheduler {_name(exchange)}",
            got=outcome(exchange),
            exchange=exchange,
        )


@check("EXT-SCH-04", needs=["schedulers"], requires=["EXT-SCH-02"])
def a_synonym_gives_the_same_picture(context: Context) -> None:
    pictures = {_name(one): (one, picture(generation(one))) for one in context.starting("schedulers/")}
    pairs = [(name, meant) for name, meant in synonyms().items() if name in pictures and meant in pictures]
    if not pairs:
        context.not_applicable("no declared scheduler is a synonym of another one")
    for name, meant in pairs:
        (exchange, shown), (_, other) = pictures[name], pictures[meant]
        if shown is None or other is None:
            continue
        likeness = psnr(shown.pixels, other.pixels) if shown.size == other.size else 0.0
        context.expect(
            likeness >= EQUAL,
            expected=f"the picture of {meant} with {name} too",
            got=f"another one (PSNR {likeness:.1f} dB)",
            exchange=exchange,
            cause=f"the server does not know {name}, and takes another scheduler without a word?",
        )
    if not context.assertions:
        raise MissingEvidence("no pictures to compare")


@check("EXT-SCH-03", needs=["schedulers", "base"], requires=["EXT-SCH-01"])
def gives_another_picture_than_dpm(context: Context) -> None:
    base = context["base"]
    if fields(base.request).get("steps") == 1:
        raise MissingEvidence("with a single step (--steps 1) schedulers can give the same picture", ours=True)
    plain = picture(generation(base))
    for exchange in _asked(context):
        shown = picture(generation(exchange))
        if plain is None or shown is None or plain.size != shown.size:
            continue
        likeness = psnr(plain.pixels, shown.pixels)
        context.expect(
            likeness < EQUAL,
            expected=f"another picture with {_name(exchange)} than with dpm",
            got=f"the same one (PSNR {likeness:.1f} dB)",
            exchange=exchange,
            cause="the server falls back to dpm without a word?",
        )
    if not context.assertions:
        raise MissingEvidence("no pictures to compare")
