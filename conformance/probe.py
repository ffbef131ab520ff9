"""Probes: the only code that spends the target's time. Each runs at most once per run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.settings import Settings
    from conformance.target import Target
    from conformance.transcript import Exchange


@dataclass(frozen=True, slots=True)
class Cost:
    """Accepted calls that occupy the target's accelerator. Refused requests and /health cost nothing."""

    generations: int = 0
    upscales: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.generations + other.generations, self.upscales + other.upscales)


@dataclass(frozen=True)
class Probe:
    """Calls to make, and what they cost.

    `run` makes the calls through the Target (which records them) and yields the exchanges. `after` names probes that
    must have run before this one (their transcripts can be read with `target.transcript(name)`); `available` answers
    with the reason why the probe cannot be run under these settings (e.g. "--no-img2img"), or None. `price` answers
    with the cost where that depends on the settings.
    """

    name: str
    cost: Cost
    run: Callable[[Target], Iterable[Exchange]]
    after: tuple[str, ...] = ()
    available: Callable[[Settings], str | None] = lambda settings: None
    price: Callable[[Settings], Cost] | None = None
    work: Callable[[Settings], float] | None = None
    """Denoising steps times pixels, where that is not what the smallest generations take (for the time left)."""

    def priced(self, settings: Settings) -> Probe:
        """The probe with what it costs under these settings."""
        return self if self.price is None else replace(self, cost=self.price(settings), price=None)
