"""Running probes at a server: which there are, what they cost, and what they send."""

from __future__ import annotations

from typing import Any

from conformance.probe import Cost
from conformance.probes import PROBES
from conformance.settings import Settings
from conformance.target import Target
from conformance.transcript import Exchange, Transcript

HARDENED = ("nulls", "repeat", "edges", "hostile", "huge-prompt", "upscale-range")
EXTENSIONS = ("cors", "cors-upscale", "tokenize", "formats", "size", "aspect-ratio", "schedulers")
CORE = tuple(name for name in PROBES if name not in (*HARDENED, *EXTENSIONS) and not name.startswith("generated"))
EVERY = (*CORE, *HARDENED)
QUICK: dict[str, Any] = {"idle_timeout": 20.0, "total_timeout": 40.0}


def cost_of(names: tuple[str, ...]) -> Cost:
    return sum((PROBES[name].cost for name in names), Cost())


def run(url: str, *names: str, **settings: Any) -> tuple[dict[str, Exchange], Target]:
    """Runs probes in their order; their exchanges by label."""
    done: dict[str, Transcript] = {}
    target = Target(Settings(url=url, **{**QUICK, **settings}), done.__getitem__)
    for name in names:
        assert PROBES[name].available(target.settings) is None
        done[name] = Transcript(name, tuple(PROBES[name].run(target)))
    found = [exchange for transcript in done.values() for exchange in transcript.exchanges]
    assert len({exchange.label for exchange in found}) == len(found)
    return {exchange.label: exchange for exchange in found}, target


def sent(exchange: Exchange) -> dict[str, Any]:
    body: dict[str, Any] = exchange.request.json
    return body
