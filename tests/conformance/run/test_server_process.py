"""Embedded servers: started, found by their address, and gone afterwards in whatever way the suite ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from local_dream_conformance.run.server_process import SERVERS, Embedded, LaunchFailed, ServerProcess

PATIENCE = 30.0
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("pid", os.getpid(), flush=True)
print("ready on http://127.0.0.1:1/ (or so)", flush=True)
time.sleep(600)
"""


def gone(pid: int) -> bool:
    """Waits until the process does not exist; a zombie that nobody reaped is gone too."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
            os.kill(pid, 0)
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False


def child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def answers(url: str) -> bool:
    try:
        return httpx.get(url + "/health", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_the_mock_is_launched_and_stopped() -> None:
    server = ServerProcess("mock", SERVERS["mock"])
    try:
        assert answers(server.url)
    finally:
        server.stop()
    assert not answers(server.url)
    server.stop()


def test_every_embedded_server_gets_a_port_of_its_own() -> None:
    one, two = ServerProcess("mock", SERVERS["mock"]), ServerProcess("mock", SERVERS["mock"])
    try:
        assert one.url != two.url
        assert answers(one.url)
        assert answers(two.url)
    finally:
        one.stop()
        two.stop()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc to know the server's process")
def test_the_server_ends_with_a_suite_that_is_killed() -> None:
    script = (
        "import time; from local_dream_conformance.run.server_process import *; "
        "s = ServerProcess('mock', SERVERS['mock']);"
        "print(s._keeper.pid, flush=True); time.sleep(600)"
    )
    suite = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert suite.stdout is not None
    keeper = int(suite.stdout.readline())
    server = child(keeper)
    suite.send_signal(signal.SIGKILL)
    suite.wait()
    suite.stdout.close()
    assert gone(server)
    assert gone(keeper)


def test_a_server_that_does_not_start_says_why() -> None:
    with pytest.raises(LaunchFailed, match=r"^the broken server did not start: .*No module named .*absent_module"):
        ServerProcess("broken", Embedded("local_dream_conformance.absent_module"))


def test_a_server_that_is_never_ready_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "silent_server.py").write_text("import time; time.sleep(600)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(LaunchFailed, match=r"^the silent server was not ready after 0.5 s$"):
        ServerProcess("silent", Embedded("silent_server", patience=0.5))


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc to know the server's process")
def test_a_server_that_ignores_the_signal_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "stubborn_server.py").write_text(STUBBORN)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    server = ServerProcess("stubborn", Embedded("stubborn_server", patience=PATIENCE))
    assert server.url == "http://127.0.0.1:1"
    pid = child(server._keeper.pid)
    server.stop()
    assert gone(pid)
