"""Deaths of the target: which exchanges show them, of what it died, and what is no evidence because of that.

The target's life is watched while the calls are made (http.life), which leaves notes on exchanges. Pure functions of
exchanges, so that a recording tells the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import End, Exchange
from local_dream_conformance.core.fields import documented
from local_dream_conformance.evidence.selectors import fields
from local_dream_conformance.http.life import BACK, BESIDE, DIED, EARLIER, NOT_BACK, RELAUNCHED, is_clean

SHOWN = 120
"""Characters of a request's body that a sentence quotes."""
ALIASES = {"stride": "show_diffusion_stride"}
"""What labels call a field."""


@dataclass(frozen=True)
class Death:
    """`killer` is the request after which no connection could be made any more, `before` the one before it; `certain`
    says that this was seen at once. `beside` ran at the same time. `then` is what became of the target.
    """

    killer: Exchange
    certain: bool
    beside: tuple[Exchange, ...]
    then: str
    is_back: bool
    before: Exchange | None = None

    @property
    def text(self) -> str:
        """The death in one line."""
        how = "died of" if self.certain else "died, it seems of"
        hung_up = "the hang-up on " if self.killer.end is End.HUNG_UP else ""
        line = f"the target {how} {hung_up}{in_short(self.killer)}"
        if self.beside:
            line += f" (while {', '.join(sorted(exchange.label for exchange in self.beside))} ran)"
        return f"{line}: {self.then}{'' if self.certain else '?'}"

    @property
    def cause(self) -> str:
        """What may be to blame beside the request itself, as a question; "" where nothing hints at it."""
        if self.before is None or self.before.end is not End.HUNG_UP or self.killer.end is End.HUNG_UP:
            return ""
        return f"what was left of {self.before.label}, on which the client had hung up just before?"


def deaths(exchanges: Iterable[Exchange]) -> list[Death]:
    """Every death that the exchanges show, in order of time.

    Recordings of versions that left no notes show it where no connection could be made from some request on.
    """
    ordered = sorted(exchanges, key=lambda exchange: exchange.started)
    found = [_death(exchange, ordered) for exchange in ordered if DIED in dict(exchange.notes)]
    ordered = [exchange for exchange in ordered if not exchange.on_control]
    if found or not ordered or ordered[-1].end is not End.UNREACHABLE:
        return found
    met = [one for one in ordered if one.end is not End.UNREACHABLE]
    return [Death(met[-1] if met else ordered[0], False, (), "could not be reached from then on", False)]


def _death(noticed: Exchange, ordered: list[Exchange]) -> Death:
    notes = dict(noticed.notes)
    is_back = NOT_BACK not in notes
    then = notes.get(NOT_BACK, "")
    if BACK in notes:
        then = f"refused connections, and came back after {notes[BACK]} s"
    elif RELAUNCHED in notes:
        then = f"refused connections, and was started again with --relaunch ({notes[RELAUNCHED]} s)"
    met = [one for one in ordered if one.end is not End.UNREACHABLE]
    if EARLIER in notes:
        earlier = [one for one in met if one.started < noticed.started]
        return Death(earlier[-1] if earlier else noticed, False, (), then, is_back)
    involved = [noticed, *(one for one in met if dict(one.notes).get(BESIDE) == notes[DIED])]
    killer = max(involved, key=lambda exchange: exchange.started)
    earlier = [one for one in met if one.started < killer.started and one not in involved]
    beside = tuple(one for one in involved if one is not killer)
    return Death(killer, True, beside, then, is_back, earlier[-1] if earlier else None)


def is_gone(exchanges: Iterable[Exchange]) -> bool:
    """Whether the target died and was not back when the last of the exchanges was over."""
    return any(not death.is_back for death in deaths(exchanges))


def is_evidence(exchange: Exchange) -> bool:
    """Whether an exchange says anything of the target but that it was not there.

    An answer that never came, since the target died meanwhile or was gone before, is evidence for its own absence.
    """
    if exchange.end is End.UNREACHABLE:
        return exchange.on_control  # that is a server of its own
    return is_clean(exchange) or not {DIED, BESIDE} & dict(exchange.notes).keys()


def in_short(exchange: Exchange) -> str:
    """A request in one line: method, path, and what is odd in it where its label says that, else how it begins."""
    request = exchange.request
    if not request.method:
        return f"bytes that are not HTTP ({exchange.label})"
    sizes = [f"{name}: {value}" for name, value in request.headers if name.lower().startswith("x-")]
    parts = [f"{request.method} {escape(request.target, 60)}", *(escape(size, 60) for size in sizes)]
    odd = _odd_field(exchange)
    if odd:
        parts.append(escape(json.dumps({odd: fields(request)[odd]}), SHOWN))
    elif request.body and not sizes:
        parts.append(escape(request.body, SHOWN))
    return " ".join(parts)


def _odd_field(exchange: Exchange) -> str | None:
    """The field that the label of a request names, where the request has it."""
    name = exchange.label.rpartition("/")[2]
    known = {**{field: field for field in documented()}, **ALIASES}
    named = [field for word, field in known.items() if name.startswith(f"{word}-")]
    return next((field for field in named if field in fields(exchange.request)), None)
