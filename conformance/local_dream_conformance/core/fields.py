"""The fields of POST /generate as the contract has them: schema, default, range, and the requirements of each.

Scenarios send what breaks them, checks look up which requirement speaks of it; neither keeps a list of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from local_dream_conformance.core import contract

RANGES = ("minimum", "maximum", "multipleOf", "enum")
"""Keywords that a value of the right type can break."""
MINUS_ONE = "minus-one"
"""Says in `x-requirement-ids` which requirement speaks of -1, a value that servers do not agree about."""


@dataclass(frozen=True)
class Field:
    """One field. `schema` has no `x-` keys, and of an enumeration only what the core or the field's extension names.

    `ids` says which requirement speaks of which keyword of the schema (see `info.description` of the spec).
    `extension` is "" where the core has the field.
    """

    name: str
    schema: Mapping[str, Any]
    ids: Mapping[str, str]
    extension: str = ""

    @property
    def type(self) -> str:
        """Its JSON type beside null."""
        kinds = self.schema["type"]
        return kinds if isinstance(kinds, str) else next(kind for kind in kinds if kind != "null")

    @property
    def nullable(self) -> bool:
        return "null" in self.schema["type"]

    @property
    def default(self) -> Any:
        """What it means left out; None where that is no value: it is required, picked by the server, or not there."""
        return self.schema.get("default")

    @property
    def is_picture(self) -> bool:
        """Whether its text is a picture in base64."""
        return self.schema.get("contentEncoding") == "base64"

    @property
    def ranges(self) -> Mapping[str, Any]:
        """What its schema says of values of the right type."""
        return {keyword: self.schema[keyword] for keyword in RANGES if keyword in self.schema}

    def has_type(self, value: object) -> bool:
        """Whether the value has its JSON type; null has wherever the spec says so, and 2.0 is an integer."""
        return bool(Draft202012Validator({"type": self.schema["type"]}).is_valid(value))

    def range_ids(self) -> set[str]:
        """The requirements that speak of some value out of its range."""
        return {id for keyword, id in self.ids.items() if keyword == MINUS_ONE or keyword in self.ranges}

    def ids_broken_by(self, value: object) -> set[str]:
        """The requirements that speak of a value out of its range."""
        if value == -1 and MINUS_ONE in self.ids:
            return {self.ids[MINUS_ONE]}
        errors = Draft202012Validator(self.ranges).iter_errors(value)
        return {self.ids[str(error.validator)] for error in errors}


@cache
def documented() -> Mapping[str, Field]:
    """The fields that the core of the contract names, without the values that extensions add; in its order."""
    return {field.name: field for field in _fields("GenerateRequest")}


@cache
def of_extensions() -> Mapping[str, Field]:
    """The fields that extensions add."""
    return {field.name: field for field in _fields("GenerateExtensions")}


@cache
def max_seed() -> int:
    """The greatest seed; the least is 0."""
    return int(_properties("GenerateRequest")["seed"]["maximum"])


@cache
def added_schedulers() -> tuple[str, ...]:
    """The schedulers that the extension of that name adds to those of the core."""
    return tuple(_properties("GenerateRequest")["scheduler"]["x-extension-values"]["schedulers"])


@cache
def synonyms() -> Mapping[str, str]:
    """Further names of schedulers, with those that they mean."""
    names: Mapping[str, str] = _properties("GenerateRequest")["scheduler"]["x-synonyms"]
    return names


def _properties(schema: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = contract.load().document["components"]["schemas"][schema]["properties"]
    return found


def _fields(schema: str) -> Iterator[Field]:
    for name, full in _properties(schema).items():
        plain = {keyword: value for keyword, value in full.items() if not keyword.startswith("x-")}
        if added := [value for values in full.get("x-extension-values", {}).values() for value in values]:
            plain["enum"] = [value for value in plain["enum"] if value not in added]
        yield Field(name, plain, full["x-requirement-ids"], full.get("x-extension", ""))
