"""The lines, given to a shell: curl sends what the suite sent, and hangs up where it did."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from local_dream_conformance.core.exchange import End, Exchange, Request, Transcript
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence.spending import spent_on
from local_dream_conformance.http.running import first_event
from local_dream_conformance.http.target import Target
from local_dream_conformance.report import curl
from local_dream_conformance.scenarios import requests
from tests.conformance.scenarios.accepting_server import accepting_server
from tests.conformance.scenarios.refusing_server import RefusingServer, refusing_server
from tests.conformance.scenarios.running import EVERY, run
from tests.conformance.serving import body_of, serving

OF_THE_CLIENT = {"host", "content-length", "user-agent", "accept", "accept-encoding", "connection"}
"""Headers in which curl may differ, unless the suite sent something else in them than it always does."""
ALWAYS = {"local-dream-conformance", "identity", "close", None}
SCENARIOS = (*EVERY, "cors", "tokenize")


@pytest.fixture(autouse=True)
def _with_curl() -> None:
    if not shutil.which("curl"):
        pytest.fail("CI needs curl") if os.environ.get("CI") else pytest.skip("needs curl")


@dataclass
class Heard:
    """Requests as they came: method, target, headers and body."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)


@contextmanager
def hearing() -> Iterator[Heard]:
    """A server that answers everything with 200 and nothing."""
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def hear(self) -> None:
            headers = tuple(self.headers.raw_items())
            heard.requests.append(Request(self.command, self.path, headers, body_of(self)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    for method in ("GET", "HEAD", "POST", "DELETE", "OPTIONS"):
        setattr(Handler, f"do_{method}", Handler.hear)
    with serving(Handler) as heard.url:
        yield heard


def shell(line: str, folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    subprocess.run(["bash", "-c", line], cwd=folder, env=environment, capture_output=True, check=True, timeout=60)


def headers(request: Request, *, spelt: bool) -> dict[str, str]:
    """The headers that both must send, by their name: in lower case unless it matters how they are spelt."""
    kept = ((name, value) for name, value in request.headers if name.lower() not in OF_THE_CLIENT)
    return {name if spelt else name.lower(): value for name, value in kept}


def test_curl_sends_what_the_suite_sent(tmp_path: Path) -> None:
    with accepting_server() as server:
        exchanges, _ = run(server.url, *SCENARIOS, upscaler_path="p")
    made = [one for one in exchanges.values() if one.request.method]
    assert len(made) > 80
    with hearing() as heard:
        settings = Settings(heard.url)
        for exchange in made:
            shell(curl.line(exchange, settings, tmp_path), tmp_path)
            asked, came = exchange.request, heard.requests[-1]
            assert (came.method, came.target, came.body) == (asked.method, asked.target, asked.body), exchange.label
            spelt = any(name in ("host", "HOST") for name, _ in asked.headers)
            assert headers(came, spelt=spelt) == headers(asked, spelt=spelt), exchange.label
            for name in OF_THE_CLIENT - {"host", "content-length"}:
                assert asked.header(name) in (came.header(name), *ALWAYS), (exchange.label, name)
    assert len(heard.requests) == len(made)


def test_curl_hangs_up_where_the_suite_did(tmp_path: Path) -> None:
    with refusing_server(RefusingServer()) as state:
        settings = Settings(state.url)
        target = Target(settings, dict[str, Transcript]().__getitem__, cost_of=spent_on)
        long = requests.generate({"prompt": "p", "steps": 100, "width": 64, "height": 64})
        exchange = target.send("hang-up/abandoned", long, stop_when=first_event())
        assert exchange.end is End.HUNG_UP
        assert state.hung_up.wait(20)
        state.hung_up.clear()
        line = curl.line(exchange, settings, tmp_path)
        assert line.endswith(f"| head -c {len(exchange.body)}")
        shell(line, tmp_path)
        assert state.hung_up.wait(20)
        assert state.asked[-1].body == long.body


def test_lines_of_what_the_suite_gave_up_on_end() -> None:
    request = requests.generate({"prompt": "p"})
    for end in (End.IDLE_TIMEOUT, End.TOTAL_TIMEOUT, End.TOO_LARGE, End.HUNG_UP):
        line = curl.command(Exchange("base", request, 0.0, end, 30.2), Settings("http://h:1")).line
        assert "--max-time 31" in line
    assert "--max-time" not in curl.command(Exchange("base", request, 0.0, End.RESET, 1.0), Settings("http://h:1")).line


def test_bytes_that_are_no_http() -> None:
    raw = Exchange("hostile/x", Request("", "", (), b"\x00"), 0.0, End.COMPLETE, 0.1, 400)
    cut = Exchange("hostile/cut", raw.request, 0.0, End.HUNG_UP, 0.1, notes=(("cut", "true"),))
    assert curl.command(raw, Settings("http://h:1")).line == "nc -w 5 h 1 < hostile-x.bin"
    assert curl.command(cut, Settings("http://h:1")).line == "nc -w 1 h 1 < hostile-cut.bin"
    line = curl.command(raw, Settings("https://h")).line
    assert line == "timeout 5 openssl s_client -quiet -connect h:443 < hostile-x.bin"
