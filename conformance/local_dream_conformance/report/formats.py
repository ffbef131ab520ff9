"""The formats of reports, one line each: the option that asks for one, and the function that makes its text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from local_dream_conformance.core.exchange import Transcript
from local_dream_conformance.report.view_model import ViewModel
from local_dream_conformance.result.result import Result

Text: TypeAlias = Callable[[Result, Sequence[Transcript]], str]
"""Makes a report of a result. `transcripts` hold no tokens any more. May raise ReportRefused."""


@dataclass(frozen=True)
class Format:
    """`--OPTION PATH` writes what `text` makes. With `by_suffix`, the suffix of PATH decides; another is refused."""

    option: str
    noun: str
    """What the line calls it that says where it was written."""
    text: Text | None = None
    by_suffix: dict[str, Text] = field(default_factory=dict)

    def of(self, suffix: str) -> Text | None:
        """What makes the text of a file with this suffix, None where there is no such form."""
        return self.text or self.by_suffix.get(suffix)


# The makers import what they need when they are called: templates and image libraries take time to load.


def _html(result: Result, transcripts: Sequence[Transcript]) -> str:
    from local_dream_conformance.report import html

    return html.page(result, transcripts)


def markdown(result: Result, transcripts: Sequence[Transcript]) -> str:
    """The Markdown report, which is the summary of a CI job too."""
    from local_dream_conformance.report import markdown

    return markdown.page(ViewModel(result))


def _badge_svg(result: Result, transcripts: Sequence[Transcript]) -> str:
    from local_dream_conformance.report import badge

    return badge.svg(ViewModel(result))


def _badge_json(result: Result, transcripts: Sequence[Transcript]) -> str:
    from local_dream_conformance.report import badge

    return badge.text(ViewModel(result))


FORMATS = (
    Format("html-report", "report", _html),
    Format("markdown-report", "report", markdown),
    Format("badge", "badge", by_suffix={".svg": _badge_svg, ".json": _badge_json}),
)
"""All that a result's JSON can be made into; `core.options.RUN_OPTIONS` has their help."""
