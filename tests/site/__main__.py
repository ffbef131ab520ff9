"""`python -m tests.site`: writes docs/write-a-server from runs against the mock server (some minutes)."""

from __future__ import annotations

import logging
import sys

from tests.site.exchanges import Pairs
from tests.site.pages import FOLDER, chapters, page

logging.disable()  # servers with faults complain of themselves
pairs = Pairs()
every = chapters(pairs.suite)
if unknown := set(sys.argv[1:]) - {chapter.name for chapter in every}:
    sys.exit(f"no chapter {', '.join(sorted(unknown))}; there are {', '.join(chapter.name for chapter in every)}")
for chapter, requirements in every.items():
    if len(sys.argv) < 2 or chapter.name in sys.argv[1:]:
        sys.stdout.write(f"{chapter.title}: {len(requirements)} requirements\n")
        sys.stdout.flush()
        (FOLDER / f"{chapter.name}.md").write_text(page(chapter, requirements, pairs), encoding="utf-8")
