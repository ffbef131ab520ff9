"""The HTML report: one file that needs nothing else and may be forwarded to anyone.

A content security policy allows its own style and script by their hashes and pictures in data URIs, nothing else: what
a target sends can neither run nor load anything, even if it found a way past the escaping.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from local_dream_conformance.core.exchange import GENERATE, UPSCALE, Exchange, Transcript
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.report import exchange_view, template
from local_dream_conformance.report.exchange_view import ExchangeView
from local_dream_conformance.report.images import ReportImages
from local_dream_conformance.report.view_model import BROKEN, NAMES, NOT_JUDGED, ORDER, ViewModel
from local_dream_conformance.result.requirement_result import RequirementResult
from local_dream_conformance.result.result import Result

EXHIBITS = 4
"""Most exchanges shown with one requirement; the others are named."""
GALLERY = 8
"""Most answers whose pictures are shown for themselves."""


def page(result: Result, transcripts: Sequence[Transcript] = ()) -> str:
    """The report of a result, with timed events and pictures from the transcripts, where there are some.

    Transcripts are shown as they are: take tokens out of them before (conformance.redaction).
    """
    document = ViewModel(result)
    images = ReportImages()
    exchanges = {exchange.label: exchange for transcript in transcripts for exchange in transcript.exchanges}
    style, script = template.source("report.css"), template.source("report.js")
    return template.render(
        "report.html.jinja",
        document=document,
        exchange_views={entry.id: _exchange_views(entry, exchanges, document, images) for entry in document.entries},
        gallery=_gallery(exchanges, document, images),
        style=Markup(style),
        script=Markup(script),
        policy=f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'",
        names=NAMES,
        exhibits=EXHIBITS,
        order=ORDER,
        sections=(
            ("broken", "Broken", BROKEN, True),
            ("warned", "Broken, but only recommended", (Verdict.WARN,), False),
            ("waived", "Broken, known and waived", (Verdict.WAIVED,), False),
            ("not-judged", "Not judged", NOT_JUDGED, False),
            ("holding", "Holds", (Verdict.PASS,), False),
        ),
    )


def _exchange_views(
    entry: RequirementResult, exchanges: Mapping[str, Exchange], document: ViewModel, images: ReportImages
) -> dict[str, ExchangeView]:
    """The exchanges in which a requirement is broken, by label."""
    shown = [label for label, _ in entry.places if label in exchanges][:EXHIBITS]
    return {label: exchange_view.of(exchanges[label], document, images) for label in shown}


def _gallery(exchanges: Mapping[str, Exchange], document: ViewModel, images: ReportImages) -> list[ExchangeView]:
    """Answers with a picture of the target's own making, from every scenario the first of them, then the others."""
    shown: list[ExchangeView] = []
    for exchange in sorted(exchanges.values(), key=lambda exchange: exchange.label.count("/")):
        if len(shown) == GALLERY:
            break
        if exchange.status != 200 or exchange.operation not in (GENERATE, UPSCALE):
            continue
        made = exchange_view.of(exchange, document, images)
        if any(picture.uri and not picture.caption.startswith(("input", "mask")) for picture in made.pictures):
            shown.append(made)
    return shown


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"
