"""Checks of the group extension-size: one integer in place of width and height."""

from __future__ import annotations

from conformance.acceptance import expect_status, present, unless_absent
from conformance.check import Case, check
from conformance.detection import makes_size
from conformance.events import generation
from conformance.evidence import fields, outcome, size, value
from conformance.likeness import by
from conformance.presence import expect_there


@check("EXT-SIZ-01", needs=["size"])
def there(case: Case) -> None:
    shown = case["size/square"]
    unless_absent(case)
    asked, made = fields(shown.request), size(generation(shown))
    what = f"size {asked.get('size')} with {asked.get('width')}x{asked.get('height')}"
    evidence = f"{what} is answered with {outcome(shown)}" if made is None else f"{what} gives {by(made)}"
    expect_there(case, "size", makes_size(shown), evidence, shown)


@check("EXT-SIZ-02", needs=["size"], requires=["EXT-SIZ-01"])
def overrides_width_and_height(case: Case) -> None:
    shown = case["size/square"]
    edge, made = fields(shown.request)["size"], size(generation(shown))
    case.expect(
        made == (edge, edge),
        expected=f"a picture of {edge}x{edge}",
        got=by(made),
        exchange=shown,
        cause="size replaces one of the two only" if made is not None and made != (edge, edge) else "",
    )


@check("EXT-SIZ-03", needs=["size"], requires=["EXT-SIZ-01"])
def refuses_what_is_no_size(case: Case) -> None:
    for exchange in present(case, "size/string", "size/odd", "size/zero"):
        expect_status(case, exchange, 400, what=f"size {value(fields(exchange.request).get('size'))}")
