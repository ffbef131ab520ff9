"""A private certificate authority and servers over TLS, made anew for every run of the tests by the program openssl."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from local_dream_mockserver.server.run import listen
from tests.mockserver.live_server import PATIENCE, eventually

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Authority:
    """An authority that no system trusts: `certificate` is its own. `server` is a certificate that it signed, with key,
    for localhost and 127.0.0.1; `stranger` the same for another name."""

    certificate: Path
    server: Path
    stranger: Path


def authority(folder: Path) -> Authority:
    """Makes one in a folder."""
    _openssl(folder, "req", "-x509", *KEY, "-days", "2", "-subj", "/CN=test authority", "-keyout=ca.key", "-out=ca.pem")
    return Authority(
        folder / "ca.pem",
        _signed(folder, "server", "DNS:localhost,IP:127.0.0.1"),
        _signed(folder, "stranger", "DNS:elsewhere.example"),
    )


def _signed(folder: Path, name: str, names: str) -> Path:
    (folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
    _openssl(folder, "req", *KEY, "-subj", f"/CN={name}", f"-keyout={name}.key", f"-out={name}.csr")
    signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext")
    _openssl(folder, "x509", "-req", "-in", f"{name}.csr", *signing, "-out", f"{name}.crt")
    both = folder / f"{name}.pem"
    both.write_bytes((folder / f"{name}.key").read_bytes() + (folder / f"{name}.crt").read_bytes())
    return both


def _openssl(folder: Path, *words: str) -> None:
    split = [
        part for word in words for part in (word.split("=", 1) if word.startswith(("-keyout=", "-out=")) else [word])
    ]
    subprocess.run(["openssl", *split], cwd=folder, check=True, capture_output=True)


@contextmanager
def serving_tls(app: ASGIApp, certificate: Path) -> Iterator[str]:
    """Serves an app on a free port over TLS; gives its URL."""
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(app, ssl_certfile=str(certificate), ssl_keyfile=str(certificate), log_level="critical")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        eventually(lambda: server.started)
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()
