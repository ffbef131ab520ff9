"""The contract file, as the server reads it: the request's schema with its types, ranges, defaults and requirements."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[3] / "spec" / "openapi.yaml"


@cache
def load_spec() -> dict[str, Any]:
    """The OpenAPI document: of the checkout that this module lies in, else the installed one."""
    path = CHECKOUT if CHECKOUT.is_file() else files("local_dream_spec") / "openapi.yaml"
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    return document


def component(name: str) -> dict[str, Any]:
    """A schema of the document, with what its `$ref`s need beside it."""
    components = load_spec()["components"]
    return {**components["schemas"][name], "components": components}


def ids_of(field: str) -> Mapping[str, str]:
    """Which requirement speaks of which keyword of a field of /generate, of the core or of an extension.

    The keys are those that `info.description` of the spec lists. Raises KeyError for a field that there is not.
    """
    ids: Mapping[str, str] = _properties()[field]["x-requirement-ids"]
    return ids


@cache
def extensions_of() -> Mapping[str, str]:
    """Which extension a requirement belongs to, by its id. Those of every server are not among them."""
    document = load_spec()
    operations = (one for path in document["paths"].values() for one in path.values() if isinstance(one, dict))
    said = (entry for holder in (document, *operations) for entry in holder.get("x-requirements", ()))
    profiles = {entry["id"]: entry["profile"].partition(":") for entry in said}
    return {id: extension for id, (_, _, extension) in profiles.items() if extension}


def fields_of(*types: str) -> tuple[str, ...]:
    """The names of the core's fields of /generate, those of some JSON types where any are given, in its order."""
    fields = component("GenerateRequest")["properties"]
    return tuple(name for name, field in fields.items() if not types or set(types) & set(listed(field["type"])))


def schedulers() -> tuple[str, ...]:
    """The schedulers that the contract knows, those of the extension too, each under one name."""
    names = component("GenerateRequest")["properties"]["scheduler"]["enum"]
    return tuple(name for name in names if name is not None and name not in synonyms())


def synonyms() -> Mapping[str, str]:
    """Further names of schedulers, with those that they mean."""
    names: Mapping[str, str] = component("GenerateRequest")["properties"]["scheduler"]["x-synonyms"]
    return names


def default_of(field: str) -> Any:
    """What a field means where it is left out."""
    return _properties()[field]["default"]


def seeds() -> int:
    """How many seeds there are: they begin with 0."""
    return int(component("GenerateRequest")["properties"]["seed"]["maximum"]) + 1


def generate_request(extensions: Collection[str]) -> dict[str, Any]:
    """The schema of a request to a server with these extensions: their fields and values, and no others'."""
    core, added = component("GenerateRequest"), component("GenerateExtensions")["properties"]
    properties = {name: _with_values(field, extensions) for name, field in core["properties"].items()}
    properties |= {name: field for name, field in added.items() if field["x-extension"] in extensions}
    return {**core, "properties": properties}


def _properties() -> dict[str, Any]:
    """The properties of a request, those of every extension too, each as it stands in the document."""
    return {**component("GenerateRequest")["properties"], **component("GenerateExtensions")["properties"]}


def _with_values(field: dict[str, Any], extensions: Collection[str]) -> dict[str, Any]:
    """The field with only those values of its enumeration that the core or one of the extensions has."""
    others = field.get("x-extension-values", {})
    left_out = {value for name, values in others.items() if name not in extensions for value in values}
    return {**field, "enum": [value for value in field["enum"] if value not in left_out]} if left_out else field


def listed(kinds: str | list[str]) -> list[str]:
    """The types of a schema as a list."""
    return [kinds] if isinstance(kinds, str) else kinds
