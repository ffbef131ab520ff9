"""The application that takes orders and keeps a journal."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware

from local_dream_mockserver.faults.app import FaultyGenerate, FaultyUpscale, HooksMiddleware
from local_dream_mockserver.mock.control_api import Control
from local_dream_mockserver.mock.recorder import Recorded
from local_dream_mockserver.mock.request_log import RequestLog
from local_dream_mockserver.mock.state import MockState
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.engine import Engine


def create_scripted_app(
    engine: Engine, settings: ServerSettings, orders: MockState, journal: RequestLog, *, control: bool
) -> Starlette:
    """The mock under `orders`; `control` says whether it answers under /__mock__/ too.

    Faults of the wire happen where a `wire.MarkProxy` with the same marks stands before it.
    """
    middleware = [
        Middleware(Recorded, journal=journal, settings=settings),
        Middleware(HooksMiddleware, choose=orders),
    ]
    if control:
        middleware.insert(0, Middleware(Control, orders=orders, journal=journal, settings=settings))
    return create_app(engine, settings, middleware=middleware, generate=FaultyGenerate, upscale=FaultyUpscale)
