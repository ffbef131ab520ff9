from __future__ import annotations

import base64

from local_dream_conformance.core.exchange import Request
from local_dream_conformance.report import command


def test_a_body_in_the_line_needs_no_file() -> None:
    line = 'curl -sS --data-binary \'{"prompt": "@/etc"}\' http://h/generate'
    assert command.of(line, Request("POST", "/generate", (), b"{}")) == command.Command(line)


def test_a_body_in_a_file_is_named_without_its_folder_and_comes_along() -> None:
    request = Request("POST", "/generate", (), b"\x00\xff")
    made = command.of("curl --data-binary '@/tmp/local dream/bodies/base.json' http://h/generate", request)
    assert made.line == "curl --data-binary '@base.json' http://h/generate"
    assert (made.file, made.size) == ("base.json", 2)
    assert base64.b64decode(made.uri.partition(",")[2]) == b"\x00\xff"


def test_raw_bytes_for_netcat() -> None:
    made = command.of("nc 127.0.0.1 8081 < /tmp/x/bodies/keep-alive.bin", Request("", "", (), b"GET\r\n"))
    assert (made.line, made.file) == ("nc 127.0.0.1 8081 < keep-alive.bin", "keep-alive.bin")


def test_a_large_body_does_not_come_along() -> None:
    made = command.of("curl --data-binary @/tmp/a.bin http://h/", Request("POST", "/", (), b"x" * (command.SAVED + 1)))
    assert (made.file, made.size, made.uri) == ("a.bin", command.SAVED + 1, "")


def test_a_line_that_no_shell_can_read_is_shown_as_it_is() -> None:
    assert command.of("curl 'open", Request("POST", "/")).line == "curl 'open"
