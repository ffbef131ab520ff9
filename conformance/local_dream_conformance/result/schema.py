"""The published JSON Schema of a result, generated from its types, and results read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from local_dream_conformance.core.escape import escape
from local_dream_conformance.result.result import FORMAT, Result


class BadResult(ValueError):
    """The file is not a result that can be read; the message names it, the place in it and what is wrong."""


def text() -> str:
    """The schema, as it is published."""
    found = msgspec.json.schema(Result)
    (name,) = (found.pop("$ref").rpartition("/")[2],)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:local-dream-conformance:result:{FORMAT}",
        **found["$defs"].pop(name),
        "title": f"Result of a Local Dream conformance run, format {FORMAT}",
    }
    return json.dumps({**head, "$defs": found["$defs"]}, indent=1) + "\n"


def read(document: Any) -> Result:
    """The result in JSON values. Raises BadResult, with the place and what is wrong."""
    try:
        return msgspec.convert(document, Result)
    except msgspec.ValidationError as error:
        wrong, _, place = str(error).partition(" - at ")
        raise BadResult(f"{place.strip('`') or '$'}: {escape(wrong)}") from None


def load(path: Path) -> Result:
    """The result in a file. Raises BadResult."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadResult(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BadResult(f"{path} is not JSON: {error}") from None
    if isinstance(document, dict) and "format" in document and document["format"] != FORMAT:
        raise BadResult(f"{path}: format {document['format']!r} is not known here (this version reads {FORMAT})")
    try:
        return read(document)
    except BadResult as error:
        raise BadResult(f"{path} is no result of a run (--json-report): {error}") from None
