"""What every server's command line has in common: where it listens, and how its HTTP layer behaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.extensions.catalogue import NAMES

DEFAULTS = ServerSettings()

OPTIONS = (
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
    click.option(
        "--port", default=8081, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
    ),
    click.option("--no-generate", is_flag=True, help="Only enlarge pictures: /generate is answered with 404."),
    click.option(
        "--max-body",
        default=DEFAULTS.max_body,
        show_default=True,
        type=click.IntRange(min=1),
        help="Longest body, in bytes.",
    ),
    click.option(
        "--max-waiting",
        default=DEFAULTS.max_waiting,
        show_default=True,
        type=click.IntRange(min=0),
        help="Requests that may wait for the one that runs; the next gets 503.",
    ),
    click.option(
        "--busy", is_flag=True, help="Refuse a generation with 503 while another one runs, rather than let it wait."
    ),
    click.option(
        "--without",
        multiple=True,
        type=click.Choice(NAMES),
        help="Turn an extension off, to play an older server; repeat for more.",
    ),
    click.option("--a1111", is_flag=True, help="Also answer clients of AUTOMATIC1111 under /sdapi/v1."),
    click.option("--access-log", is_flag=True, help="Log method, path and status of each request to stderr."),
)


@dataclass(frozen=True)
class Chosen:
    """What was chosen on the command line."""

    host: str
    port: int
    access_log: bool
    settings: ServerSettings


def server_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command :data:`OPTIONS`, which reach it together as its argument ``server``."""

    @wraps(command)
    def called(
        *,
        host: str,
        port: int,
        no_generate: bool,
        max_body: int,
        max_waiting: int,
        busy: bool,
        without: tuple[str, ...],
        a1111: bool,
        access_log: bool,
        **others: Any,
    ) -> None:
        settings = ServerSettings(
            without=frozenset(without),
            busy=busy,
            a1111=a1111,
            generate=not no_generate,
            max_body=max_body,
            max_waiting=max_waiting,
        )
        command(server=Chosen(host, port, access_log, settings), **others)

    for option in reversed(OPTIONS):
        called = option(called)
    return called
