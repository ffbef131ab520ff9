"""Commands in reports, whose files come along."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from local_dream_conformance.core.exchange import End, Exchange, Request
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.report import curl

TYPE = (("Content-Type", "text/x"),)
SETTINGS = Settings("http://h:8081/sd")


def command(body: bytes, method: str = "POST", folder: Path = Path()) -> curl.Command:
    target = "/sd/generate" if method else ""
    exchange = Exchange("refuse/x", Request(method, target, TYPE, body), 0.0, End.COMPLETE, 1.0, 400)
    return curl.command(exchange, SETTINGS, folder)


def test_a_body_in_the_line_needs_no_file() -> None:
    sent = """-H 'Content-Type: text/x' --data-binary '{"prompt": "@/etc"}'"""
    line = f"curl -sS -i -N {sent} http://h:8081/sd/generate"
    assert command(b'{"prompt": "@/etc"}') == curl.Command(line)


@pytest.mark.parametrize("folder", ["", "/tmp/local dream"])
def test_a_body_in_a_file_comes_along(folder: str) -> None:
    made = command(b"\x00\xff", folder=Path(folder))
    named = "'@/tmp/local dream/refuse-x.bin'" if folder else "@refuse-x.bin"
    assert made.line == f"curl -sS -i -N -H 'Content-Type: text/x' --data-binary {named} http://h:8081/sd/generate"
    assert (made.file, made.size) == ("refuse-x.bin", 2)
    assert base64.b64decode(made.uri.partition(",")[2]) == b"\x00\xff"


def test_raw_bytes_for_netcat() -> None:
    made = command(b"GET\r\n", method="")
    assert (made.line, made.file) == ("nc -w 5 h 8081 < refuse-x.bin", "refuse-x.bin")


def test_a_large_body_does_not_come_along() -> None:
    made = command(b"x" * (curl.SAVED + 1))
    assert (made.file, made.size, made.uri) == ("refuse-x.bin", curl.SAVED + 1, "")
