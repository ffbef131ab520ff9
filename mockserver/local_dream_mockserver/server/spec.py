"""The contract file, as the server reads it: the request's schema with its types, ranges and defaults."""

from __future__ import annotations

from collections.abc import Collection
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


def generate_request(extensions: Collection[str]) -> dict[str, Any]:
    """The schema of a request to a server with these extensions: their fields and values, and no others'."""
    core, added = component("GenerateRequest"), component("GenerateExtensions")["properties"]
    properties = {name: _with_values(field, extensions) for name, field in core["properties"].items()}
    properties |= {name: field for name, field in added.items() if field["x-extension"] in extensions}
    return {**core, "properties": properties}


def _with_values(field: dict[str, Any], extensions: Collection[str]) -> dict[str, Any]:
    """The field with only those values of its enumeration that the core or one of the extensions has."""
    others = field.get("x-extension-values", {})
    left_out = {value for name, values in others.items() if name not in extensions for value in values}
    return {**field, "enum": [value for value in field["enum"] if value not in left_out]} if left_out else field
