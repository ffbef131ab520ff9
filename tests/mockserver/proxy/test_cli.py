"""`local-dream proxy` as a program."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import httpx
from click.testing import CliRunner

from local_dream_mockserver.commands.proxy import proxy
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.app import create_app
from tests.matrix.standing import serving
from tests.mockserver.live_server import PATIENCE, small

PROGRAM = [sys.executable, "-c", "from local_dream_mockserver.commands.proxy import proxy; proxy(prog_name='proxy')"]


def test_it_stands_before_a_server_until_it_is_told_to_stop() -> None:
    with serving(create_app(SyntheticEngine(Pacing(first=0, step=0)))) as upstream:
        command = [
            *PROGRAM,
            "--upstream",
            upstream,
            "--fault",
            "crlf",
            "--fault",
            "reset@bytes:2000",
            "--path",
            "/generate",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                ready = process.stdout.readline()
                found = re.fullmatch(r"ready (http://127\.0\.0\.1:\d+) crlf reset@bytes:2000\n", ready)
                assert found, ready
                answer = httpx.post(f"{found[1]}/generate", json=small(), timeout=PATIENCE)
                assert answer.text.startswith("event: progress\r\n")
                assert httpx.get(f"{found[1]}/health", timeout=PATIENCE).status_code == 200
            finally:
                process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0


def test_the_list_holds_the_wire_and_nothing_else() -> None:
    result = CliRunner().invoke(proxy, ["--list-faults"])
    assert result.exit_code == 0
    assert "reset@inside:complete  (fault, wire)\n    The connection is reset" in result.output
    assert "byte-by-byte  (quirk, wire)" in result.output
    assert all("wire)" in line for line in result.output.splitlines() if not line.startswith(" "))


def fails(*arguments: str) -> str:
    """What the program says on stderr when it cannot do what it is asked."""
    result = CliRunner().invoke(proxy, list(arguments))
    assert result.exit_code != 0
    return result.output


def test_one_clear_error() -> None:
    good = ["--upstream", "http://127.0.0.1:9"]
    assert "'rest': no such fault or quirk; see --list-faults (did you mean reset?)" in fails(*good, "--fault", "rest")
    assert "@nowhere: no place in an answer; use bytes:N" in fails(*good, "--fault", "reset@nowhere")
    assert "no http address; give http://HOST:PORT" in fails("--upstream", "localhost", "--fault", "reset")
    assert "without a path" in fails("--upstream", "http://x/api", "--fault", "reset")
    assert "choose another --port" in fails(*good, "--fault", "reset", "--host", "192.0.2.1")
    assert "local-dream mock --fault" in fails(*good, "--fault", "health-503")
