"""The templates of the reports: everything put into them is escaped, and what is missing is an error."""

from __future__ import annotations

import functools
import re
from importlib import resources
from typing import Any

import jinja2
import markupsafe
from markupsafe import Markup

from local_dream_conformance.core.escape import escape
from local_dream_conformance.report.timeline import seconds
from local_dream_conformance.report.view_model import many
from local_dream_conformance.result import cause


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("local_dream_conformance.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["many"] = many
    environment.filters["is_korean"] = is_korean
    environment.filters["words"] = words
    environment.filters["seconds"] = seconds
    environment.filters["safe_text"] = escape
    environment.filters["kinds"] = cause.alike
    return environment


def words(text: str) -> Markup:
    """A sentence of the contract: what it has in backticks becomes code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(markupsafe.escape(text))))


def is_korean(text: str) -> bool:
    """Whether a text has Hangul in it, so that it is read aloud in the right language."""
    return any("\uac00" <= char <= "\ud7a3" for char in text)


def render(name: str, **values: Any) -> str:
    """A template with its values."""
    return _environment().get_template(name).render(**values)


def source(name: str) -> str:
    """The text of a file beside the templates, such as the style sheet."""
    return (resources.files("local_dream_conformance.report") / "templates" / name).read_text(encoding="utf-8")
