"""Checks of what servers have to take: every valid form of a value, a picture, a header and of the JSON.

The planned generations and upscales carry the forms (`scenarios/forms.py`). Where one failed, its scenario sent it
again with fewer of them until one was left; that request, in one form beside the plain spelling, is the finding.
"""

from __future__ import annotations

from local_dream_conformance.checks.assertions import NEEDED, accepted, unless_absent
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.exchange import GENERATE, UPSCALE, Exchange
from local_dream_conformance.evidence.generation import GenerationStream, generation
from local_dream_conformance.evidence.image_compare import alike, unlikeness
from local_dream_conformance.evidence.selectors import fields, outcome, picture
from local_dream_conformance.scenarios.forms import (
    ANY_VALUE,
    FORMS,
    HEADED,
    LARGE,
    MASKS,
    PARTS,
    PICTURES,
    PLAIN_TEXT,
    SPELT,
    TEXTS,
    TYPED,
    UPSCALE_HEADED,
    UPSCALED,
    forms_of,
)
from local_dream_conformance.scenarios.narrowing import failed

BISECTIONS = "defaults/bisect-"
KNOWN_BEFORE = (
    *("GEN-REQ-05", "GEN-REQ-08", "GEN-REQ-09", "GEN-REQ-10", "GEN-REQ-17", "GEN-REQ-18", "GEN-REQ-20", "GEN-REQ-21"),
    *("ROB-05", "ROB-06", "UPS-REQ-08"),
)
"""Requirements with another check, which judges recordings too that have no forms."""


def taken(exchange: Exchange) -> bool:
    """Whether the server did what the request asked for, as far as the suite waited for it."""
    if exchange.operation == UPSCALE:
        return exchange.status == 200
    return accepted(exchange) and not failed(exchange)


def _asked(context: Context, operation: str) -> list[Exchange]:
    prefixes = ("upscale/",) if operation == UPSCALE else NEEDED
    return [e for e in context.exchanges.values() if e.operation == operation and e.label.startswith(prefixes)]


def _judge(context: Context, id: str) -> None:
    """Expects every form of a requirement to be taken. Raises MissingEvidence where that cannot be told of any."""
    operation = UPSCALE if id.startswith("UPS") else GENERATE
    unless_absent(context, "/upscale" if operation == UPSCALE else "/generate")
    asked = _asked(context, operation)
    carried = {name for exchange in asked for name in forms_of(exchange) if FORMS[name].id == id}
    if not carried and id in KNOWN_BEFORE:
        context.not_applicable("no request noted a form of this kind")
    if not carried:
        raise MissingEvidence("no request was in such a form")
    if not any(taken(exchange) for exchange in asked):
        raise MissingEvidence("the server took no request, in whatever form")
    for name in FORMS:
        if name in carried:
            _judge_form(context, name, asked)
    if not context.assertions:
        raise MissingEvidence("what the server took was in none of these forms, and what it refused in others too")


def _judge_form(context: Context, name: str, asked: list[Exchange]) -> None:
    if any(forms_of(exchange) == (part,) and not taken(exchange) for part in PARTS.get(name, ()) for exchange in asked):
        return
    carriers = [exchange for exchange in asked if name in forms_of(exchange)]
    alone = next((e for e in carriers if forms_of(e) == (name,) and not taken(e) and _plainer_taken(e, asked)), None)
    if alone is None and not any(taken(exchange) for exchange in carriers):
        return
    shown = context[(alone or next(exchange for exchange in carriers if taken(exchange))).label]
    what = "an upscale" if shown.operation == UPSCALE else "a generation that comes to complete"
    context.expect(
        alone is None,
        expected=f"{what} for a request with {FORMS[name].says}",
        got=outcome(shown),
        exchange=shown,
        cause="the same request without it is taken",
    )


def _plainer_taken(exchange: Exchange, asked: list[Exchange]) -> bool:
    """Whether a request of the same part of the scenario was taken that lacks this form."""
    part = _part(exchange)
    return any(_part(e) == part and taken(e) and not set(forms_of(exchange)) & set(forms_of(e)) for e in asked)


def _part(exchange: Exchange) -> str:
    """The label without the number of the probe."""
    return exchange.label.partition("-forms-")[0].partition("/forms-")[0]


def _each(id: str, *needs: str) -> None:
    requires = ["HLT-01"] if id.startswith("UPS") else ["GEN-SSE-01"]

    @check(id, needs=needs, over=["upscale/"] if id.startswith("UPS") else NEEDED, requires=requires)
    def takes_every_form(context: Context) -> None:
        if id in (PICTURES, MASKS, LARGE) and not context.settings.img2img:
            context.not_applicable("--no-img2img: the target takes no images")
        _judge(context, id)


for _id in (TYPED, SPELT, HEADED):
    _each(_id, "base")
for _id in (PLAIN_TEXT, TEXTS, PICTURES, LARGE):
    _each(_id, "defaults")
for _id in (UPSCALED, UPSCALE_HEADED, "UPS-REQ-08"):
    _each(_id, "upscale")
for _id, _needed in {
    "GEN-REQ-08": "overlap",
    "GEN-REQ-09": "overlap",
    "GEN-REQ-10": "overlap",
    "GEN-REQ-17": "strength",
    "GEN-REQ-18": "strength",
    "GEN-REQ-20": "hang-up",
    "GEN-REQ-21": "overlap",
    "ROB-05": "overlap",
    "ROB-06": "hang-up",
    MASKS: "hang-up",
    ANY_VALUE: "hang-up",
}.items():
    _each(_id, _needed)


@check(ANY_VALUE, needs=["hang-up"], over=NEEDED, requires=["GEN-SSE-01"])
def in_any_combination(context: Context) -> None:
    """What failed although none of its forms is to blame alone: they do not go together, or the server is moody."""
    asked = _asked(context, GENERATE)
    if not any(taken(exchange) for exchange in asked):
        raise MissingEvidence("the server took no request, in whatever form")
    named = {forms_of(e)[0] for e in asked if len(forms_of(e)) == 1 and not taken(e)}
    for exchange in asked:
        names = forms_of(exchange)
        if not failed(exchange) or not names or named & set(names):
            continue
        probed = [e for e in asked if _part(e) == _part(exchange) and e is not exchange]
        proven = {name for e in probed if taken(e) for name in forms_of(e)} | (
            {""} if any(map(taken, probed)) else set()
        )
        if set(names) <= proven:
            context.expect(
                False,
                expected="a generation that comes to complete",
                got=outcome(exchange),
                exchange=context[exchange.label],
                cause="every form in it was taken in another request: they do not go together, or the server fails "
                "now and then?",
            )
    context.expect(True, expected="a generation that comes to complete", got="")


@check(PICTURES, needs=["defaults"], over=["defaults/"], requires=["GEN-SSE-01"])
def the_same_in_every_file(context: Context) -> None:
    """The two runs of `defaults` have the same image in two kinds of files."""
    if not context.settings.img2img:
        context.not_applicable("--no-img2img: the target takes no images")
    absent, explicit = generation(context["defaults/absent"]), generation(context["defaults/explicit"])
    if picture(absent) is None or picture(explicit) is None:
        raise MissingEvidence("defaults/absent or defaults/explicit has no picture to compare")
    files = [fields(run.exchange.request).get("image") for run in (absent, explicit)]
    if files[0] == files[1]:
        context.not_applicable("both runs of the scenario defaults have the same file as their image")
    if not alike(absent, explicit):
        alone = [
            generation(exchange)
            for label, exchange in context.exchanges.items()
            if label.startswith(BISECTIONS) and dict(exchange.notes).get("explicit") == "image"
        ]
        proven = not alike(absent, alone[0]) if alone else _only_the_image_is_left(context, absent, explicit)
        if not proven:
            raise MissingEvidence("the two runs differ, by what follows from their defaults or from their images")
        explicit = alone[0] if alone else explicit
    context.expect(
        alike(absent, explicit),
        expected="the same picture from the same image as PNG with a palette and as PNG of 16 bits",
        got=unlikeness(absent, explicit),
        exchange=explicit.exchange,
        cause="one of the two kinds of files is not read as it is meant?",
    )


def _only_the_image_is_left(context: Context, absent: GenerationStream, explicit: GenerationStream) -> bool:
    """Whether every field that one of the runs sent, and the other did not, was shown to change nothing."""
    one, other = (fields(run.exchange.request).keys() for run in (absent, explicit))
    cleared: set[str] = set()
    for label, exchange in context.exchanges.items():
        if label.startswith(BISECTIONS) and alike(absent, generation(exchange)):
            cleared |= fields(exchange.request).keys()
    return other - one <= cleared
