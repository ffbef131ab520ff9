"""Ports for servers that come back at the same one, or begin later."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

OURS = range(20_000, 32_000)
"""Below what systems give to those who ask for any port: such a one may be another client's a moment later."""


def free_port() -> int:
    """A port of loopback at which nobody listens, and which the system gives to nobody by itself."""
    for port in random.sample(OURS, 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("none of 100 ports is free")
