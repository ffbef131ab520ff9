"""A server as a process, watched from outside: its memory, and what it says on stderr."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

COMMANDS = {
    "mock": ("local_dream_mockserver.commands.mock", "--a1111", "--control"),
    "reference": ("local_dream_mockserver.commands.serve", "--a1111"),
}


@dataclass(frozen=True)
class Served:
    """A running server."""

    url: str
    process: subprocess.Popen[str]
    log: IO[str]

    def memory(self) -> int:
        """Resident, in MiB; 0 once it has ended."""
        try:
            lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines()
        except OSError:
            return 0
        return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS")), 0)

    def connect(self, seconds: float) -> socket.socket:
        """A bare connection, whose operations take at most so long."""
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        return socket.create_connection((parts.hostname, parts.port or 80), seconds)

    def tracebacks(self) -> int:
        """How many failures it has logged."""
        self.log.seek(0)
        return sum(line.startswith(("Traceback", "  File")) for line in self.log)

    def stop(self) -> tuple[int, float]:
        """Status and seconds from SIGTERM to its end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60), time.monotonic() - began


@contextmanager
def served(target: str) -> Iterator[Served]:
    """The server `target` of COMMANDS on a free port of loopback."""
    module, *options = COMMANDS[target]
    command = [sys.executable, "-m", module, "--port", "0", *options]
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            yield Served(process.stdout.readline().split()[1], process, log)
        finally:
            process.kill()
