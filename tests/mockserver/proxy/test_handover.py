"""Connections that go to the proxy when a request needs it, and not before."""

from __future__ import annotations

import itertools
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest
from uvicorn import Config

FAULT = "header-without-colon"
BROKEN = b"no colon here"
BODY = json.dumps({"prompt": "a cat", "width": 64, "height": 64, "steps": 1, "seed": 7}).encode()
HEAD = b"POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n" % len(BODY)
END = b"\r\n" + BODY
NAMED = b"X-Mock-Fault: header-without-colon"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    command = [sys.executable, "-m", "local_dream_mockserver.commands.mock", "--port", "0", "--control"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline().split()[1].rpartition(":")[2])
        process.terminate()
        assert process.wait(20) == 0


@pytest.fixture
def control(port: int) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        client.put("/__mock__/reset")
        yield client
        client.put("/__mock__/reset")


def answered(connection: socket.socket) -> bytes:
    """One stream, which ends in its last chunk or where its length is reached."""
    got = b""
    while not got.endswith((b"0\r\n\r\n", b"\n\n")) or b'"complete"' not in got:
        data = connection.recv(65536)
        assert data, got[:200]
        got += data
    return got


def test_a_connection_that_was_honest_meets_a_fault_of_the_wire_that_is_ordered_meanwhile(
    port: int, control: httpx.Client
) -> None:
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(HEAD + END)
        assert BROKEN not in answered(connection)
        assert control.put("/__mock__/fault", content=FAULT).status_code == 200
        connection.sendall(HEAD + END)
        assert BROKEN in answered(connection)
        assert control.delete("/__mock__/fault").status_code == 200
        connection.sendall(HEAD + END)
        assert BROKEN not in answered(connection)
    first, second, third = control.get("/__mock__/requests?wait=20").json()
    assert [first["answer"], second["answer"], third["answer"]] == ["honest", FAULT, "honest"]
    assert first["over"]
    assert second["over"]
    assert second["status"] == 200


def test_a_request_that_names_a_fault_of_the_wire_meets_it_however_its_head_is_cut(
    port: int, control: httpx.Client
) -> None:
    whole = HEAD + NAMED + b"\r\n" + END
    for cuts in ([], [10], [5, len(HEAD) + 6], [len(whole) - len(BODY) - 2], [len(whole) - 3]):
        with socket.create_connection(("127.0.0.1", port), 20) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(HEAD + END)
            assert BROKEN not in answered(connection)
            for begin, end in itertools.pairwise([0, *cuts, len(whole)]):
                connection.sendall(whole[begin:end])
                control.get("/__mock__/")  # by now the server has read it
            assert BROKEN in answered(connection), cuts


def test_a_silent_answer_is_longer_than_a_connection_may_wait_for_a_request(port: int, control: httpx.Client) -> None:
    """What the server armed when it had the connection must not end it."""
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(HEAD + END)
        answered(connection)
        assert control.put("/__mock__/script", json=[{"paced": {"hold": 0}}]).status_code == 200
        connection.sendall(HEAD + END)
        time.sleep(Config("").timeout_keep_alive + 0.5)
        assert control.put("/__mock__/release").status_code == 200
        answered(connection)


def test_what_is_sent_together_with_the_request_before_it_is_the_servers(port: int, control: httpx.Client) -> None:
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(HEAD + END + HEAD[:20])
        assert BROKEN not in answered(connection)
        connection.sendall(HEAD[20:] + NAMED + b"\r\n" + END)
        got = answered(connection)
        assert BROKEN not in got
        assert b"x-mock-wire" not in got.lower()
        connection.sendall(HEAD + NAMED + b"\r\n" + END)
        assert BROKEN in answered(connection)


def test_an_answer_of_the_script_is_bent_on_a_connection_that_was_honest(port: int, control: httpx.Client) -> None:
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(HEAD + END)
        answered(connection)
        assert control.put("/__mock__/script", json=[{"faulty": FAULT}, "ok"]).status_code == 200
        for broken in (True, False):
            connection.sendall(HEAD + END)
            assert (BROKEN in answered(connection)) is broken
