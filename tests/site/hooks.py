"""What the documentation site has beside docs/: pages that are made, and files of the repository that pages link to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from local_dream_mockserver.faults.catalogue import Fault, Layer, Quirk, entries
from tests.site import options

ROOT = Path(__file__).resolve().parents[2]
READ = ("SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")
"""Pages of the site that stand at the root of the repository."""
LINK = re.compile(r"(!?)\[([^\]]*)\]\(((?:\.\./)*)([^)#\s:]+)((?:#[^)]*)?)\)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Adds the made pages and those from the root."""
    made = {"options.md": options.page(), "faults.md": faults()}
    made |= {name: (ROOT / name).read_text(encoding="utf-8") for name in READ}
    for path, text in made.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Turns links out of docs/ into links to the site's own copy, or into plain names: a reader of the site has no
    clone beside it.
    """
    here = Path(page.file.src_uri).parent
    at_root = page.file.src_uri in READ

    def turned(link: re.Match[str]) -> str:
        picture, text, up, path, anchor = link.groups()
        source = ROOT if at_root else ROOT / "docs" / here
        target = (source / up / path).resolve()
        if not target.is_relative_to(ROOT):
            return link[0]
        relative = target.relative_to(ROOT).as_posix()
        if relative in READ:
            wanted = relative
        elif relative.startswith("docs/"):
            wanted = relative.removeprefix("docs/")
            if not target.exists() or target.suffix not in (".md", ".png", ".jpg", ".svg"):
                wanted = wanted if wanted in ("options.md", "faults.md") else ""
        else:
            wanted = ""
        if not wanted:
            return text if text.startswith("`") else f"{text} (`{relative}`)"
        depth = len(here.parts)
        return f"{picture}[{text}]({'../' * depth}{wanted}{anchor})"

    return LINK.sub(turned, markdown)


def on_post_page(output: str, *, page: Page, **_: Any) -> str:
    """Says of a translated page which language it is in: the theme knows one for the whole site."""
    parts = Path(page.file.src_uri).parts
    return output.replace('<html lang="en"', '<html lang="ko"', 1) if parts[0] == "ko" else output


def faults() -> str:
    """The catalogue of faults and quirks, by layer."""
    lines = [
        "# Faults and quirks of the mock",
        "",
        "`local-dream mock --fault NAME` does wrong what a requirement forbids, `--quirk NAME` is odd within the "
        "contract; [the mock's page](mock-server.md) says how to use them in tests, and "
        "[Write a server](write-a-server/index.md) how they look on the wire.",
    ]
    for kind, title in ((Fault, "Faults"), (Quirk, "Quirks")):
        lines += ["", f"## {title}"]
        for layer in Layer:
            found = [entry for entry in entries().values() if isinstance(entry, kind) and entry.layer == layer]
            if found:
                lines += ["", f"### {title}: {layer}", "", "| name | what it does | against |", "|---|---|---|"]
                lines += [_fault(entry) for entry in found]
    return "\n".join((*lines, ""))


def _fault(entry: Fault | Quirk) -> str:
    against = entry.breaks if isinstance(entry, Fault) else entry.discouraged
    return f"| `{entry.name}` | {entry.sentence.replace('|', chr(92) + '|')} | {', '.join(against)} |"
