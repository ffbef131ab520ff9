"""What `local-dream mock` serves: the application with its faults and quirks, and the proxy before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.types import ASGIApp

from mockserver.client_mock.journal import Journal
from mockserver.client_mock.orders import Orders
from mockserver.client_mock.told_app import create_told_app
from mockserver.client_mock.wire import MarkProxy
from mockserver.engine import Engine
from mockserver.faults.alteration import Alteration
from mockserver.faults.altered import create_altered_app
from mockserver.faults.catalogue import Chosen, Layer
from mockserver.faults.selection import Selection, alteration
from mockserver.proxy.bend import Bend
from mockserver.proxy.proxy import Proxy, Upstream
from mockserver.serving import Protocols
from mockserver.settings import ServerSettings

Makers = Sequence[Callable[[], Alteration]]


@dataclass(frozen=True, slots=True)
class Served:
    """An application, how it reads bytes as HTTP, and what makes the proxy before it (None: nothing is before it)."""

    app: ASGIApp
    http: Protocols
    front: Callable[[Upstream], Proxy] | None


def altered(engine: Engine, settings: ServerSettings, before: Makers, chosen: Sequence[Chosen]) -> Served:
    """The same for all requests: first `before`, then what was chosen."""
    bends = [made for one in chosen if isinstance(made := one.make(), Bend)]
    make = partial(alteration, without=settings.without)
    inside = [one() for one in before] + [make(one) for one in chosen if one.entry.layer is not Layer.WIRE]
    selection = Selection(inside, make)
    app = create_altered_app(engine, settings, selection)
    return Served(app, selection.http, partial(Proxy, bends=bends) if bends else None)


def told(engine: Engine, settings: ServerSettings, before: Makers, chosen: Sequence[Chosen]) -> Served:
    """At the start the same, then as it is told under /__mock__/."""
    orders = Orders(before, chosen, settings.without)
    app = create_told_app(engine, settings, orders, Journal(), control=True)
    return Served(app, lambda *args, **keys: orders.http(*args, **keys), partial(MarkProxy, marks=orders.marks))
