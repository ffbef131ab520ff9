"""A reader of one page: types its commands into a shell, one after the other, in a fresh folder.

Ports: 8081 and 8082 of the page are free ports here, in every command. A server that a command starts stays, once its
ready line is there, until another one takes its port or the page ends; then it gets Ctrl-C. Where a command asks
port 8081 and the page has started nothing, the reader's own server is there.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.documentation import given
from tests.documentation.blocks import Command

PATIENCE = 240.0
"""Seconds after which a command has failed to end, or a server to get ready."""
PORT = re.compile(r"(?<=[:=\s])(808[0-9])\b")
PORTS = range(20000, 32000)
"""Nobody gets one of these by asking for any free port: a server may take long until it listens."""
IN_CLONE = re.compile(r"pip (?:install|wheel) |.*\bexamples/")
"""What a page says to be typed in a clone."""
PHONE = "192.168.0.7"
"""The address of a phone, on pages."""
SERVER = re.compile(r"(?:local-dream (?:mock|serve|proxy)|\./your-server)\b")
OWN_PORT = re.compile(r"local-dream (?:mock|serve)\b(?!.*--port)", re.DOTALL)
READY = re.compile(r"^ready http://[^\s:]+:(\d+)", re.MULTILINE)
UNSTABLE = re.compile(
    r"(?P<date>20\d\d-\d\d-\d\d(?:T[\d:]+\+00:00)?)|(?P<number>(?<!\w)(?<![A-Z]-)\d+(?:\.\d+)?(?!\w))|(?P<rest>\.\.\.)"
)
MAY_BE = {"date": r"20\d\d-\d\d-\d\d(?:T[\d:]+\+00:00)?", "number": r"\d+(?:\.\d+)?", "rest": ".*"}
"""What differs from run to run: times, numbers that are no part of a name, what `...` leaves out."""


class Failed(AssertionError):
    """A command did not do what its page says."""


@dataclass
class Started:
    """A command under way, with what it has said so far; one that stands has the port of its ready line."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int = 0

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """Ctrl-C, as in a terminal: for all that the command started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise Failed(f"Ctrl-C does not end {self.process.args!r}") from None


class Reader:
    """A context: leaving it ends all servers."""

    def __init__(self, folder: Path, variables: dict[str, str], clone: Path, own: str = given.OWN) -> None:
        self.folder = folder
        self._variables = variables
        self._clone = clone
        self._own = own
        self._ports: dict[str, int] = {}
        self._servers: list[Started] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._servers:
            self._servers.pop().stop()

    def type(self, command: Command) -> None:
        """Runs a command as its page has it. Raises Failed where it ends otherwise than with status 0, or where what
        the page shows does not come.
        """
        serves = SERVER.match(command.text) is not None
        text = self._here(command.text)
        if serves:
            self._make_room(text)
        else:
            self._stand_for(text)
        started = self._start(text, serves)
        if not started.port and started.process.returncode:
            raise Failed(f"{command.place}: `{text}` ends with status {started.process.returncode}:\n{started.said}")
        missing = unseen(command.output, started.said)
        if missing:
            raise Failed(f"{command.place}: `{text}` does not say\n    {missing}\nbut\n{started.said}")

    def _here(self, text: str) -> str:
        """The command with ports, addresses and paths of this machine."""
        text = re.sub(r"\s*&\s*$", "", text)
        text = PORT.sub(lambda found: str(self._port(found[1])), text).replace(PHONE, "127.0.0.1")
        text = text.replace("PATH_OR_HUB_ID", f'"$VIRTUAL_ENV"/lib/python*/site-packages/{given.MODEL}')
        return OWN_PORT.sub(lambda found: f"{found[0]} --port {self._port('8081')}", text)

    def _port(self, shown: str) -> int:
        """A port that was free a moment ago, the same for the whole page."""
        while shown not in self._ports:
            port = random.choice([port for port in PORTS if port not in self._ports.values()])
            with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
                self._ports[shown] = port
        return self._ports[shown]

    def _make_room(self, text: str) -> None:
        """Ends the servers on the ports that a new one is to have."""
        for server in [one for one in self._servers if re.search(rf"--port {one.port}\b", text)]:
            self._servers.remove(server)
            server.stop()

    def _stand_for(self, text: str) -> None:
        """Starts the reader's own server where a command asks one that no command has started."""
        port = self._port("8081")
        if re.search(rf"127\.0\.0\.1:{port}\b", text) and port not in {one.port for one in self._servers}:
            started = self._start(f"{self._own} --port {port}", serves=True)
            if started.port != port:
                raise Failed(f"the reader's own server does not start:\n{started.said}")

    def _start(self, text: str, serves: bool) -> Started:
        """Runs a command to its end, or a server until it is ready."""
        descriptor, name = tempfile.mkstemp(prefix="said-", dir=self.folder.parent)
        folder = self._clone if IN_CLONE.match(text) else self.folder
        with os.fdopen(descriptor, "wb") as log:
            process = subprocess.Popen(
                ["bash", "-o", "pipefail", "-c", text],
                cwd=folder,
                env=self._variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started = Started(process, Path(name))
        until = time.monotonic() + PATIENCE
        while process.poll() is None:
            if serves and (ready := READY.search(started.said)):
                started.port = int(ready[1])
                self._servers.append(started)
                break
            if time.monotonic() > until:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise Failed(f"`{text}` neither ends nor gets ready:\n{started.said}")
            time.sleep(0.05)
        return started


def unseen(shown: tuple[str, ...], said: str) -> str:
    """The first line that a page shows and that does not come, in this order, in what was said; "" where all come.
    Other lines may stand between them.
    """
    lines = iter(" ".join(line.split()) for line in said.splitlines())
    for line in shown:
        if not any(pattern_of(line).fullmatch(came) for came in lines):
            return line
    return ""


def pattern_of(line: str) -> re.Pattern[str]:
    """What may come where a page shows a line."""
    line, at, made = " ".join(line.split()), 0, ""
    for found in UNSTABLE.finditer(line):
        made += re.escape(line[at : found.start()]) + MAY_BE[found.lastgroup or "rest"]
        at = found.end()
    return re.compile(made + re.escape(line[at:]))
