"""Checks of the group generate-types: a field of a wrong JSON type is refused with status 400."""

from __future__ import annotations

import json
from collections.abc import Callable

from local_dream_conformance.checks import generated_requests
from local_dream_conformance.checks.assertions import expect_status, reached, unless_absent
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.contract import documented
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.evidence.selectors import fields, listed
from local_dream_conformance.scenarios.generated_requests import wrongly_typed


def _probe(field: str) -> str:
    return "refuse-image" if field in ("image", "mask") else "refuse"


def _wrong_type(field: str) -> Callable[[Context], None]:
    def wrong_type(context: Context) -> None:
        unless_absent(context)
        for exchange in reached(context.starting(f"{_probe(field)}/type/{field}-")):
            value = escape(json.dumps(fields(exchange.request).get(field)), 40)
            cause = "the value is converted, or not looked at" if exchange.status == 200 else ""
            expect_status(context, exchange, 400, what=f"{field}: {value}, which is not {_wanted(field)}", cause=cause)

    wrong_type.__qualname__ = f"wrong_type_of_{field}"
    return wrong_type


for _number, _field in enumerate(documented(), 1):  # in the order of the schema, as a test makes sure
    check(f"GEN-TYP-{_number:02}", needs=[_probe(_field)])(_wrong_type(_field))


@check("GEN-TYP-15", needs=["generated"])
def generated_wrong_types(context: Context) -> None:
    unless_absent(context)
    generated_requests.judge(context, "generated/generate/", _what_is_wrong)


def _what_is_wrong(exchange: Exchange) -> str:
    return listed([f"{field} is not {_wanted(field)}" for field in wrongly_typed(fields(exchange.request))])


def _wanted(field: str) -> str:
    kinds = documented()[field]["type"]
    kind = next(kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null")
    return f"an {kind}" if kind == "integer" else f"a {kind}"
