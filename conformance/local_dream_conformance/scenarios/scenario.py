"""Scenarios: the only code that spends the target's time. Each runs at most once per run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from local_dream_conformance.core.budget import Cost

if TYPE_CHECKING:
    from local_dream_conformance.core.exchange import Exchange
    from local_dream_conformance.core.settings import Settings
    from local_dream_conformance.http.target import Target


@dataclass(frozen=True)
class Scenario:
    """Calls to make, and what they cost.

    `run` makes the calls through the Target (which records them) and yields the exchanges. `after` names scenarios that
    must have run before this one (their transcripts can be read with `target.transcript(name)`); `available` answers
    with the reason why the scenario cannot be run under these settings (e.g. "--no-img2img"), or None. `price` answers
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

    def priced(self, settings: Settings) -> Scenario:
        """The scenario with what it costs under these settings."""
        return self if self.price is None else replace(self, cost=self.price(settings), price=None)


def no_img2img(settings: Settings) -> str | None:
    """Why a scenario that sends an image is not available."""
    return None if settings.img2img else "--no-img2img: the target takes no images"


def no_upscaler_path(settings: Settings) -> str | None:
    """Why a scenario that enlarges a picture is not available."""
    return None if settings.upscaler_path else "no --upscaler-path: nothing on the target is known to upscale with"
