"""A server as a process, watched from outside: its memory, its processor time, and what it says on stderr."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn
from urllib.parse import urlsplit

import httpx

MODULE = "local_dream_mockserver.commands"
COMMANDS = {
    "mock": (f"{MODULE}.mock", "--a1111"),
    "reference": (f"{MODULE}.serve", "--a1111"),
    "proxy": (f"{MODULE}.proxy", "--fault", "chunk-extensions"),
    "mock-control": (f"{MODULE}.mock", "--a1111", "--control"),
    "control-port": (f"{MODULE}.mock", "--control-port", "0"),
}
"""What is thrown at: the servers, the proxy before a mock, the mock's control API, and the extension's second port."""
PROXY = "proxy"
TICKS = os.sysconf("SC_CLK_TCK")
LIMITED = ("sh", "-c", 'ulimit -n "$0" && exec "$@"')
"""Runs a command with so many file descriptors."""


@dataclass(frozen=True)
class Served:
    """A running server. `aimed` is where requests go: `url`, or the control port where that is the target."""

    url: str
    aimed: str
    process: subprocess.Popen[str]
    log: IO[str]

    def memory(self) -> int:
        """Resident, in MiB; 0 once it has ended."""
        try:
            lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines()
        except OSError:
            return 0
        return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS")), 0)

    def cpu(self, *, loop: bool = False) -> float:
        """Seconds of processor time so far; with `loop` of the thread that has the event loop."""
        pid = self.process.pid
        path = f"/proc/{pid}/task/{pid}/stat" if loop else f"/proc/{pid}/stat"
        used = Path(path).read_text(encoding="ascii").rpartition(")")[2].split()[11:13]
        return sum(map(int, used)) / TICKS

    def client(self, address: str = "127.0.0.1", seconds: float = 120.0) -> httpx.Client:
        """A client that comes from an address of loopback. Without certificates to load, two hundred times."""
        transport = httpx.HTTPTransport(local_address=address, verify=False)
        return httpx.Client(base_url=self.url, timeout=seconds, transport=transport)

    def connect(self, seconds: float, address: str = "127.0.0.1", *, window: int = 0) -> socket.socket:
        """A bare connection to what is aimed at, from an address of loopback, whose operations take at most so long.
        With `window` it takes few bytes beyond so many that nobody reads."""
        parts = urlsplit(self.aimed)
        assert parts.hostname is not None
        connection = socket.socket()
        if window:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        connection.settimeout(seconds)
        connection.bind((address, 0))
        connection.connect((parts.hostname, parts.port or 80))
        return connection

    def tracebacks(self) -> int:
        """How many failures it has logged."""
        self.log.seek(0)
        return sum(line.startswith(("Traceback", "  File")) for line in self.log)

    def stop(self) -> tuple[int, float]:
        """Status and seconds from SIGTERM to its end; status -9 where it had to be killed after a minute."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60), time.monotonic() - began
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(), time.monotonic() - began


def _not_ready(process: subprocess.Popen[str], log: IO[str]) -> NoReturn:
    status = process.wait()
    log.seek(0)
    raise RuntimeError(f"the server ended with status {status} before it was ready: {log.read()}")


@contextmanager
def served(target: str, *more: str, port: int = 0, descriptors: int = 0) -> Iterator[Served]:
    """The target of COMMANDS at a port of loopback, by default a free one, with more options; with `descriptors` it has
    so many."""
    module, *options = COMMANDS[target]
    with ExitStack() as stack:
        if target == PROXY:
            options += ["--upstream", stack.enter_context(served("mock")).url]
        command = [sys.executable, "-m", module, "--port", str(port), *options, *more]
        limited = [*LIMITED, str(descriptors)] if descriptors else []
        log = stack.enter_context(tempfile.TemporaryFile("w+"))
        process = stack.enter_context(
            subprocess.Popen([*limited, *command], stdout=subprocess.PIPE, stderr=log, text=True)
        )
        try:
            assert process.stdout is not None
            url, *control = re.findall(r"http://\S+", process.stdout.readline()) or _not_ready(process, log)
            yield Served(url, control[0] if control else url, process, log)
        finally:
            process.kill()
