"""What `local-dream mock` serves: the application with its faults and quirks, and the proxy before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.types import ASGIApp

from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.catalogue import Chosen, Layer
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.selection import Selection, alteration
from local_dream_mockserver.mock.mock_engine import MockEngine
from local_dream_mockserver.mock.request_log import RequestLog
from local_dream_mockserver.mock.scripted_app import create_scripted_app
from local_dream_mockserver.mock.state import MockState
from local_dream_mockserver.mock.wire_marks import MarkProxy
from local_dream_mockserver.proxy.handover import NeedsProxy
from local_dream_mockserver.proxy.mutator import ResponseMutator
from local_dream_mockserver.proxy.proxy import Proxy, Upstream
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.engine import Engine
from local_dream_mockserver.server.run import Protocols

Makers = Sequence[Callable[[], FaultHooks]]


@dataclass(frozen=True, slots=True)
class Served:
    """An application, how it reads bytes as HTTP, and what makes the proxy before it (None: nothing is before it)."""

    app: ASGIApp
    http: Protocols
    front: Callable[[Upstream], Proxy] | None
    needs_proxy: NeedsProxy | None = None
    """Which requests the proxy is for; None: all."""


def faulty(engine: Engine, settings: ServerSettings, before: Makers, chosen: Sequence[Chosen]) -> Served:
    """The same for all requests: first `before`, then what was chosen."""
    mutators = [made for one in chosen if isinstance(made := one.make(), ResponseMutator)]
    make = partial(alteration, without=settings.without)
    inside = [one() for one in before] + [make(one) for one in chosen if one.entry.layer is not Layer.WIRE]
    selection = Selection(inside, make)
    app = create_faulty_app(engine, settings, selection)
    return Served(app, selection.http, partial(Proxy, mutators=mutators) if mutators else None)


def scripted(engine: MockEngine, settings: ServerSettings, before: Makers, chosen: Sequence[Chosen]) -> Served:
    """At the start the same, then as it is told under /__mock__/."""
    state = MockState(before, chosen, settings.without, engine.pace)
    app = create_scripted_app(engine, settings, state, RequestLog(), control=True)

    def front(upstream: Upstream) -> Proxy:
        state.marks.port = upstream.port
        return MarkProxy(upstream, state.marks)

    return Served(app, lambda *args, **keys: state.http(*args, **keys), front, state.needs_proxy)
