"""curl commands: a recorded request as a command that a person can paste, without its tokens."""

from __future__ import annotations

import base64
import math
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local_dream_conformance.core.exchange import UPSCALE, End, Exchange, Request
from local_dream_conformance.core.options import HIDDEN
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Judgement
from local_dream_conformance.http.connection import CUT
from local_dream_conformance.result.requirement_result import RequirementResult

INLINE = 300
"""Bytes up to which a body stands in the line itself."""
SAVED = 256 << 10
"""Largest body, in bytes, that a report carries."""
OF_CURL = {"host", "content-length"}
"""Headers that curl makes as the suite does."""
OWN = {
    ("user-agent", "local-dream-conformance"),
    ("accept-encoding", "identity"),
    ("connection", "close"),
}
"""What the suite says of itself where a request is not about it; no line needs it."""
EXPECTS = 1 << 20
"""Bytes of a body from which on curl asks for 100 Continue by itself."""
BYTES_SECONDS = 5
GAVE_UP = (End.IDLE_TIMEOUT, End.TOTAL_TIMEOUT, End.TOO_LARGE)
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
    request, address = exchange.request, settings.address_of(exchange)
    if not request.method:
        return _bytes_line(exchange, settings, file)
    left = exchange.end is End.HUNG_UP and exchange.status is not None
    pictured = exchange.operation == UPSCALE and exchange.status == 200
    words = ["curl", "-sS"]
    if address.secure:
        words += ["--http1.1"]  # the suite speaks no other
        words += ["-k"] if settings.insecure else ["--cacert", settings.cacert] if settings.cacert else []
    if request.method == "HEAD":
        words.append("-I")
    else:
        words += [] if left or pictured else ["-i"]
        words += ["-N"] if request.method == "POST" else []
        if request.method not in ("GET", "POST"):
            words += ["-X", request.method]
    words += _headers(request, settings)
    if request.method == "POST" or request.body:
        words += ["--data-binary", f"@{file}" if file else request.body.decode("utf-8")]
    if pictured:
        words += ["-o", "answer.jpg"]
    if exchange.end in GAVE_UP or (exchange.end is End.HUNG_UP and not (left and exchange.body)):
        words += ["--max-time", f"{max(1, math.ceil(exchange.ended_at))}"]
    words.append(address.origin + request.target)
    line = " ".join(shlex.quote(word) for word in words)
    # Whoever reads no more than the suite did hangs up where it did.
    return f"{line} | head -c {len(exchange.body)}" if left and exchange.body else line


def _bytes_line(exchange: Exchange, settings: Settings, file: str) -> str:
    """Bytes that no HTTP client would send go through netcat, or openssl; with a time after which they hang up."""
    address = settings.address
    place = [shlex.quote(address.host), str(address.port)]
    if address.secure:
        said = f"openssl s_client -quiet -connect {':'.join(place)} < {shlex.quote(file)}"
        return f"timeout {BYTES_SECONDS} {said}"
    seconds = 1 if dict(exchange.notes).get(CUT) else BYTES_SECONDS
    return f"nc -w {seconds} {' '.join(place)} < {shlex.quote(file)}"


def _headers(request: Request, settings: Settings) -> Sequence[str]:
    """The headers of the request, but those that curl sends too or that say who asks; without what curl would add."""
    hidden = ALWAYS_HIDDEN | {name.lower() for name, _ in settings.headers}
    # Spelt in another way they are what the request is about.
    spelt = any(name in ("host", "HOST") for name, _ in request.headers)
    words: list[str] = []
    for name, value in request.headers:
        if (name.lower(), value) in OWN or (name.lower() in OF_CURL and not spelt):
            continue
        shown = HIDDEN if name.lower() in hidden else value
        words += ["-H", f"{name}: {shown}" if shown else f"{name};"]
    if request.method == "POST":
        words += ["-H", "Content-Type:"] if request.header("content-type") is None else []
        large = len(request.body) > EXPECTS and request.header("expect") is None
        words += ["-H", "Expect:"] if large else []
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
