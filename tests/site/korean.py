"""Which pages there are in Korean, and of which text each is a translation.

A translation names its English page and that page's hash, `english: docs/index.md 0123456789abcdef`, in its front
matter (README.ko.md in a comment). `python -m tests.site.korean` prints these lines as they should be now.
"""

from __future__ import annotations

import re
import sys
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TRANSLATED = (
    "index",
    "install",
    "start/server",
    "start/client",
    "start/ci",
    "start/reference",
    "write-a-server/index",
    "write-a-client",
    "contract",
    "extensions",
    "releases",
    "versions",
    "harm",
    "time",
    "reports",
    "waivers",
    "recordings",
    "phone",
    "troubleshooting",
    "mock-server",
    "proxy",
    "page",
    "client",
    "reference-server",
    "cluster",
    "models",
    "reference-engine",
    "limits",
    "comparison",
    "architecture",
)
PAGES = {
    "README.md": "README.ko.md",
    "SECURITY.md": "docs/ko/security.md",
    "CONTRIBUTING.md": "docs/ko/contributing.md",
    **{f"docs/{name}.md": f"docs/ko/{name}.md" for name in TRANSLATED},
}
"""English pages, with their Korean ones."""
NAMED = re.compile(r"^(?:<!-- )?english: \S+ [0-9a-f]{16}", re.MULTILINE)
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
PARTS = {
    "headings": re.compile(r"^#+ ", re.MULTILINE),
    "rows of tables": re.compile(r"^\|", re.MULTILINE),
    "items of lists": re.compile(r"^ *(?:[-*]|\d+\.) ", re.MULTILINE),
    "links": re.compile(r"\]\("),
    "paragraphs": re.compile(r"(?:\A|\n\n)(?=[^\s|#<])"),
}
COMMENT = re.compile(r"(?:^|\s+)# .*$", re.MULTILINE)


def text(page: str) -> str:
    """The text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def name(english: str) -> str:
    """What the translation of the present text of a page says of it."""
    return f"english: {english} {sha256(text(english).encode()).hexdigest()[:16]}"


def named(korean: str) -> str:
    """What a translation says; "" where it says nothing."""
    found = NAMED.search(text(korean))
    return found[0].removeprefix("<!-- ") if found else ""


def blocks(page: str) -> list[tuple[str, str]]:
    """The fenced blocks, language and text, without comments: those are translated."""
    return [(language, COMMENT.sub("", block)) for _, language, block in FENCE.findall(text(page))]


def spans(page: str) -> set[str]:
    """What stands as code in the text: names, options, messages."""
    return {" ".join(span.split()) for _, span in SPAN.findall(FENCE.sub("", text(page)))}


def parts(page: str) -> dict[str, int]:
    """How many headings, rows, items, links and paragraphs a page has, without its front matter."""
    body = FENCE.sub("", re.sub(r"\A---\n.*?\n---\n", "", text(page), count=1, flags=re.DOTALL))
    return {kind: len(pattern.findall(body)) for kind, pattern in PARTS.items()}


if __name__ == "__main__":
    for page in sys.argv[1:] or PAGES:
        sys.stdout.write(f"{PAGES[page]}: {name(page)}\n")
