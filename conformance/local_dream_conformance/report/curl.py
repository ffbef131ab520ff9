"""curl lines: a recorded request as a command that a person can paste, without its tokens."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from local_dream_conformance.core.exchange import Exchange, Request
from local_dream_conformance.core.options import HIDDEN
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Judgement
from local_dream_conformance.result.requirement_result import RequirementResult

INLINE = 300
"""Bytes up to which a body stands in the line itself."""
LEFT_OUT = {"host", "content-length", "connection", "accept", "accept-encoding", "user-agent"}
ALWAYS_HIDDEN = {"authorization", "proxy-authorization", "cookie", "x-api-key"}


def lines(
    results: Iterable[Judgement | RequirementResult],
    exchanges: Mapping[str, Exchange],
    settings: Settings,
    bodies: Path,
) -> dict[str, str]:
    """A command for every exchange, by label, that a finding names."""
    named = dict.fromkeys(finding.exchange for one in results for finding in one.findings)
    return {label: line(exchanges[label], settings, bodies) for label in exchanges if label in named}


def line(exchange: Exchange, settings: Settings, bodies: Path) -> str:
    """The command for the request of an exchange. A long or unprintable body is written into `bodies`."""
    request = exchange.request
    if not request.method:
        return _raw(exchange, settings, bodies)
    words = ["curl", "-sS"]
    if request.method == "HEAD":
        words.append("-I")
    else:
        words += ["-i", "-N"] if request.method == "POST" else ["-i"]
        if request.method != ("POST" if request.body else "GET"):
            words += ["-X", request.method]
    words += _headers(request, settings)
    if request.body:
        words += ["--data-binary", _body(exchange, bodies)]
    if exchange.label.startswith("upscale") and exchange.status == 200:
        words += ["-o", "answer.jpg"]
        words.remove("-i")
    words.append(settings.address.origin + request.target)
    return settings.redact(" ".join(shlex.quote(word) for word in words))


def _raw(exchange: Exchange, settings: Settings, bodies: Path) -> str:
    """Bytes that no HTTP client would send go through netcat."""
    address = settings.address
    return f"nc {shlex.quote(address.host)} {address.port} < {shlex.quote(str(_written(exchange, bodies)))}"


def _headers(request: Request, settings: Settings) -> Sequence[str]:
    hidden = ALWAYS_HIDDEN | {name.lower() for name, _ in settings.headers}
    words: list[str] = []
    for name, value in request.headers:
        if name.lower() not in LEFT_OUT:
            words += ["-H", f"{name}: {HIDDEN if name.lower() in hidden else value}"]
    return words


def _body(exchange: Exchange, bodies: Path) -> str:
    body = exchange.request.body
    if len(body) <= INLINE:
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            text = ""
        if text.isprintable() and text and not text.startswith("@"):
            return text
    return f"@{_written(exchange, bodies)}"


def _written(exchange: Exchange, bodies: Path) -> Path:
    body = exchange.request.body
    bodies.mkdir(parents=True, exist_ok=True)
    suffix = "json" if body[:1] == b"{" else "bin"
    path = bodies / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', exchange.label)[:80]}.{suffix}"
    path.write_bytes(body)
    return path
