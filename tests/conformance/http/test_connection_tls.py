"""The recorder over TLS."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from local_dream_conformance.core.exchange import End
from local_dream_conformance.http.patience import Limits
from tests.conformance.http.wire_scripts import (
    OK,
    answer_with,
    ask,
    stall,
)
from tests.conformance.scripted_server import Script, read_head, serving


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    subprocess.run(
        [*command.split(), "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", path, "-out", path],
        check=True,
        capture_output=True,
    )
    return path


def tls(certificate: Path, script: Script) -> Script:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def wrapped(connection: socket.socket, over: threading.Event) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
            read_head(secure)
            script(secure, over)

    return wrapped


def test_tls(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tls(certificate, answer_with(OK + b"Content-Length: 2\r\n\r\nok"))
    with serving(script, head_first=False) as url:
        plain = ask(url)
        untrusted = ask(url.replace("http:", "https:"))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        trusted = ask(url.replace("http:", "https:"))
    assert plain.status is None
    assert plain.end in (End.MALFORMED, End.RESET, End.TRUNCATED)
    assert untrusted.end is End.UNREACHABLE
    assert "certificate" in untrusted.detail.lower()
    assert (trusted.end, trusted.body) == (End.COMPLETE, b"ok")


def test_tls_against_a_plain_port_and_a_stalling_tls_server(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(answer_with(OK + b"\r\n")) as url:
        assert ask(url.replace("http:", "https:"), limits=Limits(2, 5)).end is End.UNREACHABLE
    with serving(tls(certificate, stall), head_first=False) as url:
        exchange = ask(url.replace("http:", "https:"), limits=Limits(0.3, 60))
    assert (exchange.end, exchange.body) == (End.IDLE_TIMEOUT, b"x")
