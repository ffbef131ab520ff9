"""Targets that are started again after a request has ended them: --relaunch CMD, and our own servers by themselves.

Between the suite and the server stands a keeper, this module run as a program. It ends the server, with everything that
this started, when the run is over: the run holds a lock, which the system takes from it in whatever way it ends. Any
process of a run may start a keeper, and all of them end with the run.
"""

from __future__ import annotations

import contextlib
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

from local_dream_conformance.core.address import Address
from local_dream_conformance.recordings.run_folder import RunFolder
from local_dream_conformance.run import process_group, server_process

PATIENCE = 120.0
"""Seconds that a server may take until it accepts connections: it may load a model first."""
ENDING = 15.0
"""Seconds that keepers have to end their servers in."""
POLL = 0.1
TERMINATION = 5.0
KEEPS = ".kept"
"""Ends the name of a file that is there as long as its keeper runs."""


def command(given: str | None, launched: str, url: str) -> list[str]:
    """The words of the command that starts the target again; [] where nobody knows how."""
    if given is not None:
        return shlex.split(given)
    if launched:
        return server_process.command(launched, "--port", str(Address(url).port))
    return []


def relauncher(given: str | None, launched: str, folder: RunFolder) -> Relauncher | None:
    """What starts the target again: as the user says or, where it is our own server, as it was started."""
    url = folder.begun().url
    words = command(given, launched, url)
    return Relauncher(words, folder, Address(url)) if words else None


class Relauncher:
    """Starts the target at `address` again."""

    def __init__(self, words: list[str], folder: RunFolder, address: Address) -> None:
        self._words = words
        self._folder = folder
        self._address = address

    def __call__(self) -> str:
        """Answers with "" once the target accepts connections, else with what went wrong, in one line."""
        place = self._folder.relaunched
        place.mkdir(exist_ok=True)
        log = place / f"{len(list(place.glob('*.log'))) + 1}.log"
        keeper = subprocess.Popen(
            [sys.executable, "-m", __name__, str(self._folder.running.lock_file), str(log), *self._words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self._accepts():
                return ""
            if keeper.poll() is not None and keeper.returncode != 0:
                return f"the command ended with code {keeper.returncode} ({log})"
            time.sleep(POLL)
        return f"no connection within {PATIENCE:g} s ({log})"

    def _accepts(self) -> bool:
        try:
            socket.create_connection((self._address.host, self._address.port), timeout=TERMINATION).close()
        except (OSError, UnicodeError, ValueError):
            return False
        return True


def told(folder: RunFolder) -> Iterator[str]:
    """What people are told of it at the end."""
    if logs := sorted(folder.relaunched.glob("*.log")):
        times = "once" if len(logs) == 1 else f"{len(logs)} times"
        yield f"started the target again {times}; what it printed is in {folder.relaunched}"


def stop(folder: RunFolder) -> None:
    """Ends the run, for the keepers, and waits until they have ended their servers."""
    folder.running.release()
    end = time.monotonic() + ENDING
    while list(folder.relaunched.glob(f"*{KEEPS}")) and time.monotonic() < end:
        time.sleep(POLL)


def keep(lock: str, log: Path, words: list[str]) -> int:
    """Runs a server until the run is over, then ends it with everything that it started. Answers its exit code."""
    mark = log.with_suffix(KEEPS)
    mark.touch()
    try:
        with log.open("ab") as output:
            try:
                server = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
                )
            except OSError as error:
                output.write(f"{words[0]}: {error.strerror}\n".encode())
                return 127
            watch = threading.Thread(target=_end_with_the_run, args=(lock, server), daemon=True)
            watch.start()
            code = server.wait()
            if code == 0:  # it may have left a server in the background
                watch.join()
            return code
    finally:
        mark.unlink(missing_ok=True)


def _end_with_the_run(lock: str, server: subprocess.Popen[bytes]) -> None:
    with FileLock(lock):
        process_group.end(server)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=TERMINATION)
        process_group.end(server, at_once=True)


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
