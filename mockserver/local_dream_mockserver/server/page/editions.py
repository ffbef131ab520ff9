"""The contract as JSON: as it is (OpenAPI 3.2), and an edition for tools that read 3.1 only."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from local_dream_mockserver.server.page.files import StaticFile, static_file
from local_dream_mockserver.server.spec import load_spec

OLDER = "3.1.1"


@cache
def editions() -> dict[str, StaticFile]:
    """The document by the version that is asked for with ?version=."""
    return {"3.2": _file(load_spec()), "3.1": _file(older(load_spec()))}


def older(document: dict[str, Any]) -> dict[str, Any]:
    """The same contract in OpenAPI 3.1, which cannot say what the items of a stream are.

    There the body of a stream is a string, and the schema of its events stands under `x-itemSchema`.
    """
    return {**_without_items(document), "openapi": OLDER}


def _without_items(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_items(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: _without_items(one) for key, one in value.items() if key != "itemSchema"}
    if "itemSchema" in value:
        made |= {"schema": {"type": "string"}, "x-itemSchema": _without_items(value["itemSchema"])}
    return made


def _file(document: dict[str, Any]) -> StaticFile:
    return static_file("openapi.json", json.dumps(document, ensure_ascii=False, indent=1).encode())
