"""Checks of the group generate-types: a field of a wrong JSON type is refused with status 400."""

from __future__ import annotations

import json
from collections.abc import Callable

from conformance.acceptance import documented, expect_status, reached, unless_absent
from conformance.check import Case, check
from conformance.checks import generated_requests
from conformance.escape import escape
from conformance.evidence import fields, listed
from conformance.generated import wrongly_typed
from conformance.transcript import Exchange


def _probe(field: str) -> str:
    return "refuse-image" if field in ("image", "mask") else "refuse"


def _wrong_type(field: str) -> Callable[[Case], None]:
    def wrong_type(case: Case) -> None:
        unless_absent(case)
        for exchange in reached(case.starting(f"{_probe(field)}/type/{field}-")):
            value = escape(json.dumps(fields(exchange.request).get(field)), 40)
            cause = "the value is converted, or not looked at" if exchange.status == 200 else ""
            expect_status(case, exchange, 400, what=f"{field}: {value}, which is not {_wanted(field)}", cause=cause)

    wrong_type.__qualname__ = f"wrong_type_of_{field}"
    return wrong_type


for _number, _field in enumerate(documented(), 1):  # in the order of the schema, as a test makes sure
    check(f"GEN-TYP-{_number:02}", needs=[_probe(_field)], requires=["HLT-01"])(_wrong_type(_field))


@check("GEN-TYP-15", needs=["generated"], requires=["HLT-01"])
def generated_wrong_types(case: Case) -> None:
    unless_absent(case)
    generated_requests.judge(case, "generated/generate/", _what_is_wrong)


def _what_is_wrong(exchange: Exchange) -> str:
    return listed([f"{field} is not {_wanted(field)}" for field in wrongly_typed(fields(exchange.request))])


def _wanted(field: str) -> str:
    kinds = documented()[field]["type"]
    kind = next(kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null")
    return f"an {kind}" if kind == "integer" else f"a {kind}"
