"""Running scenarios at a server: which there are, what they cost, and what they send."""

from __future__ import annotations

from typing import Any

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import Exchange, Transcript
from local_dream_conformance.core.extension import Declared
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence.spending import spent_on
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import SCENARIOS

HARDENED = ("negative", "edges", "fields", "chain", "nulls", "queue", "hostile", "huge-prompt", "upscale-range")
LAST = ("destructive",)
DECLARED = ("schedulers", "prompt-weights", "ultrafix", "reference-images", "control")
"""Scenarios of what is asked for only where it is declared, or the address of it is given."""
DECLARATIONS = (
    Declared("schedulers", ("euler", "lcm", "eulera")),
    *(Declared(name) for name in ("prompt_weights", "ultrafix", "reference_images")),
)
EXTENSIONS = ("cors", "cors-upscale", "tokenize", "formats", "size", "aspect-ratio", *DECLARED)
CORE = tuple(name for name in SCENARIOS if name not in (*HARDENED, *EXTENSIONS, *LAST, "generated"))
EVERY = (*CORE, *HARDENED)
QUICK: dict[str, Any] = {"idle_timeout": 20.0, "total_timeout": 40.0}


def cost_of(names: tuple[str, ...]) -> Cost:
    return sum((SCENARIOS[name].cost for name in names), Cost())


def run(url: str, *names: str, **settings: Any) -> tuple[dict[str, Exchange], Target]:
    """Runs scenarios in their order; their exchanges by label."""
    done: dict[str, Transcript] = {}
    target = Target(Settings(url=url, **{**QUICK, **settings}), done.__getitem__, cost_of=spent_on)
    for name in names:
        assert SCENARIOS[name].available(target.settings) is None
        done[name] = Transcript(name, tuple(target.carry_out(SCENARIOS[name].run)))
    found = [exchange for transcript in done.values() for exchange in transcript.exchanges]
    assert len({exchange.label for exchange in found}) == len(found)
    return {exchange.label: exchange for exchange in found}, target


def sent(exchange: Exchange) -> dict[str, Any]:
    body: dict[str, Any] = exchange.request.json
    return body
