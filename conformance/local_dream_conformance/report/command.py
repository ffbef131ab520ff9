"""The request of an exchange as a command to paste, and its body as a file to save beside it."""

from __future__ import annotations

import base64
import re
import shlex
from dataclasses import dataclass

from local_dream_conformance.core.exchange import Request

SAVED = 256 << 10
"""Largest body, in bytes, that a report carries."""


@dataclass(frozen=True)
class Command:
    """A line for a shell; where it reads a file, that file's name, its bytes, and it as a data URI ("": too large)."""

    line: str
    file: str = ""
    size: int = 0
    uri: str = ""


def of(line: str, request: Request) -> Command:
    """The command from the suite's curl line, which names the body's file on the machine of the run."""
    try:
        words = shlex.split(line)
    except ValueError:
        return Command(line)
    last = "<" in words and words[-1]
    file = next((word[1:] for word in words if word.startswith("@/")), last or "")
    if not file or "/" not in file:
        return Command(line)
    name = re.split(r"[/\\]", file)[-1]
    size = len(request.body)
    uri = "data:application/octet-stream;base64," + base64.b64encode(request.body).decode("ascii")
    return Command(line.replace(file, name), name, size, uri if size <= SAVED else "")
