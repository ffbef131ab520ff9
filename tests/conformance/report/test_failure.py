"""What a reader of a failure sees, and whether the curl line in it does what the suite did."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_dream_conformance.core.contract import Level, Requirement
from local_dream_conformance.core.exchange import End, Exchange, Request
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Finding, Judgement, Verdict
from local_dream_conformance.report import curl, failure
from local_dream_conformance.result.requirement_result import RequirementResult
from tests.conformance.tiny_server import TinyServer, tiny_server

REQUIREMENT = Requirement("A-01", Level.MUST, "core", "seed", "It MUST be so.", "g", clause="so it is")
JSON = ("Content-Type", "application/json")


@pytest.fixture
def server() -> Iterator[TinyServer]:
    with tiny_server() as server:
        yield server


def exchange(
    method: str = "POST", target: str = "/generate", body: bytes = b'{"prompt": "it\'s"}', *headers: tuple[str, str]
) -> Exchange:
    return Exchange("refuse/x y", Request(method, target, (JSON, *headers), body), 0.0, End.COMPLETE, 1.0, 400)


def line(one: Exchange, folder: Path, url: str = "http://127.0.0.1:9") -> str:
    return curl.line(one, Settings(url, headers=(("X-Key", "tok-123"),)), folder)


def test_a_short_body_stands_in_the_line(tmp_path: Path) -> None:
    words = shlex.split(line(exchange(), tmp_path))
    assert words == [
        *("curl", "-sS", "-i", "-N", "-H", "Content-Type: application/json"),
        *("--data-binary", '{"prompt": "it\'s"}', "http://127.0.0.1:9/generate"),
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("body", [b"x" * 301, b"\xff\xfe", b"a\nb", b"@/etc/passwd", b"\x1b[2J"])
def test_other_bodies_lie_beside(tmp_path: Path, body: bytes) -> None:
    words = shlex.split(line(exchange("POST", "/generate", body), tmp_path))
    path = Path(words[words.index("--data-binary") + 1].removeprefix("@"))
    assert path.parent == tmp_path
    assert path.read_bytes() == body


def test_tokens_are_hidden_wherever_they_stand(tmp_path: Path) -> None:
    headers = (("X-Key", "tok-123"), ("Authorization", "Basic abc"), ("Cookie", "a=b"))
    shown = line(exchange("POST", "/generate?key=tok-123", b'{"a": "tok-123"}', *headers), tmp_path)
    assert not any(secret in shown for secret in ("tok-123", "Basic abc", "a=b"))
    assert shown.count("***") == 5


def test_other_methods(tmp_path: Path) -> None:
    assert shlex.split(line(exchange("HEAD", "/health", b""), tmp_path))[:3] == ["curl", "-sS", "-I"]
    assert "-X DELETE" in line(exchange("DELETE", "/health", b""), tmp_path)
    assert "--data-binary ''" in line(exchange("POST", "/generate", b""), tmp_path)  # with Content-Length: 0
    assert " -X " not in line(exchange("GET", "/health", b""), tmp_path)


def test_bytes_that_are_no_request_go_through_netcat(tmp_path: Path) -> None:
    shown = line(exchange("", "", b"GARBAGE\r\n\r\n"), tmp_path)
    assert shown == f"nc -w 5 127.0.0.1 9 < {tmp_path}/refuse-x-y.bin"


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("body", [b'{"prompt": "it\'s $HOME"}', b"\x00\x01" * 500])
def test_the_line_works(server: TinyServer, tmp_path: Path, body: bytes) -> None:
    command = line(exchange("POST", "/generate", body), tmp_path, server.url)
    shown = subprocess.run(["sh", "-c", command], capture_output=True, check=True).stdout
    assert shown.startswith(b"HTTP/1.0 200")
    assert shown.endswith(server.words)
    assert server.asked == ["POST /generate"]


def text(*findings: Finding, verdict: Verdict = Verdict.FAIL, reason: str = "") -> list[str]:
    judgement = Judgement("A-01", verdict, reason, findings)
    return failure.text(RequirementResult.of(REQUIREMENT, judgement), {"base": "curl http://h"}).splitlines()


def test_the_text_of_a_failure() -> None:
    assert text(Finding("a cat", "a dog", "base", "event 3, byte 120, 0.5 s", "dogs are easier")) == [
        "A-01 (MUST, core): It MUST be so.",
        '  clause    "so it is"',
        "",
        "  expected  a cat",
        "  got       a dog",
        "  where     base: event 3, byte 120, 0.5 s",
        "  cause     dogs are easier",
        "  try       curl http://h",
    ]


def test_findings_of_one_kind_are_told_once_with_all_their_places() -> None:
    lines = text(*(Finding("3 of a", f"{n} of 'x{n}'", f"place/{n}", "event 1") for n in range(9)))
    assert sum(line.split()[:1] == ["expected"] for line in lines) == 1
    assert "  alike     8 more, in place/1, place/2, place/3, place/4 and 4 others" in lines
    assert not any(line.endswith("of 2") for line in lines)


def test_several_findings_are_numbered_and_share_a_curl_line() -> None:
    lines = text(Finding("a", "b", "base"), Finding("c", "d", "base"))
    assert [line for line in lines if line.endswith("of 2")] == ["1 of 2", "2 of 2"]
    assert sum("curl" in line for line in lines) == 1


def test_what_the_target_said_cannot_leave_its_place() -> None:
    hostile = "x\x1b[2J\n::error::\r\u202e" + "y" * 5000
    lines = text(Finding(hostile, hostile, "base", hostile, hostile))
    assert all(line.isprintable() for line in lines)
    assert all(not line.strip().startswith("::") for line in lines)
    assert max(map(len, lines)) <= 120
    assert len(lines) < 120


def test_a_fault_of_the_suite_is_called_one() -> None:
    lines = text(verdict=Verdict.ERROR, reason="the check raised\nTraceback\n  boom\x1b")
    assert lines[2] == "The suite itself is at fault here, not the server:"
    assert lines[3:] == ["  the check raised", "  Traceback", "    boom\\x1b"]
