"""Targets that take connections and read nothing of what is sent on them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

from tests.accepting import accepting
from tests.hostile.judged import Ran, run

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
HEAD = 16 << 10
NAMED = ("GEN-REQ-01", "UPS-REQ-01", "UPS-REQ-02", "GEN-SSE-01", "UPS-ANS-01", "SRV-01", "SRV-02")
"""What is asked before it is known that no answer comes."""


@contextlib.contextmanager
def unread(*, healthy: bool) -> Iterator[str]:
    """The URL of a server that never reads and never answers; with `healthy`, only GET /health is answered."""
    kept: list[socket.socket] = []

    def handle(client: socket.socket) -> None:
        kept.append(client)
        with contextlib.suppress(OSError):
            if healthy and client.recv(16, socket.MSG_PEEK).startswith(b"GET /health HTTP"):
                client.recv(HEAD)
                client.sendall(OK)
                client.shutdown(socket.SHUT_WR)

    try:
        with accepting(handle) as url:
            yield url
    finally:
        for opened in kept:
            opened.close()


def listed(ran: Ran, name: str) -> list[dict[str, Any]]:
    """One of the lists of a report."""
    assert ran.report is not None, ran.printed[-4000:]
    found = ran.report[name]
    assert isinstance(found, list)
    return found


def test_where_nothing_is_read_nothing_is_said_but_that() -> None:
    with unread(healthy=False) as url:
        ran = run(url)
    assert ran.code == 6, ran.printed[-4000:]
    assert f"UNREACHABLE: {url} accepts connections but says nothing" in ran.printed
    judged = {one["id"] for one in listed(ran, "requirements") if one["verdict"] not in ("untested", "blocked")}
    assert judged == set()


def test_where_health_alone_is_read_only_what_went_unanswered_is_named() -> None:
    with unread(healthy=True) as url:
        ran = run(url, ("--idle-timeout", "1.5"))  # it is waited out some sixteen times
    assert ran.code == 1, ran.printed[-4000:]
    found = listed(ran, "requirements")
    assert not [one["id"] for one in found if "max-duration" in str(one.get("reason"))], "it ends by itself"
    assert "not asked any more: 2 requests to POST /generate got no answer in time" in ran.printed
    broken = [one for one in found if one["verdict"] in ("fail", "warn", "error")]
    assert {one["id"] for one in broken} <= set(NAMED)
    assert {"GEN-SSE-01", "UPS-ANS-01"} <= {one["id"] for one in broken}
    findings = [finding for one in broken for finding in one["findings"]]
    assert {finding["got"].split(" (")[0] for finding in findings} == {"no answer"}
    status = {one["label"]: one["status"] for one in listed(ran, "exchanges")}
    assert {status[finding["exchange"]] for finding in findings} == {None}
