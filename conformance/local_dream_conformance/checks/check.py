"""Checks: pure functions of recorded exchanges, each proving one requirement.

A check sees only its `Context`: the exchanges, the settings, and `expect`. It makes no calls, keeps no state, reads no
clock, so the same evidence always gives the same verdict. A check that tried no expectation proves nothing and is an
error of the suite; one that cannot apply says so with `context.not_applicable(evidence)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from local_dream_conformance.core.context import Context


@dataclass(frozen=True)
class Check:
    """A check function with what it needs.

    `needs`: scenarios without which it cannot judge. `over`: prefixes of exchange labels; the exchanges of every
    scenario in the run's plan with such a label are added, so that "every stream" means every stream the run saw.
    `requires`: ids of requirements that must hold first; where one fails, this one is blocked and names it.
    `also`: scenarios that are made for it where they can be, and without which it judges the rest. `deaths`: it judges
    whether the target lived, and so sees what every other check is spared: exchanges that got no answer because the
    target was gone.
    """

    id: str
    function: Callable[[Context], None]
    needs: tuple[str, ...]
    over: tuple[str, ...]
    requires: tuple[str, ...]
    also: tuple[str, ...] = ()
    deaths: bool = False


REQUIRED = ("HLT-01",)
"""What a check requires that names nothing more: that the server answers GET /health (where the
contract has that requirement)."""

SURVIVAL = "SRV-05"
"""The requirement that no request ends the server: what cannot be judged since one did is blocked by it."""

REGISTRY: dict[str, list[Check]] = {}


def check(
    id: str,
    *,
    needs: Iterable[str],
    over: Iterable[str] = (),
    requires: Iterable[str] = REQUIRED,
    also: Iterable[str] = (),
    deaths: bool = False,
) -> Callable[[Callable[[Context], None]], Callable[[Context], None]]:
    """Registers a check of requirement `id`. A requirement may have several; all must hold.

    `requires` replaces REQUIRED: an extension, say, is asked for whatever /health answers.
    """

    def register(function: Callable[[Context], None]) -> Callable[[Context], None]:
        made = Check(id, function, tuple(needs), tuple(over), tuple(requires), tuple(also), deaths)
        REGISTRY.setdefault(id, []).append(made)
        return function

    return register
