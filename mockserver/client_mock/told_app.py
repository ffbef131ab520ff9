"""The application that takes orders and keeps a journal."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware

from mockserver.app import create_app
from mockserver.client_mock.control import Control
from mockserver.client_mock.journal import Journal
from mockserver.client_mock.orders import Orders
from mockserver.client_mock.recorded import Recorded
from mockserver.engine import Engine
from mockserver.faults.altered import AlteredGenerate, AlteredUpscale, Door
from mockserver.settings import ServerSettings


def create_told_app(
    engine: Engine, settings: ServerSettings, orders: Orders, journal: Journal, *, control: bool
) -> Starlette:
    """The mock under `orders`; `control` says whether it answers under /__mock__/ too.

    Faults of the wire happen where a `wire.MarkProxy` with the same marks stands before it.
    """
    doors = [
        Middleware(Recorded, journal=journal, settings=settings),
        Middleware(Door, choose=orders),
    ]
    if control:
        doors.insert(0, Middleware(Control, orders=orders, journal=journal))
    return create_app(engine, settings, doors=doors, generate=AlteredGenerate, upscale=AlteredUpscale)
