"""An exchange as a reader can take it in: pictures and long texts cut, and headers left out that say nothing here."""

from __future__ import annotations

import re
from http import HTTPStatus

from local_dream_conformance.core.exchange import End, Exchange

LINE, LINES = 150, 14
"""Characters of a line, and lines of a body, that are shown."""
LONG = re.compile(r'"([A-Za-z0-9+/=_-]{24})[A-Za-z0-9+/=_-]{40,}"')
PROMPT = re.compile(r'("prompt": ?")a wide landscape photograph[^"]*"')
"""The suite's own prompts are long, so that tokenizers are asked as people ask them."""
LEFT_OUT = {"date", "host", "user-agent", "accept-encoding", "connection", "accept"}
"""Headers that say nothing here."""
TIME = re.compile(
    r'("?(generation_time_ms|first_step_time_ms|x-duration-ms)"?(?:: ?| of |=))(\d+)(?![.\d])', re.IGNORECASE
)
WHOLE, MANY = ("generation_time_ms", "x-duration-ms", "X-Duration-Ms"), 5000
WAITED = re.compile(r"(of 0 to |at most the )\d+(?=,| ms that)")
SILENT = re.compile(r"\d+ times (up to )\d+( at once, after up to )\d+(?= ms)")
"""How findings say how long the client waited, and what came then."""
ENDS = {
    End.TRUNCATED: "the connection closes before the end that was announced",
    End.RESET: "the connection is reset",
    End.MALFORMED: "what comes is not HTTP",
    End.IDLE_TIMEOUT: "nothing more comes",
    End.TOTAL_TIMEOUT: "it does not end",
    End.TOO_LARGE: "it goes on and on",
    End.HUNG_UP: "the client hangs up",
    End.UNREACHABLE: "no connection can be made",
}


def text(exchange: Exchange, timed: bool = False) -> str:
    """Request and answer, an empty line between them. Times differ from run to run: they are left out, or stand for
    others of their kind (`times`) where the requirement is about them.
    """
    return f"{_request(exchange, timed)}\n\n{_answer(exchange, timed)}"


def times(shown: str, timed: bool) -> str:
    """A text without the times that a machine took. Where they matter, those below five seconds are 40 ms for the whole
    and 5 ms for the first step (the other way round where that one was longer), and greater ones are rounded down to
    a power of ten: what is wrong with them is still wrong. 0, fractions and texts stay.
    """
    shown = SILENT.sub(r"... times \1...\2...", shown)
    if not timed:
        return TIME.sub(r"\1...", shown)
    if re.fullmatch(r"\d{4,}", shown):
        return str(10 ** (len(shown) - 1))
    found = {match[2]: int(match[3]) for match in TIME.finditer(shown)}
    turned = found.get("first_step_time_ms", 0) > next((found[name] for name in WHOLE if name in found), MANY)

    def alike(match: re.Match[str]) -> str:
        value = int(match[3])
        if value == 0:
            return match[0]
        if value >= MANY:
            return f"{match[1]}{10 ** (len(match[3]) - 1)}"
        return f"{match[1]}{40 if (match[2] in WHOLE) != turned else 5}"

    return WAITED.sub(r"\g<1>40", TIME.sub(alike, shown))


def _request(exchange: Exchange, timed: bool) -> str:
    request = exchange.request
    if not request.method:
        return _body(request.body, "", timed)
    headers = [f"{name}: {value}" for name, value in request.headers if name.lower() not in LEFT_OUT]
    kind = request.header("content-type") or ""
    return "\n".join((f"{request.method} {request.target}", *headers, *_after(_body(request.body, kind, timed))))


def _answer(exchange: Exchange, timed: bool) -> str:
    if exchange.status is None:
        return f"({ENDS.get(exchange.end, 'no answer')})"
    phrase = exchange.reason or (HTTPStatus(exchange.status).phrase if exchange.status in set(HTTPStatus) else "")
    kept = [f"{name}: {_cut(value)}" for name, value in exchange.headers if name.lower() not in LEFT_OUT]
    headers = [times(header, timed) for header in kept]
    end = [f"({ENDS[exchange.end]})"] if exchange.end in ENDS else []
    body = _body(exchange.body, exchange.media_type, timed)
    return "\n".join((f"HTTP/1.1 {exchange.status} {phrase}".rstrip(), *headers, *_after(body), *end))


def _after(body: str) -> list[str]:
    return ["", body] if body else []


def _body(body: bytes, kind: str, timed: bool) -> str:
    """The body, or its size where it is a picture."""
    try:
        decoded = body.decode()
    except UnicodeDecodeError:
        decoded = ""
    if body and (not decoded or (not decoded.isascii() and "json" not in kind and "event-stream" not in kind)):
        return f"({len(body)} bytes: {body[:8].hex(' ')} ...)"
    decoded = times(PROMPT.sub(r'\1a wide landscape ..."', LONG.sub(r'"\1..."', decoded)), timed)
    lines = decoded.replace("\r\n", "\n").rstrip("\n").split("\n") if decoded else []
    kept = lines if len(lines) <= LINES else [*lines[: LINES // 2], "...", *lines[-LINES // 2 + 1 :]]
    return "\n".join(_cut("".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line)) for line in kept)


def _cut(line: str) -> str:
    return line if len(line) <= LINE else f"{line[: LINE - 3]}..."
