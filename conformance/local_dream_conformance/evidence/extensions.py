"""How an answer shows that a server has an extension. Pure functions of exchanges, read by scenarios and by checks."""

from __future__ import annotations

from dataclasses import dataclass

from local_dream_conformance.core import strict_json
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.strict_json import integer
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.images import BadPicture, decode_base64, kind_of
from local_dream_conformance.evidence.selectors import fields, size

READ = 1 << 20
"""Answers of /tokenize are not read beyond this many bytes."""


def makes_formats(exchange: Exchange) -> bool:
    """Whether complete is in the format that was asked for, or says that it is in one that is not raw."""
    complete = generation(exchange).complete
    if complete is None:
        return False
    said = complete.payload.get("format")
    if said is not None and said != "raw":
        return True
    try:
        kind = kind_of(decode_base64(complete.image or ""))
    except BadPicture:
        return False
    return kind is not None and kind == fields(exchange.request).get("output_format")


def makes_size(exchange: Exchange) -> bool:
    """Whether `size` changed the picture: one side of it is as `size` says, which width and height do not."""
    made = size(generation(exchange))
    return made is not None and fields(exchange.request).get("size") in made


def makes_ratio(exchange: Exchange, base: Exchange | None) -> bool:
    """Whether `aspect_ratio` changed the picture: it is not of the size that the same width and height gave in `base`.

    Without that, it is not of the size that was asked for.
    """
    made, asked = size(generation(exchange)), fields(exchange.request)
    usual = size(generation(base)) if base is not None else None
    return made is not None and made != (usual or (asked.get("width"), asked.get("height")))


@dataclass(frozen=True)
class TokenCount:
    """An answer of /tokenize; None where a key is missing or no integer. `problem` says why it is no JSON object."""

    count: int | None = None
    max_length: int | None = None
    overflow_offset: int | None = None
    has_offset: bool = False
    problem: str = ""


def token_count(exchange: Exchange) -> TokenCount:
    """What an exchange with /tokenize says."""
    if exchange.status != 200:
        return TokenCount(problem=f"status {exchange.status}")
    parsed = strict_json.parse(exchange.body[:READ])
    if not isinstance(parsed.value, dict):
        return TokenCount(problem=parsed.problem or "no JSON object")
    found = parsed.value
    return TokenCount(
        integer(found.get("count")),
        integer(found.get("max_length")),
        integer(found.get("overflow_offset")),
        has_offset="overflow_offset" in found,
    )
