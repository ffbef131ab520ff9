"""Whether a changed source compiles, and whether another program comes of it."""

from __future__ import annotations

import ast
import marshal
import re
import subprocess
from hashlib import sha256
from pathlib import Path

from tests.examples.servers import Example


class DoesNotCompile(Exception):
    """The compiler refuses the source."""


def program(example: Example, folder: Path, source: str, text: str) -> bytes:
    """What stands for the program that a server is with one source changed. Raises DoesNotCompile.

    Equal ones are one program: Python's byte code without line numbers; Go's binary without them as far as it has none;
    Node shows no code, so that there only blanks and comments count for nothing.
    """
    if source.endswith(".py"):
        return _python(text)
    for name in (*example.sources, *example.needs):
        whole = example.folder / name
        if whole.is_file():
            changed = text if name == source else whole.read_text(encoding="utf-8")
            (folder / name).write_text(changed, encoding="utf-8")
    if example.name == "go":
        _run(folder, "go", "build", "-trimpath", "-ldflags=-s -w -buildid=", "-o", "server", ".")
        return sha256((folder / "server").read_bytes()).digest()
    _run(folder, "node", "--check", source)
    return source.encode() + re.sub(r"\s+|/\*.*?\*/", "", text).encode()


def _python(text: str) -> bytes:
    try:
        tree = ast.parse(text)
        for node in ast.walk(tree):
            for place in ("lineno", "end_lineno", "col_offset", "end_col_offset"):
                if hasattr(node, place):
                    setattr(node, place, 1 if "lineno" in place else 0)
        return marshal.dumps(compile(tree, "server", "exec"), 2)  # 2: without references, which differ by chance
    except (SyntaxError, ValueError) as error:
        raise DoesNotCompile(str(error)) from error


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise DoesNotCompile(done.stderr)
