"""How many connections there may be, and how long they may take. Waits in seconds."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import uvicorn

from local_dream_mockserver.server.config import ServerSettings

if sys.platform != "win32":
    import resource

SPARE_DESCRIPTORS = 64
"""For listening, logs, libraries, pictures, and connections that are being turned away."""
EACH_DESCRIPTORS = 3
"""File descriptors that a connection takes where the proxy stands before the server in the same process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Limits of the HTTP protocol, below the application."""

    most: int = 1000
    """Connections at a time. Beyond it, the one that has waited longest without a request gives way to the new one;
    where all are being served, the new one is answered with 503."""
    head: float = 30.0
    """From the first byte of a request, or from connecting, to the end of its head."""
    unread: float = 30.0
    """How long a client may take nothing of an answer that is ready."""

    def fitted(self, each: int = EACH_DESCRIPTORS) -> ConnectionLimits:
        """No more connections than this process has file descriptors for, where one takes so many."""
        most = self.most
        if sys.platform != "win32":  # which has no such limit
            descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
            if descriptors != resource.RLIM_INFINITY:
                most = min(most, max(1, (descriptors - SPARE_DESCRIPTORS) // each))
        return replace(self, most=most)

    @classmethod
    def of(cls, settings: ServerSettings) -> ConnectionLimits:
        return cls(most=settings.max_connections, head=settings.request_head, unread=settings.write_idle)


class LimitedConfig(uvicorn.Config):
    """uvicorn's configuration with our limits, by which they reach each connection's protocol."""

    def __init__(self, *args: Any, limits: ConnectionLimits, **keys: Any) -> None:
        super().__init__(*args, **keys)
        self.limits = limits
        self.told_full = float("-inf")
        """When the log was last told that all connections are taken, on the loop's clock."""


def raise_descriptors(connections: int) -> None:
    """Has this process open enough files for so many connections, as far as it may. For a process of our own."""
    if sys.platform != "win32":
        wanted = connections * EACH_DESCRIPTORS + SPARE_DESCRIPTORS
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            with suppress(OSError, ValueError):  # macOS has another limit beside this one
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
