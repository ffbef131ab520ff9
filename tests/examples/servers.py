"""The servers in examples/servers: how each is built and started, and what it needs."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SERVERS = Path(__file__).resolve().parents[2] / "examples" / "servers"
ADDRESS = re.compile(rb"http://127\.0\.0\.1:[1-9][0-9]*")


@dataclass(frozen=True)
class Example:
    """A server in the folder of its name.

    `sources` are its files of code, the one that speaks HTTP first; `needs` is what else must lie beside them.
    `command` starts it there, after `build`, if there is one; options follow.
    """

    name: str
    sources: tuple[str, ...]
    command: tuple[str, ...]
    build: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return SERVERS / self.name

    def missing(self) -> str:
        """What this machine lacks for it, "" where it can run."""
        match self.name:
            case "fastapi":
                return "" if importlib.util.find_spec("fastapi") else "Python package fastapi"
            case "go":
                return "" if shutil.which("go") else "go"
        if not shutil.which("node"):
            return "node"
        return "" if (self.folder / "node_modules" / "sharp").is_dir() else "npm install in examples/servers/node"

    def make(self, folder: Path, change: Callable[[str, str], str] = lambda name, text: text) -> None:
        """Copy it to a folder, each source changed by its name and text, and build it there.

        Raises CalledProcessError where the compiler refuses it.
        """
        for source in self.folder.iterdir():
            if source.name in self.sources:
                text = change(source.name, source.read_text(encoding="utf-8"))
                (folder / source.name).write_text(text, encoding="utf-8")
            elif source.name in self.needs:
                (folder / source.name).symlink_to(source)
        if self.build:
            subprocess.run(self.build, cwd=folder, check=True, capture_output=True, text=True)


EXAMPLES = {
    example.name: example
    for example in (
        Example("fastapi", ("server.py", "engine.py"), (sys.executable, "-B", "server.py")),
        Example("go", ("main.go", "engine.go"), ("./server",), ("go", "build", "-o", "server", "."), ("go.mod",)),
        Example("node", ("server.js", "engine.js"), ("node", "server.js"), needs=("package.json", "node_modules")),
    )
}


class ServerFailed(Exception):
    """The server ended before it said where it listens; the message is what it wrote."""


@contextmanager
def running(example: Example, folder: Path, step_ms: int) -> Iterator[str]:
    """The server that was made in a folder, on a free port: its address. Raises ServerFailed."""
    command = [*example.command, "--port", "0", "--step-ms", str(step_ms)]
    with tempfile.TemporaryFile() as log:  # and no pipe: one that nobody reads stops the server when it is full
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            while not (address := ADDRESS.search(os.pread(log.fileno(), 1 << 16, 0))):
                if process.poll() is not None:
                    raise ServerFailed(os.pread(log.fileno(), 1 << 16, 0).decode(errors="replace"))
                time.sleep(0.05)
            yield address[0].decode()
        finally:
            process.kill()
            process.wait()
