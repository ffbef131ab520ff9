"""The published JSON Schema of a result, and results read back through it."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from local_dream_conformance.core.escape import escape
from local_dream_conformance.result.result import FORMAT


class BadResult(ValueError):
    """The file is not a result that can be read; the message names it, the place in it and what is wrong."""


def text() -> str:
    """The schema, as it is published."""
    name = f"result-{FORMAT}.schema.json"
    return (resources.files("local_dream_conformance.result") / "schemas" / name).read_text(encoding="utf-8")


def problem(document: Any) -> str:
    """What is wrong with a result, "" where it is right."""
    error = best_match(Draft202012Validator(json.loads(text())).iter_errors(document))
    return "" if error is None else f"{error.json_path}: {escape(error.message)}"


def load(path: Path) -> dict[str, Any]:
    """The result in a file. Raises BadResult."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadResult(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise BadResult(f"{path} is not JSON: {error}") from None
    if isinstance(document, dict) and "format" in document and document["format"] != FORMAT:
        raise BadResult(f"{path}: format {document['format']!r} is not known here (this version reads {FORMAT})")
    if wrong := problem(document):
        raise BadResult(f"{path} is no result of a run (--json-report): {wrong}")
    assert isinstance(document, dict)
    return document
