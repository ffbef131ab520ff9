"""Embedded servers: `--target mock` starts one in its own process group, waits until it is ready, and stops it.

Between the suite and the server stands a keeper, this module run as a program. It ends the server when its standard
input closes, and that happens in whatever way the suite ends, so no server outlives a suite that was killed.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass

from local_dream_conformance.run import process_group

URL = re.compile(r"https?://[^\s\"'<>()]+")


@dataclass(frozen=True)
class Embedded:
    """How to start a server: a Python module with arguments, and how long it may take until it prints its address.

    `upscaler_path` is what it takes as X-Upscaler-Path.
    """

    module: str
    arguments: tuple[str, ...] = ()
    patience: float = 60.0
    upscaler_path: str | None = None


SERVERS = {
    # Faster, its generations would sometimes be over before what is to happen meanwhile (ROB-01, ROB-04, GEN-EVT-22).
    "mock": Embedded(
        "local_dream_mockserver", ("--port", "0", "--cors", "--pace-step", "0.03"), upscaler_path="default"
    ),
    # Importing torch and loading a model may take a minute on a busy machine.
    "reference": Embedded(
        "local_dream_mockserver.commands.serve",
        ("--port", "0", "--cors", "--warmup"),
        patience=300.0,
        upscaler_path="default",
    ),
}


def command(name: str, *arguments: str) -> list[str]:
    """What starts one of our own servers; `arguments` come last, and so win."""
    server = SERVERS[name]
    return [sys.executable, "-m", server.module, *server.arguments, *arguments]


class LaunchFailed(Exception):
    """The server did not come up; the message is one line."""


class ServerProcess:
    """A running embedded server; `url` is where it listens. Raises LaunchFailed."""

    def __init__(self, name: str, server: Embedded) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (closed by stop)
        self._keeper = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "local_dream_conformance.run.server_process",
                sys.executable,
                "-m",
                server.module,
                *server.arguments,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
        )
        assert self._keeper.stdin is not None
        assert self._keeper.stdout is not None
        self._input, self._output = self._keeper.stdin, self._keeper.stdout
        try:
            self.url = self._ready(name, server.patience)
        except BaseException:
            self.stop()
            raise

    def _ready(self, name: str, patience: float) -> str:
        """The address from the first line that holds one. What the server prints later is read and dropped."""
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

        def read() -> None:
            for line in self._output:
                lines.put(line.decode("utf-8", "replace"))
            lines.put(None)

        self._reader = threading.Thread(target=read, daemon=True)
        self._reader.start()
        end = time.monotonic() + patience
        while True:
            try:
                line = lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise LaunchFailed(f"the {name} server was not ready after {patience:g} s") from None
            if line is None:
                raise LaunchFailed(f"the {name} server did not start: {self._last_words()}")
            if found := URL.search(line):
                return found[0].rstrip("/.,")

    def _last_words(self) -> str:
        self._keeper.wait()
        self._log.seek(0)
        words = self._log.read().decode("utf-8", "replace").strip().splitlines()
        return words[-1] if words else f"it ended with code {self._keeper.returncode}"

    def stop(self) -> None:
        """Stops the server and everything it started. Safe to call twice."""
        with contextlib.suppress(OSError):
            self._input.close()
        try:
            self._keeper.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process_group.end(self._keeper, at_once=True)
            self._keeper.wait()
        self._reader.join(timeout=5)
        if not self._reader.is_alive():  # else something that the server started still holds the pipe
            self._output.close()
        self._log.close()


def keep(command: list[str]) -> int:
    """Runs a server until standard input closes, then stops it. Answers the server's exit code."""
    unbuffered = {**os.environ, "PYTHONUNBUFFERED": "1"}  # else the ready line waits for a full buffer
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=unbuffered)

    def stop_at_end_of_input() -> None:
        while os.read(0, 1024):
            pass
        server.terminate()
        try:
            server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            server.kill()

    threading.Thread(target=stop_at_end_of_input, daemon=True).start()
    return server.wait()


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1:]))
