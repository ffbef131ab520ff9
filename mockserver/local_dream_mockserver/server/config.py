"""What whoever starts the server may set, apart from the engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Limits and waits of the HTTP layer. Sizes in bytes, waits in seconds."""

    without: frozenset[str] = frozenset()
    """Extensions that are turned off; `extensions.catalogue.NAMES` has their names."""
    busy: bool = False
    """Whether a generation is refused with 503 while another one runs, rather than queued (the extension busy)."""
    a1111: bool = False
    """Whether the adapter for AUTOMATIC1111's clients is there."""
    page: bool = False
    """Whether there is a page at / (and /docs, /openapi.json)."""
    page_target: str | None = None
    """The one other server that the page may reach through this one; None where it may reach none so."""
    control_port: int | None = None
    """The port, of those that the server listens on, at which the control API is; None where there is none. It is never
    0: whoever starts the server knows it by then."""
    generate: bool = True
    """Whether there is a /generate; without it the server only upscales."""
    max_body: int = 64 * 1024 * 1024
    """Longest request body; a longer one is refused with 413 before it is read."""
    max_picture_pixels: int = 40_000_000
    """Largest `image` or `mask` that is decoded, in pixels, whatever its file's length."""
    max_bodies: int = 512 * 1024 * 1024
    """Bytes of the bodies of all requests that are being received or served; beyond it, requests are refused with 503.
    Never less than `max_body`."""
    max_connections: int = 1000
    """Connections at a time."""
    max_waiting: int = 32
    """Requests that may wait for the engine behind the one that runs; the next one is refused with 503."""
    request_head: float = 30.0
    """How long the head of a request may take, and a connection may be without one."""
    head_within: float = 1.0
    """How long the answer to /generate waits for the engine's first word. An engine that fails within it is answered
    with 400 or 500; after it the stream has begun, and a failure is an error event."""
    body_idle: float = 30.0
    """How long a body may pause before it is refused with 408."""
    body_whole: float = 600.0
    """How long a body may take in all before it is refused with 408."""
    write_idle: float = 30.0
    """How long a client may leave an answer unread before it counts as gone."""
    lag_while_wanted: float = 10.0
    """How long a generation may keep others waiting, in all, because its client does not read as fast as it is made;
    then it ends with an error event."""
    hosts: frozenset[str] | None = None
    """Names under which the server may be called besides those that no web page can take (`access.is_safe`); None
    lets every name pass."""
    foreign_origins: bool = True
    """Whether web pages of other origins may POST."""
    token: str | None = None
    """What requests other than /health must bring as `Authorization: Bearer TOKEN`."""
    seed: int | None = None
    """From which the seeds of requests that have none are drawn, repeatably; None draws them from the system."""
