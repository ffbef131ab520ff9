"""Badges: the verdict of a whole run as shields.io endpoint JSON and as SVG. ReportRefused for anything less."""

from __future__ import annotations

import json
from typing import Any

from local_dream_conformance.core.errors import ReportRefused
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.report import template
from local_dream_conformance.report.view_model import ViewModel
from local_dream_conformance.result.result import Outcome

COLOURS = {"brightgreen": "#2f7d32", "orange": "#a85d00", "red": "#b3261e", "lightgrey": "#5c6470"}
"""shields.io's names and what the SVG paints: darker, so that white letters can be read on them."""
HEIGHT, MARGIN = 20, 6


def endpoint(document: ViewModel) -> dict[str, Any]:
    """The badge as shields.io reads it (https://shields.io/badges/endpoint-badge). Raises ReportRefused."""
    if document.partial:
        raise ReportRefused(f"{document.partial}; a badge needs a whole run against a server")
    return {
        "schemaVersion": 1,
        "label": f"Local Dream contract {document.contract}",
        "message": f"{document.profile}: {_verdict(document)}, {document.count(Verdict.WAIVED)} waived",
        "color": _colour(document),
    }


def text(document: ViewModel) -> str:
    """The endpoint JSON as a file. Raises ReportRefused."""
    return json.dumps(endpoint(document), indent=1) + "\n"


def svg(document: ViewModel) -> str:
    """The badge as a picture. Raises ReportRefused."""
    badge = endpoint(document)
    left, right = (_width(badge[part]) + 2 * MARGIN for part in ("label", "message"))
    return template.render(
        "badge.svg.jinja",
        label=badge["label"],
        message=badge["message"],
        colour=COLOURS[badge["color"]],
        left=left,
        right=right,
        margin=MARGIN,
        height=HEIGHT,
    )


def _verdict(document: ViewModel) -> str:
    lacking = [name for name, has in (("img2img", document.settings["img2img"]),) if not has]
    lacking += [] if document.settings["upscaler_path"] else ["upscale"]
    return document.title.lower() + (f" without {' and '.join(lacking)}" if lacking else "")


def _colour(document: ViewModel) -> str:
    if document.outcome is Outcome.NOT_CONFORMANT:
        return "red"
    if document.outcome is Outcome.INCONCLUSIVE:
        return "lightgrey"
    return "orange" if document.count(Verdict.WARN) else "brightgreen"


def _width(text: str) -> int:
    """About the pixels of a text in 11 px Verdana. `textLength` in the SVG makes it exact in any font."""
    narrow, wide = "fijlt1 .,:;'|!-", "mwMW@%"
    return round(sum(4.3 if char in narrow else 10 if char in wide else 7 for char in text))
