"""`--control-port` of both commands: the ready line names it, a signal ends both ports, what cannot be is refused."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from click.testing import CliRunner

from local_dream_mockserver.commands.mock import mock
from tests.mockserver.live_server import PATIENCE, small

SERVE = "local_dream_mockserver.commands.serve"


@contextmanager
def process(*options: str, module: str = "local_dream_mockserver") -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """The server as a process, with the URLs of both ports from its ready line."""
    command = [sys.executable, "-m", module, "--port", "0", "--control-port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            word, url, name, device, label, control, *_ = server.stdout.readline().split()
            assert (word, name, device, label) == ("ready", "synthetic", "cpu", "control")
            yield server, url, control
        finally:
            server.kill()


@pytest.mark.parametrize("module", ["local_dream_mockserver", SERVE])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_both_ports(module: str, number: signal.Signals) -> None:
    engine = () if module != SERVE else ("--engine", "synthetic")
    with process(*engine, module=module) as (server, url, control):
        assert httpx.get(f"{control}/status").json()["state"] == "running"
        assert httpx.get(f"{url}/health").status_code == 200
        server.send_signal(number)
        assert server.wait(PATIENCE) == 0
        for gone in (url, control):
            with pytest.raises(httpx.ConnectError):
                httpx.get(f"{gone}/status")


def test_faults_of_the_wire_leave_the_control_port_alone() -> None:
    with process("--fault", "reset@bytes:10") as (_, url, control):
        assert url != control
        assert httpx.get(f"{control}/info").json()["app"] == "localdream"
        with pytest.raises(httpx.TransportError):
            httpx.post(f"{url}/generate", json=small())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--personality", "2.7", "--control-port", "0"), "2.7 has no control API"),
        (("--fault", "every-stop-stops"), "give --control-port, too"),
        (("--control-port", "70000"), "70000"),
    ],
)
def test_what_cannot_be(arguments: tuple[str, ...], words: str) -> None:
    result = CliRunner().invoke(mock, ["--port", "0", *arguments])
    assert result.exit_code == 2
    assert words in result.output


def test_a_taken_port_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(mock, ["--port", "0", "--control-port", port])
    assert result.exit_code == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in result.output
