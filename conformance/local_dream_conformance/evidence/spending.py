"""What recorded exchanges cost the target."""

from __future__ import annotations

from collections.abc import Iterable

from local_dream_conformance.core.budget import Cost, most
from local_dream_conformance.core.exchange import End, Exchange, Transcript
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.http.connection import CUT

SILENT = (End.IDLE_TIMEOUT, End.TOTAL_TIMEOUT, End.TOO_LARGE, End.HUNG_UP)
"""Ends without an answer of which nobody knows what the target does meanwhile."""


def spent_on(exchange: Exchange) -> Cost:
    """What an exchange cost the target: nothing where it refused, also where the refusal is an error event."""
    if exchange.status != 200:
        return Cost()
    made: Cost = exchange.__dict__.setdefault("_cost", None) or _accepted(exchange)
    exchange.__dict__["_cost"] = made
    return made


def _accepted(exchange: Exchange) -> Cost:
    cost = most(exchange.request)
    if cost.generations:
        stream = generation(exchange)
        return Cost() if stream.end is not None and not stream.has_begun else cost
    return cost


def charged(exchange: Exchange) -> Cost:
    """What an exchange counts within a budget: what it cost, or may have cost where no answer came."""
    if exchange.status is None and exchange.end in SILENT and not dict(exchange.notes).get(CUT):
        return most(exchange.request)
    return spent_on(exchange)


def spent(transcripts: Iterable[Transcript]) -> Cost:
    """What the transcripts cost the target: accepted generations and upscales."""
    return sum((spent_on(exchange) for transcript in transcripts for exchange in transcript.exchanges), Cost())
