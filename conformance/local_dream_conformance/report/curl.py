"""curl commands: a recorded request as a command that a person can paste, without its tokens."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_dream_conformance.core.exchange import Exchange, Request
from local_dream_conformance.core.options import HIDDEN
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Judgement
from local_dream_conformance.result.requirement_result import RequirementResult

INLINE = 300
"""Bytes up to which a body stands in the line itself."""
SAVED = 256 << 10
"""Largest body, in bytes, that a report carries."""
LEFT_OUT = {"host", "content-length", "connection", "accept", "accept-encoding", "user-agent"}
ALWAYS_HIDDEN = {"authorization", "proxy-authorization", "cookie", "x-api-key"}


@dataclass(frozen=True)
class Command:
    """A line for a shell. Where the body is long or unprintable, the line reads it from the file `file`."""

    line: str
    file: str = ""
    body: bytes = b""

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return len(self.body)

    @property
    def uri(self) -> str:
        """The file as a data URI, "" where it is too large for a report."""
        coded = base64.b64encode(self.body).decode("ascii")
        return f"data:application/octet-stream;base64,{coded}" if self.size <= SAVED else ""


def command(exchange: Exchange, settings: Settings, folder: Path = Path()) -> Command:
    """The command for the request of an exchange, which finds its file in `folder`."""
    body = exchange.request.body
    is_inline = bool(exchange.request.method) and _fits_in(body)
    file = "" if is_inline else _file_name(exchange)
    line = settings.redact(_line(exchange, settings, str(folder / file) if file else ""))
    return Command(line, file, body) if file else Command(line)


def line(exchange: Exchange, settings: Settings, bodies: Path) -> str:
    """The command's line. A long or unprintable body is written into `bodies`."""
    made = command(exchange, settings, bodies)
    if made.file:
        bodies.mkdir(parents=True, exist_ok=True)
        (bodies / made.file).write_bytes(made.body)
    return made.line


def lines(
    results: Iterable[Judgement | RequirementResult],
    exchanges: Mapping[str, Exchange],
    settings: Settings,
    bodies: Path,
) -> dict[str, str]:
    """A line for every exchange, by label, that a finding names."""
    named = dict.fromkeys(finding.exchange for one in results for finding in one.findings)
    return {label: line(exchanges[label], settings, bodies) for label in exchanges if label in named}


def _line(exchange: Exchange, settings: Settings, file: str) -> str:
    request, address = exchange.request, settings.address
    if not request.method:  # bytes that no HTTP client would send go through netcat
        return f"nc {shlex.quote(address.host)} {address.port} < {shlex.quote(file)}"
    words = ["curl", "-sS"]
    if address.secure:
        words += ["-k"] if settings.insecure else ["--cacert", settings.cacert] if settings.cacert else []
    if request.method == "HEAD":
        words.append("-I")
    else:
        words += ["-i", "-N"] if request.method == "POST" else ["-i"]
        if request.method != ("POST" if request.body else "GET"):
            words += ["-X", request.method]
    words += _headers(request, settings)
    if request.body:
        words += ["--data-binary", f"@{file}" if file else request.body.decode("utf-8")]
    if exchange.label.startswith("upscale") and exchange.status == 200:
        words += ["-o", "answer.jpg"]
        words.remove("-i")
    words.append(address.origin + request.target)
    return " ".join(shlex.quote(word) for word in words)


def _headers(request: Request, settings: Settings) -> Sequence[str]:
    hidden = ALWAYS_HIDDEN | {name.lower() for name, _ in settings.headers}
    words: list[str] = []
    for name, value in request.headers:
        if name.lower() not in LEFT_OUT:
            words += ["-H", f"{name}: {HIDDEN if name.lower() in hidden else value}"]
    return words


def _fits_in(body: bytes) -> bool:
    """Whether a body can stand in the line."""
    if len(body) > INLINE:
        return False
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return text.isprintable() and not text.startswith("@")


def _file_name(exchange: Exchange) -> str:
    suffix = "json" if exchange.request.body[:1] == b"{" else "bin"
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', exchange.label)[:80]}.{suffix}"
