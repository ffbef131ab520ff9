"""Checks of the group extension-size: one integer in place of width and height."""

from __future__ import annotations

from local_dream_conformance.checks.assertions import expect_status, expect_there, present, unless_absent
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.evidence.extensions import makes_size
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.image_compare import by
from local_dream_conformance.evidence.selectors import fields, outcome, size, value


@check("EXT-SIZ-01", needs=["size"], requires=[])
def there(context: Context) -> None:
    shown = context["size/square"]
    unless_absent(context)
    asked, made = fields(shown.request), size(generation(shown))
    what = f"size {asked.get('size')} with {asked.get('width')}x{asked.get('height')}"
    evidence = f"{what} is answered with {outcome(shown)}" if made is None else f"{what} gives {by(made)}"
    expect_there(context, "size", makes_size(shown), evidence, shown)


@check("EXT-SIZ-02", needs=["size"], requires=["EXT-SIZ-01"])
def overrides_width_and_height(context: Context) -> None:
    shown = context["size/square"]
    edge, made = fields(shown.request)["size"], size(generation(shown))
    context.expect(
        made == (edge, edge),
        expected=f"a picture of {edge}x{edge}",
        got=by(made),
        exchange=shown,
        cause="size replaces one of the two only?" if made is not None and made != (edge, edge) else "",
    )


@check("EXT-SIZ-03", needs=["size"], also=["destructive"], requires=["EXT-SIZ-01"])
def refuses_what_is_no_size(context: Context) -> None:
    for exchange in present(context, "size/string", "size/odd", "size/zero", "destructive/size/zero"):
        expect_status(context, exchange, 400, what=f"size {value(fields(exchange.request).get('size'))}")
