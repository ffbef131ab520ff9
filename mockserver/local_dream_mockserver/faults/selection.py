"""Which faults and quirks a request meets: those that the server was started with, and those that its header names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from starlette.datastructures import Headers
from starlette.types import Scope

from local_dream_mockserver.faults.catalogue import Chosen, Layer, choose
from local_dream_mockserver.faults.hooks import HONEST, FaultHooks, Stack, hooked
from local_dream_mockserver.proxy.unknown import Unknown
from local_dream_mockserver.server.errors import APIError
from local_dream_mockserver.server.extensions.cors import NAME as CORS
from local_dream_mockserver.server.http_protocol import HttpProtocol

HEADER = "X-Mock-Fault"
_RAW = HEADER.lower().encode()
MOST_REMEMBERED = 1000
"""Different values of the header for which a server remembers what has happened."""
MOST_AT_ONCE = 20
"""Faults, or quirks, that a client may name together."""


class Selection:
    """Chooses the alteration of each request. Several at once act from the honest server outwards, as they are named.

    What one header names is one object as long as the server runs, so that faults may depend on earlier requests with
    the same header.
    """

    def __init__(self, always: Sequence[FaultHooks] = (), make: Callable[[Chosen], FaultHooks] | None = None) -> None:
        """`make` makes what a header names; it may raise Unknown. None: `alteration`."""
        self.always = tuple(always)
        self._make = make or alteration
        self._by_header: dict[str, FaultHooks] = {"": _stacked(self.always)}

    def __call__(self, scope: Scope) -> FaultHooks:
        """The alteration for a request, by its header `X-Mock-Fault: NAME[@PLACE], ...`."""
        if not any(name == _RAW for name, _ in scope["headers"]):
            return self._by_header[""]
        names = ",".join(Headers(scope=scope).getlist(HEADER))
        if names not in self._by_header:
            if len(self._by_header) > MOST_REMEMBERED:
                self._by_header = {"": self._by_header[""]}
            self._by_header[names] = self._made(names)
        return self._by_header[names]

    @property
    def http(self) -> type[HttpProtocol]:
        """How the server reads bytes as HTTP."""
        return self._by_header[""].http

    def applied(self) -> int:
        """How often what the server was started with has really changed something."""
        return sum(part.applied for part in self.always)

    def _made(self, names: str) -> FaultHooks:
        try:
            chosen = [self._make(one) for one in several(filter(str.strip, names.split(",")), MOST_AT_ONCE)]
        except Unknown as error:
            refusal = APIError(400, f"{HEADER}: {error}")
            return hooked(None, wrap=lambda hooks, app: refusal.response())
        return _stacked((*self.always, *chosen))


def several(texts: Iterable[str], most: int | None = None) -> list[Chosen]:
    """What is named, each once: naming a thing again does nothing. Raises Unknown, also where more than `most` are
    named: each acts on what the others made, and some make two events of each."""
    named = list(dict.fromkeys(text.strip() for text in texts))
    if most is not None and len(named) > most:
        raise Unknown(f"at most {most} at a time; {len(named)} are named")
    return list({str(one): one for one in map(choose, named)}.values())


def made(text: str) -> FaultHooks:
    """The alteration that `NAME[@PLACE]` means. Raises Unknown."""
    return alteration(choose(text))


def alteration(chosen: Chosen, without: Collection[str] = ()) -> FaultHooks:
    """What was chosen, made. Raises Unknown where the mock server cannot do it by itself, or has turned the extension
    off that it is about."""
    expect_extensions(chosen, without)
    if chosen.entry.layer is Layer.WIRE:
        raise Unknown(f"{chosen}: of the wire; put the proxy before a server: local-dream proxy --fault {chosen}")
    thing = chosen.make()
    assert isinstance(thing, FaultHooks)
    return thing


def expect_extensions(chosen: Chosen, without: Collection[str]) -> None:
    """Raises Unknown where what was chosen is about an extension that a server has turned off."""
    for name in chosen.entry.extensions:
        if name in without:
            on = "start the server with --cors, and without" if name == CORS else f"leave out --without {name}, or"
            raise Unknown(f"{chosen}: needs the extension {name}, which is off; {on} the personality that lacks it")


def _stacked(parts: Sequence[FaultHooks]) -> FaultHooks:
    if not parts:
        return HONEST
    return parts[0] if len(parts) == 1 else Stack(parts)
