"""Personalities: the mock as a whole other server. Each says what a judge will find in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from local_dream_mockserver.faults.hooks import FaultHooks


class Makes(Protocol):
    """Makes the server. `destructive` plays the bugs that kill it, too."""

    def __call__(self, *, destructive: bool = False) -> FaultHooks: ...


@dataclass(frozen=True, kw_only=True)
class EmulatedRelease:
    """A whole other server. `breaks` are the MUSTs that it breaks, `discouraged` the SHOULDs, `without` the
    extensions that it does not have. `mode` is "" for the one in which a release runs most."""

    name: str
    sentence: str
    make: Makes
    mode: str = ""
    without: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()
    discouraged: tuple[str, ...] = ()


PERSONALITIES: dict[str, EmulatedRelease] = {}
"""As far as they were imported; `personalities` has them all."""
