"""What recorded exchanges cost the target."""

from __future__ import annotations

from collections.abc import Iterable

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import GENERATE, UPSCALE, Exchange, Transcript
from local_dream_conformance.evidence.generation import generation


def spent_on(exchange: Exchange) -> Cost:
    """What an exchange cost the target: nothing where it refused, also where the refusal is an error event."""
    if exchange.status != 200:
        return Cost()
    if exchange.operation == UPSCALE:
        return Cost(upscales=1)
    if exchange.operation == GENERATE:
        stream = generation(exchange)
        return Cost() if stream.end is not None and not stream.has_begun else Cost(generations=1)
    return Cost()


def spent(transcripts: Iterable[Transcript]) -> Cost:
    """What the transcripts cost the target: accepted generations and upscales."""
    return sum((spent_on(exchange) for transcript in transcripts for exchange in transcript.exchanges), Cost())
