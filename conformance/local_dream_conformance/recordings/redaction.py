"""Redaction: transcripts without tokens and, on request, without prompts.

What is taken out is replaced by as many bytes as it had, so that lengths, offsets, arrival times and JSON stay as they
were and a redacted recording is judged as the run was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from local_dream_conformance.core.exchange import Exchange, Read, Request, Transcript

PROMPT = re.compile(rb'("(?:prompt|negative_prompt)"\s*:\s*")((?:[^"\\]|\\.)+)', re.DOTALL)
"""A prompt as it stands in a request, also in one that is cut off or no JSON for another reason."""
BASE64 = re.compile(rb"[A-Za-z0-9+/=]{256,}")
CERTAIN = 16
"""A secret of so many bytes is found in base64 only where it was put; a shorter one may be there by chance."""
ECHOED = 12
"""Prompts of fewer bytes may be ordinary words, which answers have for other reasons."""


class Redaction:
    """Takes out `secrets` and, with `prompts`, every prompt; the same prompt gets the same stand-in everywhere."""

    def __init__(self, secrets: Sequence[str], *, prompts: bool) -> None:
        self._secrets = [secret.encode() for secret in secrets]
        self._secrets += [json.dumps(secret)[1:-1].encode() for secret in secrets]
        self._prompts = prompts
        self._stand_ins: dict[bytes, bytes] = {}

    def transcript(self, transcript: Transcript) -> Transcript:
        """The transcript as it may be given away."""
        return replace(transcript, exchanges=tuple(self.exchange(exchange) for exchange in transcript.exchanges))

    def exchange(self, exchange: Exchange) -> Exchange:
        """The exchange as it may be given away. A body that is changed is in memory as a whole."""
        return replace(
            self.asked(exchange),
            reason=self._text(exchange.reason),
            headers=self._pairs(exchange.headers),
            reads=self._reads(exchange),
            detail=self._text(exchange.detail),
        )

    def asked(self, exchange: Exchange) -> Exchange:
        """The exchange with a request that may be given away, and its answer as it is."""
        sent = exchange.request
        body = PROMPT.sub(self._prompt, sent.body) if self._prompts else sent.body
        request = Request(sent.method, self._text(sent.target), self._pairs(sent.headers), self._bytes(body))
        return replace(exchange, request=request)

    def _reads(self, exchange: Exchange) -> Sequence[Read]:
        if not (self._secrets or self._stand_ins):
            return exchange.reads
        body = exchange.body
        changed = self._bytes(body)
        return exchange.reads if changed == body else tuple(_reads(exchange.arrivals, changed))

    def _prompt(self, match: re.Match[bytes]) -> bytes:
        """The match with a stand-in for the prompt. Blank prompts, and bytes that are no text, are left as they are."""
        literal = match[2]
        try:
            blank = not literal.decode("utf-8").strip()
        except UnicodeDecodeError:
            return match[0]
        if blank:
            return match[0]
        if literal not in self._stand_ins:
            self._stand_ins[literal] = _stand_in(len(self._stand_ins) + 1, len(literal))
        return match[1] + self._stand_ins[literal]

    def _bytes(self, data: bytes) -> bytes:
        """`data` without what must not be shown, as long as before."""
        for secret in self._secrets:
            if secret in data:
                data = _masked(data, secret)
        for literal, stand_in in self._stand_ins.items():
            if len(literal) >= ECHOED and literal in data:
                data = data.replace(literal, stand_in)
        return data

    def _text(self, text: str) -> str:
        return self._bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def _pairs(self, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        return tuple((name, self._text(value)) for name, value in pairs)


def _stand_in(number: int, length: int) -> bytes:
    """A text of `length` bytes for the prompt with this number; those of one or two bytes may share theirs."""
    text = f"prompt {number} ".encode()
    if length < len(text):
        return f"{number:0{length}}"[-length:].encode()
    return (text * (length // len(text) + 1))[:length]


def _masked(data: bytes, secret: bytes) -> bytes:
    pictures = [] if len(secret) >= CERTAIN else [match.span() for match in BASE64.finditer(data)]

    def mask(match: re.Match[bytes]) -> bytes:
        inside = any(start <= match.start() and match.end() <= end for start, end in pictures)
        return match[0] if inside else b"*" * len(secret)

    return re.sub(re.escape(secret), mask, data)


def _reads(arrivals: Iterable[tuple[float, int]], body: bytes) -> Iterator[Read]:
    """The same pieces of a body that has changed, but for its length."""
    offset = 0
    for at, size in arrivals:
        yield Read(at, body[offset : offset + size])
        offset += size
