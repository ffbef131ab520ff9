"""Whether a value holds a schema, without a word on why not: for requests that nothing is wrong with, which most are.

jsonschema takes longer to find nothing than the server takes for all the rest. It has the errors; a test compares the
two. Only the keywords that the contract uses for requests are known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

Holds: TypeAlias = Callable[[Any], bool]

NOTES: Final = frozenset({"components", "contentEncoding", "default", "description", "examples", "then"})
"""Keywords that ask nothing by themselves, beside those that begin with `x-`."""
KINDS: Final[dict[str, tuple[type, ...]]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


class Beyond(Exception):
    """The schema has what is not known here; the message names it."""


def holds(schema: dict[str, Any]) -> Holds:
    """A function of a value that json.loads gave, its numbers finite. Raises Beyond."""
    rules = [
        _rule(keyword, wanted, schema)
        for keyword, wanted in schema.items()
        if keyword not in NOTES and not keyword.startswith("x-")
    ]
    return rules[0] if len(rules) == 1 else _each(rules)


def _rule(keyword: str, wanted: Any, schema: dict[str, Any]) -> Holds:
    if keyword == "type":
        return _type([wanted] if isinstance(wanted, str) else wanted)
    if keyword in ("const", "enum"):
        return _one_of([wanted] if keyword == "const" else wanted)
    if keyword in ("minimum", "maximum", "multipleOf"):
        return _number(keyword, wanted)
    if keyword in ("minLength", "pattern"):
        return _string(keyword, wanted)
    if keyword in ("minItems", "items"):
        return _array(keyword, wanted)
    if keyword in ("properties", "required"):
        return _object(keyword, wanted)
    if keyword == "allOf":
        return _each([holds(one) for one in wanted])
    if keyword == "if":
        asked, then = holds(wanted), holds(schema["then"])
        return lambda value: not asked(value) or then(value)
    raise Beyond(keyword)


def _each(rules: list[Holds]) -> Holds:
    return lambda value: all(rule(value) for rule in rules)


def _type(names: list[str]) -> Holds:
    kinds = frozenset(kind for name in names for kind in KINDS[name])
    if "integer" not in names or "number" in names:
        return lambda value: type(value) in kinds
    return lambda value: type(value) in kinds or (type(value) is float and value.is_integer())


def _one_of(values: list[Any]) -> Holds:
    if not all(isinstance(value, str | bool | None) for value in values):
        raise Beyond("a number, array or object in enum or const")
    known = [(type(value), value) for value in values]
    return lambda value: (type(value), value) in known


def _number(keyword: str, wanted: Any) -> Holds:
    if type(wanted) is not int:
        raise Beyond(f"{keyword} that is no whole number")
    if keyword == "minimum":
        return lambda value: type(value) not in (int, float) or value >= wanted
    if keyword == "maximum":
        return lambda value: type(value) not in (int, float) or value <= wanted
    return lambda value: type(value) not in (int, float) or not value % wanted


def _string(keyword: str, wanted: Any) -> Holds:
    if keyword == "minLength":
        return lambda value: type(value) is not str or len(value) >= wanted
    pattern = re.compile(wanted)
    return lambda value: type(value) is not str or pattern.search(value) is not None


def _array(keyword: str, wanted: Any) -> Holds:
    if keyword == "minItems":
        return lambda value: type(value) is not list or len(value) >= wanted
    each = holds(wanted)
    return lambda value: type(value) is not list or all(each(one) for one in value)


def _object(keyword: str, wanted: Any) -> Holds:
    if keyword == "required":
        names = frozenset(wanted)
        return lambda value: type(value) is not dict or names <= value.keys()
    rules = {name: holds(schema) for name, schema in wanted.items()}

    def hold(value: Any) -> bool:
        if type(value) is dict:
            for name, one in value.items():
                rule = rules.get(name)
                if rule is not None and not rule(one):
                    return False
        return True

    return hold
