"""What the reader of a page does not run, and why.

Each entry is at least parsed, and one that no page has any more fails.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.documentation.blocks import Command


@dataclass(frozen=True)
class NotRun:
    """Commands that a pattern matches from their beginning, on pages whose names begin so."""

    page: str
    pattern: str
    reason: str

    def covers(self, command: Command) -> bool:
        return command.page.startswith(self.page) and re.match(self.pattern, command.text) is not None


NOT_RUN = (
    NotRun("README.md", r"make (check|test)\b", "the whole suite and all tests, these among them; .ci/run runs both"),
    NotRun("docs/install.md", r"pip install torch", "fetches 200 MB; the version is compared with the project's"),
    NotRun("docs/install.md", r"pip wheel (?!--no-deps)", "fetches all that is needed; pip's own parser reads it"),
    NotRun("docs/", r"adb ", "needs a phone; the commands after it meet a mock that answers as a phone does"),
    NotRun("docs/reference-server.md", r"local-dream serve --model ~/models/dreamshaper-8", "needs a graphics card"),
    NotRun(
        "docs/",
        r"local-dream serve --model (anime|/path/to/checkpoint)\.safetensors",
        "needs a checkpoint of some gigabytes; tests/reference_engine/test_single_file.py loads such files",
    ),
    NotRun(
        "docs/cluster.md",
        "",
        "needs Ray and machines beside this one: test_cluster.py makes them and types all of it, as root, where Ray is",
    ),
)
WORKFLOWS = ("docs/reports.md", "docs/start/ci.md")
"""Pages with steps of a GitHub workflow: GitHub alone runs them. They are held against `action.yml`."""


def reason(command: Command) -> str:
    """Why a command is not run; "" where it is."""
    return next((entry.reason for entry in NOT_RUN if entry.covers(command)), "")
