"""Links of the README and of every other page: files are there, and so are the headings in them.

`make docs` looks at links within the site alone; a link from there to a file of the repository becomes a plain name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.documentation.blocks import FENCE, ROOT

PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "reference_engine/**/*.md")
    for path in ROOT.glob(pattern)
    if "node_modules" not in path.parts
)
LINK = re.compile(r"\]\(([^)\s]+)\)|\b(?:href|src)=\"([^\"]+)\"")
CODE = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^#+ +(.*?)\s*$", re.MULTILINE)
MADE = ("docs/options.md", "docs/faults.md")
"""Pages that the site alone has."""


@cache
def anchors(page: Path) -> set[str]:
    """The names by which GitHub, and the site, know the headings of a page."""
    headings = HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def links(page: Path) -> Iterator[str]:
    """The links of a page that lead to no other host."""
    for markdown, html in LINK.findall(CODE.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))):
        link = markdown or html
        if not re.match(r"[a-z]+:", link):
            yield unquote(link)


def broken(page: Path) -> list[str]:
    """The links of a page that lead nowhere."""
    found = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if target.is_relative_to(ROOT) and target.relative_to(ROOT).as_posix() in MADE:
            continue
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_a_link_to_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `name`, twice\n[a](#a-name-twice) [b](#b) [c](c.md) [d](page.md#a) [e](https://example.org/e)\n"
    )
    assert broken(page) == ["#b", "c.md", "page.md#a"]
