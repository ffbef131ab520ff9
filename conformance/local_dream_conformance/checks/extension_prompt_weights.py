"""Checks of the group extension-prompt-weights: parts of a prompt that count for more, or for less."""

from __future__ import annotations

from local_dream_conformance.checks.assertions import expect_there
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.exchange import ABSENT, Exchange
from local_dream_conformance.evidence.extensions import token_count
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.pixels import psnr
from local_dream_conformance.evidence.selectors import outcome, picture

EQUAL = 50.0
"""PSNR in dB from which two pictures are one but for rounding."""
PLAIN, WEIGHTED = "tokenize/unweighted", "tokenize/weighted"
MORE, ONE = "prompt-weights/more", "prompt-weights/one"


def _likeness(exchange: Exchange, other: Exchange) -> float | None:
    """PSNR of two pictures; None where one is missing."""
    first, second = picture(generation(exchange)), picture(generation(other))
    if first is None or second is None or first.size != second.size:
        return None
    return psnr(first.pixels, second.pixels)


def _counts(context: Context) -> tuple[int, int] | None:
    """How many tokens the prompt has without and with weights; None where that is not counted."""
    if PLAIN not in context or WEIGHTED not in context:
        return None
    plain, weighted = (token_count(context[label]).count for label in (PLAIN, WEIGHTED))
    return None if plain is None or weighted is None else (plain, weighted)


@check("EXT-WGT-01", needs=["tokenize"], over=["prompt-weights/", "base"], requires=[])
def there(context: Context) -> None:
    counts = _counts(context)
    if counts is not None and counts[0] == counts[1]:
        expect_there(context, "prompt_weights", True, f"/tokenize counts {counts[0]} tokens with weights and without")
        return
    if ONE in context and "base" in context:
        likeness = _likeness(context[ONE], context["base"])
        if likeness is None:
            raise MissingEvidence("no pictures to compare")
        same = likeness >= EQUAL
        words = "the same picture" if same else "another picture"
        expect_there(context, "prompt_weights", same, f"a prompt of weight 1 gives {words}", context[ONE])
        return
    if counts is None:
        asked = [context[label] for label in ("tokenize/short", PLAIN, WEIGHTED) if label in context]
        shown = next((one for one in asked if one.status is None), asked[-1] if asked else None)
        expect_there(context, "prompt_weights", False, "no /tokenize that would show it", shown)
        return
    evidence = f"/tokenize counts {counts[1]} tokens with weights, {counts[0]} without"
    expect_there(context, "prompt_weights", False, evidence, context[WEIGHTED])


@check("EXT-WGT-02", needs=["tokenize"], requires=["EXT-WGT-01"])
def tokens_are_counted_without(context: Context) -> None:
    if context["tokenize/short"].status in ABSENT:
        context.not_applicable("there is no /tokenize")
    counts = _counts(context)
    if counts is None:
        raise MissingEvidence("no answer of /tokenize has a count")
    context.expect(
        counts[1] == counts[0],
        expected=f"the {counts[0]} tokens of the prompt without weights",
        got=f"count {counts[1]}",
        exchange=context[WEIGHTED],
        cause="brackets and weights are counted as words?",
    )


@check("EXT-WGT-03", needs=["prompt-weights", "base"], requires=["EXT-WGT-01"])
def a_weight_changes_the_picture(context: Context) -> None:
    if not context.expect(
        generation(context[MORE]).complete is not None,
        expected="a generation with a weighted prompt",
        got=outcome(context[MORE]),
        exchange=context[MORE],
    ):
        return
    likeness = _likeness(context[MORE], context["base"])
    if likeness is None:
        raise MissingEvidence("no pictures to compare")
    context.expect(
        likeness < EQUAL,
        expected="another picture of a prompt that is weighted 1.5 times",
        got=f"the same one (PSNR {likeness:.1f} dB)",
        exchange=context[MORE],
        cause="weights are taken off, and have no effect?",
    )


@check("EXT-WGT-04", needs=["prompt-weights", "base"], requires=["EXT-WGT-01"])
def a_weight_of_one_changes_nothing(context: Context) -> None:
    likeness = _likeness(context[ONE], context["base"])
    if likeness is None:
        raise MissingEvidence("no pictures to compare")
    context.expect(
        likeness >= EQUAL,
        expected="the picture of the prompt without weights",
        got=f"another one (PSNR {likeness:.1f} dB)",
        exchange=context[ONE],
        cause="the marks are read as words?",
    )
