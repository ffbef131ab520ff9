"""Badges: the verdict of a whole run as shields.io endpoint JSON and as SVG. ReportRefused for anything less."""

from __future__ import annotations

import json
from typing import Any

from local_dream_conformance.core.budget import counted
from local_dream_conformance.core.errors import ReportRefused
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.report import template
from local_dream_conformance.report.view_model import ViewModel
from local_dream_conformance.result.result import Outcome

JUDGED = {"core": "core only", "hardened": "core + hardened", "all": "core + hardened + extensions"}
"""What is judged in each profile."""
COLOURS = {"brightgreen": "#2f7d32", "green": "#4f6f1f", "orange": "#a85d00", "red": "#b3261e", "lightgrey": "#5c6470"}
"""shields.io's names and what the SVG paints: darker, so that white letters can be read on them."""
HEIGHT, MARGIN = 20, 6


def endpoint(document: ViewModel) -> dict[str, Any]:
    """The badge as shields.io reads it (https://shields.io/badges/endpoint-badge). Raises ReportRefused."""
    if document.partial:
        raise ReportRefused(f"{document.partial}; a badge needs a whole run against a server")
    return {
        "schemaVersion": 1,
        "label": f"Local Dream contract {document.contract}",
        "message": f"{JUDGED[document.profile]}: {_verdict(document)}",
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
    """The verdict with all that it leaves out, so that no more can be read into it than was found."""
    waived, warned = document.count(Verdict.WAIVED), document.count(Verdict.WARN)
    words = document.title.lower()
    if waived:
        words = words.removesuffix(" with waivers") + f" with {counted(waived, 'waiver')}"
    notes = [words]
    if document.outcome is Outcome.CONFORMANT and warned:
        notes.append(f"{warned} SHOULD broken")
    lacking = [name for name, has in (("img2img", document.settings["img2img"]),) if not has]
    lacking += [] if document.settings["upscaler_path"] else ["upscale"]
    if lacking:
        notes.append(f"without {' and '.join(lacking)}")
    notes += [f"with the field {field.partition('=')[0]}" for field in document.settings.get("fields", ())]
    return ", ".join(notes)


def _colour(document: ViewModel) -> str:
    if document.outcome is Outcome.NOT_CONFORMANT:
        return "red"
    if document.outcome is Outcome.INCONCLUSIVE:
        return "lightgrey"
    if document.count(Verdict.WARN):
        return "orange"
    return "green" if document.count(Verdict.WAIVED) else "brightgreen"


def _width(text: str) -> int:
    """About the pixels of a text in 11 px Verdana. `textLength` in the SVG makes it exact in any font."""
    narrow, wide = "fijlt1 .,:;'|!-", "mwMW@%"
    return round(sum(4.3 if char in narrow else 10 if char in wide else 7 for char in text))
