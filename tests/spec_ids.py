"""The requirement ids of the contract with their levels."""

from __future__ import annotations

from typing import Any


def requirement_ids(document: dict[str, Any]) -> dict[str, str]:
    """Id to level, from every x-requirements of the document."""
    found = {entry["id"]: entry["level"] for entry in document["x-requirements"]}
    for item in document["paths"].values():
        for operation in item.values():
            found |= {entry["id"]: entry["level"] for entry in operation.get("x-requirements", ())}
    return found
