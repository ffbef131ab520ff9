"""The contract file, as the server reads it: the request's schema with its types, ranges and defaults."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parent.parent / "spec" / "openapi.yaml"


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


def without_extension_values(schema: dict[str, Any]) -> dict[str, Any]:
    """An object's schema whose enumerations lack the values that only extensions have (`x-extension-values`)."""
    properties = {name: _core(field) for name, field in schema["properties"].items()}
    return {**schema, "properties": properties}


def _core(field: dict[str, Any]) -> dict[str, Any]:
    added = [value for values in field.get("x-extension-values", {}).values() for value in values]
    return {**field, "enum": [value for value in field["enum"] if value not in added]} if added else field
