"""What checks read from recorded exchanges, and in which words they speak of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from local_dream_conformance.core.budget import counted
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import GENERATE, End, Exchange, Request
from local_dream_conformance.core.fields import documented, of_extensions
from local_dream_conformance.core.strict_json import integer
from local_dream_conformance.evidence.generation import GenerationEvent, GenerationStream, generation
from local_dream_conformance.evidence.images import FEW_PIXELS, BadPicture, Picture, of_payload
from local_dream_conformance.http import coding

SHORT = 60
"""Characters of a target's value that a finding shows."""

ALONE = ("base", "defaults/", "strength/", "nulls", "negative", "repeat", "edges/", "chain/", "recorded/")
"""Prefixes of the generations that ran with nothing beside or just before them."""

GENERATIONS = (*ALONE, "hang-up/next", "overlap/first", "overlap/second", "fields/", "queue/first", "queue/third")
"""Prefixes of all generations that the suite lets run to their end."""

EVERY = (*GENERATIONS, "hang-up/", "overlap/", "queue/", "refuse/", "refuse-image/", "range/")
"""Prefixes of whatever may be a stream, cut ones and those of requests that should have been refused too."""


REFUSED = ("refuse/", "refuse-image/", "range/", "hang-up/refused-meanwhile")
"""Prefixes of the requests that should be refused."""


def streams(context: Context, *prefixes: str) -> list[GenerationStream]:
    """The answers to POST /generate that say that they are event streams, by default the GENERATIONS among them.

    Of requests that should be refused only those whose stream says so: a generation that should not have begun proves
    nothing about those that should.
    Raises MissingEvidence where there is none.
    """
    found = [
        generation(exchange)
        for exchange in context.starting(*(prefixes or GENERATIONS))
        if exchange.operation == GENERATE
    ]
    kept = [stream for stream in found if stream.is_stream and not _should_not_be(stream)]
    if not kept:
        raise MissingEvidence("no answer was an event stream")
    return kept


def _should_not_be(stream: GenerationStream) -> bool:
    return stream.exchange.label.startswith(REFUSED) and (stream.has_begun or stream.end is None)


def ended(context: Context, *prefixes: str) -> list[GenerationStream]:
    """The streams that the suite did not hang up on. Raises MissingEvidence where there is none."""
    kept = [stream for stream in streams(context, *prefixes) if stream.exchange.end is not End.HUNG_UP]
    if not kept:
        raise MissingEvidence("every stream was hung up on")
    return kept


def completed(context: Context, *prefixes: str) -> list[tuple[GenerationStream, GenerationEvent]]:
    """The streams that came to a complete event, with it. Raises MissingEvidence where there is none."""
    kept = [(stream, stream.complete) for stream in streams(context, *prefixes)]
    found = [(stream, complete) for stream, complete in kept if complete is not None]
    if not found:
        raise MissingEvidence("no stream came to a complete event")
    return found


def fields(request: Request) -> dict[str, Any]:
    """The JSON object that was sent, {} where it is none."""
    sent = request.json
    return sent if isinstance(sent, dict) else {}


def size(stream: GenerationStream) -> tuple[int, int] | None:
    """(width, height) as complete says, where both are integers."""
    payload = stream.complete.payload if stream.complete else {}
    width, height = integer(payload.get("width")), integer(payload.get("height"))
    return None if width is None or height is None else (width, height)


def picture(stream: GenerationStream) -> Picture | None:
    """The picture in complete; None where there is none or it cannot be read. Decoded once for each stream."""
    found: dict[str, Picture | None] = stream.__dict__
    if "_picture" not in found:
        try:
            found["_picture"] = of_payload(stream.complete.payload, most=_most(stream)) if stream.complete else None
        except BadPicture:
            found["_picture"] = None
    return found["_picture"]


def _most(stream: GenerationStream) -> int:
    """Pixels that are decoded of a picture: four times as many as were asked for."""
    asked = fields(stream.exchange.request)
    width, height = (integer(asked.get(edge)) or documented()[edge].default for edge in ("width", "height"))
    return max(FEW_PIXELS, 4 * width * height)


def preview(stream: GenerationStream, event: GenerationEvent) -> Picture | None:
    """The picture in a progress event; None where it cannot be read. Raw ones have the size that complete reports."""
    try:
        return of_payload({**event.payload, "width": None}, size(stream), _most(stream))
    except BadPicture:
        return None


def pictured(context: Context, *prefixes: str) -> list[tuple[GenerationStream, Picture]]:
    """The streams whose complete has a picture that can be read. Raises MissingEvidence where there is none."""
    found = [(stream, picture(stream)) for stream, _ in completed(context, *prefixes)]
    kept = [(stream, shown) for stream, shown in found if shown is not None]
    if not kept:
        raise MissingEvidence("no picture of a complete event could be read")
    return kept


def outcome(exchange: Exchange) -> str:
    """In one line, safe to print: what came of a request."""
    if exchange.status is None and exchange.end is End.HUNG_UP:
        return "no answer before we hung up"
    if exchange.status is None:
        return f"no answer ({exchange.end}{': ' + exchange.detail if exchange.detail else ''})"
    stream = generation(exchange)
    if stream.is_stream:
        last = stream.terminal
        if last is None:
            count = len(stream.events)
            if exchange.end is End.HUNG_UP:
                until = "its first event" if count == 1 else counted(count, "event")
                return f"a stream, with status 200 (we stopped reading after {until})"
            return f"a stream without complete or error ({counted(count, 'event')}; {ending(exchange)})"
        message = f" {escape(str(last.payload.get('message')), 120)!r}" if last.payload.get("message") else ""
        return f"a stream that ends with {last.name}{message}"
    body = f": {escape(exchange.body, 120)}" if exchange.body else " without a body"
    cut = f"; {ending(exchange)}" if exchange.is_cut else ""
    return f"status {exchange.status} ({escape(exchange.media_type, 60) or 'no media type'}){body}{cut}"


ENDINGS = {
    End.COMPLETE: "then the answer was over",
    End.EOF: "then the server closed the connection",
    End.TRUNCATED: "then the server closed the connection in the middle of the answer",
    End.RESET: "then the connection was reset",
    End.MALFORMED: "then came bytes that are no HTTP",
    End.IDLE_TIMEOUT: "then nothing came any more, and we gave up",
    End.TOTAL_TIMEOUT: "it took too long, and we gave up",
    End.TOO_LARGE: "it grew too long, and we gave up",
    End.HUNG_UP: "we stopped reading there",
    End.UNREACHABLE: "there was no connection",
}


def ending(exchange: Exchange) -> str:
    """How an answer ended, in words that say who ended it."""
    return f"it cannot be decoded: {exchange.detail}" if undecodable(exchange) else ENDINGS[exchange.end]


def undecodable(exchange: Exchange) -> bool:
    """Whether the answer ends where its body is not in the coding that it names."""
    return exchange.end is End.MALFORMED and coding.NOTE in dict(exchange.notes)


PREVIEWS_ONLY = ("show_diffusion_process", "show_diffusion_stride", "preview_format")
"""The fields of the contract, its extensions included, on which the finished picture does not depend."""


def pictured_fields(request: Request, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a request says of its picture, without some fields. What it leaves out, or sends as null, is there with its
    default, and `use_opencl` is not there: neither makes another picture.
    """
    sent = fields(request)
    defaults = {name: field.default for name, field in documented().items()}
    if not sent.get("image"):
        defaults["denoise_strength"] = None
        sent = {name: value for name, value in sent.items() if name != "denoise_strength"}
    said = {name: sent[name] if sent.get(name) is not None else defaults.get(name) for name in (*defaults, *sent)}
    unseen = (*PREVIEWS_ONLY, "use_opencl", *without)
    known = {*documented(), *of_extensions()}
    return {name: value for name, value in said.items() if name in known and name not in unseen and value is not None}


def value(found: Any) -> str:
    """A JSON value from a target, short and safe to print."""
    return escape(repr(found[:SHORT] if isinstance(found, str) else found), SHORT)


def held(event: GenerationEvent, name: str) -> str:
    """What the data of an event has under a name, short and safe to print."""
    return value(event.payload[name]) if name in event.payload else f"no {name}"


def listed(labels: Sequence[str]) -> str:
    """Names in a row: a, b and c."""
    return ", ".join(labels[:-1]) + " and " + labels[-1] if len(labels) > 1 else "".join(labels)
