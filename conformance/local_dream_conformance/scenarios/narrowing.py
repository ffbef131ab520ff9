"""Finding the one form of a request that a server does not take, as far as the budget allows.

A planned generation carries many forms at once (`forms`). Where it fails, some of them are replaced by the plain
spelling, by halves, until one is named; what is left of the others is then sent once more, and its result serves the
checks that needed the generation. A server that takes every form is asked nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import ABSENT, BUSY, GENERATE, UPSCALE, End, Exchange, Request
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.http.connection import SendOptions
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios.forms import NOTE, forms_of
from local_dream_conformance.scenarios.series import labelled, refused

MOST_CULPRITS = 3
"""Forms of one generation that are named; then the plain request is sent."""
MOST_PROBES = 16
"""Requests in which one generation's forms are looked into."""
CUT = (End.RESET, End.TRUNCATED, End.EOF, End.IDLE_TIMEOUT)

Names = tuple[str, ...]
GENERATION = Cost(generations=1)


class Sendable(Protocol):
    """A request in the making."""

    @property
    def send_options(self) -> SendOptions: ...

    def request(self) -> Request: ...


Made = TypeVar("Made", bound=Sendable)


@dataclass(frozen=True)
class Planned(Generic[Made]):
    """A request in its plain spelling, the forms that it is to have, each with what makes it, and what it costs.

    `reserve` is what its scenario has still to spend after it, which no probe may use up.
    """

    plain: Made
    forms: Mapping[str, Callable[[Made], Made]]
    cost: Cost = GENERATION
    reserve: Cost = Cost()  # noqa: RUF009  (a frozen value)

    @property
    def names(self) -> Names:
        """The names of its forms."""
        return tuple(self.forms)

    def draft(self, names: Names) -> Made:
        """The request with some of its forms."""
        made = self.plain
        for name, change in self.forms.items():
            made = change(made) if name in names else made
        return made

    def send(self, target: Target, label: str, names: Names) -> Exchange:
        """Sends it with some of its forms, which the exchange notes."""
        draft = self.draft(names)
        return noted(target.send(label, draft.request(), draft.send_options), names)


def failed(exchange: Exchange) -> bool:
    """Whether a request that should make a picture was refused, or its stream ended in an error or in nothing."""
    if exchange.status in BUSY or exchange.status in ABSENT:
        return False
    return refused(exchange) or _ended_badly(exchange)


def _ended_badly(exchange: Exchange) -> bool:
    if exchange.operation != GENERATE or exchange.end in (End.HUNG_UP, End.UNREACHABLE):
        return False
    stream = generation(exchange)
    return stream.error is not None or (stream.complete is None and exchange.end in CUT)


def _lost(exchange: Exchange) -> bool:
    """Whether an upscale got no answer: a picture that a server cannot enlarge may crash what handles it."""
    return exchange.operation == UPSCALE and exchange.status is None and exchange.end in CUT


def search(forms: Names, *, plain_first: bool = False) -> Generator[Names, bool, None]:
    """Yields the forms to send next, and gets whether they were taken. The first answer is that to all of them.

    `plain_first`: it may be that no form is to blame; then nothing more is asked for.
    """
    if plain_first and not (yield ()):
        return
    left = forms
    for _ in range(MOST_CULPRITS):
        suspects, alone = left, len(left) == 1 and left == forms
        while len(suspects) > 1:
            half = suspects[: (len(suspects) + 1) // 2]
            if (yield half):
                suspects, alone = suspects[len(half) :], False
            else:
                suspects, alone = half, len(half) == 1
        if not alone and (yield suspects):
            break  # it takes two of them together, or chance
        left = tuple(name for name in left if name not in suspects)
        if not left or (yield left):
            break


@dataclass
class Narrowed:
    """What was sent after a failure, each with its forms noted, and which forms the server takes together.

    `good` is None where nothing was taken.
    """

    exchanges: list[Exchange] = field(default_factory=list)
    good: Names | None = None
    best: Exchange | None = None

    @property
    def gone(self) -> bool:
        """Whether the target could not be reached any more."""
        return bool(self.exchanges) and self.exchanges[-1].end is End.UNREACHABLE

    def add(self, names: Names, exchange: Exchange) -> bool:
        """Whether these forms were taken."""
        taken = not failed(exchange) and exchange.status == 200
        self.exchanges.append(exchange)
        if taken and (self.good is None or len(names) >= len(self.good)):
            self.good, self.best = names, exchange
        return taken


def narrow(target: Target, label: str, first: Exchange, planned: Planned[Made]) -> Narrowed:
    """Looks into why `first`, the planned request in all its forms, failed."""
    found = Narrowed()
    asking = search(planned.names, plain_first=not clearly_refused(first) or not _works(target, planned.cost))
    taken: bool | None = None
    for number in range(1, MOST_PROBES + 1):
        try:
            names = next(asking) if taken is None else asking.send(taken)
        except StopIteration:
            break
        if not target.spares(planned.cost + planned.reserve):
            break
        taken = found.add(names, planned.send(target, probe_label(label, number), names))
        if found.gone:
            break
    return found


def clearly_refused(exchange: Exchange) -> bool:
    """Whether the server said no, in whatever way: the connection was not merely lost, nor was there silence."""
    return refused(exchange) or (exchange.status == 200 and generation(exchange).error is not None)


def _works(target: Target, cost: Cost) -> bool:
    """Whether the target is known to take plain requests of this cost."""
    if cost.upscales:
        return target.spent.upscales > 0
    base = target.transcript("base")
    if base is not None and base.exchanges and generation(base.exchanges[-1]).complete is None:
        return False
    return target.spent.generations > 0


def probe_label(label: str, number: int) -> str:
    """The label of the request with fewer forms: SCENARIO/forms-1, SCENARIO/PART-forms-1."""
    return f"{label}-forms-{number}" if "/" in label else f"{label}/forms-{number}"


def noted(exchange: Exchange, names: Names) -> Exchange:
    """The exchange with the note that names its forms."""
    return replace(exchange, notes=(*exchange.notes, (NOTE, " ".join(names)))) if names else exchange


def served(target: Target, label: str, planned: Planned[Made]) -> list[Exchange]:
    """A generation (or upscale) in its forms. Where it fails, it is narrowed; what serves comes last, as `label`."""
    first = planned.send(target, label, planned.names)
    if not (failed(first) or _lost(first)) or not planned.forms:
        return [first]
    return serving(target, label, first, narrow(target, label, first, planned), planned)


def serving(target: Target, label: str, first: Exchange, found: Narrowed, planned: Planned[Made]) -> list[Exchange]:
    """The exchanges of a narrowing with that which serves, as `label`, at the end.

    It is the one with the most forms among those that were taken, or the plain request; where the budget has no room
    for more, the one that failed.
    """
    main = found.best or next((exchange for exchange in found.exchanges if not forms_of(exchange)), None)
    if main is None and not found.gone and target.spares(planned.cost):
        main = planned.send(target, label, ())
    probes = [exchange for exchange in found.exchanges if exchange is not main]
    if main is None:
        return [*probes, first]
    return [labelled(first, probe_label(label, 0)), *probes, labelled(main, label)]
