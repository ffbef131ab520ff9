"""Checks of the group generate-types: a field of a wrong JSON type is refused with status 400."""

from __future__ import annotations

import json
from collections.abc import Callable

from local_dream_conformance.checks import generated_requests
from local_dream_conformance.checks.assertions import expect_status, unless_absent
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.fields import Field, documented
from local_dream_conformance.evidence.selectors import fields, listed
from local_dream_conformance.scenarios.generated_requests import wrongly_typed


def _wrong_type(field: Field, scenario: str) -> Callable[[Context], None]:
    def wrong_type(context: Context) -> None:
        unless_absent(context)
        for exchange in context.starting(f"{scenario}/type/{field.name}-"):
            value = escape(json.dumps(fields(exchange.request).get(field.name)), 40)
            cause = "the value is converted, or not looked at" if exchange.status == 200 else ""
            what = f"{field.name}: {value}, which is not {_wanted(field)}"
            expect_status(context, exchange, 400, what=what, cause=cause)

    wrong_type.__qualname__ = f"wrong_type_of_{field.name}"
    return wrong_type


for _field in documented().values():
    _scenario = "refuse-image" if _field.is_picture else "refuse"
    check(_field.ids["type"], needs=[_scenario])(_wrong_type(_field, _scenario))


@check("GEN-TYP-15", needs=["generated"])
def generated_wrong_types(context: Context) -> None:
    unless_absent(context)
    generated_requests.judge(context, "generated/generate/", _what_is_wrong)


def _what_is_wrong(exchange: Exchange) -> str:
    return listed([f"{name} is not {_wanted(documented()[name])}" for name in wrongly_typed(fields(exchange.request))])


def _wanted(field: Field) -> str:
    return f"an {field.type}" if field.type == "integer" else f"a {field.type}"
