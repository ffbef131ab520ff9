"""What every server's command line has in common: where it listens, and how its HTTP layer behaves."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import click

from local_dream_mockserver.server.access import is_loopback_address
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.connection_limits import ConnectionLimits
from local_dream_mockserver.server.extensions.catalogue import NAMES
from local_dream_mockserver.server.extensions.cors import NAME as CORS
from local_dream_mockserver.server.page.address import parse_target
from local_dream_mockserver.server.run import CannotListen, listen, url_of

DEFAULTS = ServerSettings()
WAITS = click.FloatRange(min=0, min_open=True, max=86400)


def read_target(context: click.Context, parameter: click.Parameter, url: str | None) -> str | None:
    """The address of --page-target. Raises BadParameter."""
    try:
        return url and parse_target(url)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


OPTIONS = (
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
    click.option(
        "--port", default=8081, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
    ),
    click.option(
        "--control-port",
        type=click.IntRange(0, 65535),
        help="Also answer the control API, by which another device chooses what runs, at this port (8808 on a phone); "
        "0 takes a free one.",
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
        "--max-bodies",
        default=DEFAULTS.max_bodies,
        show_default=True,
        type=click.IntRange(min=1),
        help="Bytes of all bodies that are being received or served; 503 beyond it.",
    ),
    click.option(
        "--max-picture-pixels",
        default=DEFAULTS.max_picture_pixels,
        show_default=True,
        type=click.IntRange(min=1),
        help="Largest image or mask that is decoded.",
    ),
    click.option(
        "--max-connections",
        default=DEFAULTS.max_connections,
        show_default=True,
        type=click.IntRange(min=1),
        help="Connections at a time; an idle one gives way to the next, or the next gets 503.",
    ),
    click.option(
        "--max-waiting",
        default=DEFAULTS.max_waiting,
        show_default=True,
        type=click.IntRange(min=0),
        help="Requests that may wait for the one that runs; the next gets 503.",
    ),
    click.option(
        "--timeout-head",
        default=DEFAULTS.request_head,
        show_default=True,
        type=WAITS,
        help="Seconds for the head of a request, and for a connection without one.",
    ),
    click.option(
        "--timeout-body",
        default=DEFAULTS.body_whole,
        show_default=True,
        type=WAITS,
        help=f"Seconds for a whole body; it may pause for {DEFAULTS.body_idle:g}.",
    ),
    click.option(
        "--timeout-unread",
        default=DEFAULTS.write_idle,
        show_default=True,
        type=WAITS,
        help="Seconds that a client may leave an answer unread.",
    ),
    click.option(
        "--timeout-lag",
        default=DEFAULTS.lag_while_wanted,
        show_default=True,
        type=WAITS,
        help="Seconds that a client that reads slowly may keep others waiting.",
    ),
    click.option(
        "--token",
        envvar="LOCAL_DREAM_TOKEN",
        help="What requests must bring as Authorization: Bearer TOKEN; /health stays open. "
        "Better by the environment variable LOCAL_DREAM_TOKEN, as others can see command lines.",
    ),
    click.option(
        "--allow-host",
        "allow_hosts",
        multiple=True,
        metavar="NAME",
        help="A name by which web pages and proxies may call the server, besides localhost, IP addresses and names "
        "without a dot; repeat for more. Names are looked at where it listens on loopback, or one is given here.",
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
    click.option(
        "--cors",
        is_flag=True,
        help="Let pages of every origin in a browser use the API (extension cors), which they may not otherwise.",
    ),
    click.option("--a1111", is_flag=True, help="Also answer clients of AUTOMATIC1111 under /sdapi/v1."),
    click.option("--no-page", is_flag=True, help="No page at /, no /docs and no /openapi.json."),
    click.option(
        "--page-target",
        metavar="URL",
        callback=read_target,
        help="Another server of the API that the page may use through this one, where it does not let pages in.",
    ),
    click.option("--access-log", is_flag=True, help="Log method, path and status of each request to stderr."),
)


@dataclass(frozen=True)
class Chosen:
    """What was chosen on the command line."""

    host: str
    port: int
    access_log: bool
    settings: ServerSettings
    control: socket.socket | None
    """Where the control API is to answer."""
    turned_off: frozenset[str]
    """The extensions that are off because it was said so, and not by default."""

    @property
    def about(self) -> str:
        """What the ready line says of it beside the engine."""
        return "" if self.control is None else f"control {url_of(self.control)}"

    @property
    def limits(self) -> ConnectionLimits:
        return ConnectionLimits.of(self.settings)


def with_cors(settings: ServerSettings) -> ServerSettings:
    """The same, with pages of every origin let in."""
    return replace(settings, without=settings.without - {CORS}, foreign_origins=True)


def server_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command :data:`OPTIONS`, which reach it together as its argument ``server``."""

    @wraps(command)
    def called(
        *,
        host: str,
        port: int,
        control_port: int | None,
        no_generate: bool,
        max_body: int,
        max_bodies: int,
        max_picture_pixels: int,
        max_connections: int,
        max_waiting: int,
        timeout_head: float,
        timeout_body: float,
        timeout_unread: float,
        timeout_lag: float,
        token: str | None,
        allow_hosts: tuple[str, ...],
        busy: bool,
        without: tuple[str, ...],
        cors: bool,
        a1111: bool,
        no_page: bool,
        page_target: str | None,
        access_log: bool,
        **others: Any,
    ) -> None:
        if no_page and page_target:
            raise click.UsageError("--page-target is for the page: leave out --no-page, or --page-target")
        if cors and CORS in without:
            raise click.UsageError("--cors turns on what --without cors turns off: leave out one of them")
        here = is_loopback_address(host)
        if not here:
            who = (
                "everybody there can use it, as there is no --token"
                if not token
                else "whoever has the token can use it"
            )
            click.echo(exposed(host, who), err=True)
        settings = ServerSettings(
            without=frozenset(without) | {CORS},
            busy=busy,
            a1111=a1111,
            page=not no_page,
            page_target=page_target,
            generate=not no_generate,
            max_body=max_body,
            max_bodies=max_bodies,
            max_picture_pixels=max_picture_pixels,
            max_connections=max_connections,
            max_waiting=max_waiting,
            request_head=timeout_head,
            body_whole=timeout_body,
            write_idle=timeout_unread,
            lag_while_wanted=timeout_lag,
            token=token or None,
            hosts=frozenset({host.lower(), *(name.lower().rstrip(".") for name in allow_hosts)})
            if here or allow_hosts
            else None,
            foreign_origins=not here,
        )
        if cors:
            settings = with_cors(settings)
        control = _listening(host, control_port)
        if control is not None:
            settings = replace(settings, control_port=control.getsockname()[1])
        try:
            command(server=Chosen(host, port, access_log, settings, control, frozenset(without)), **others)
        finally:
            if control is not None:
                control.close()

    for option in reversed(OPTIONS):
        called = option(called)
    return called


def _listening(host: str, port: int | None) -> socket.socket | None:
    """The socket of the control API, which has its port before the application is made. Raises ClickException."""
    try:
        return None if port is None else listen(host, port)
    except CannotListen as error:
        raise click.ClickException(str(error)) from None


def exposed(host: str, who: str) -> str:
    """The line that says what it means to listen elsewhere than on loopback, and who can use the server then."""
    return f"listening on {host}: other machines reach this server; {who}, and what is sent is not encrypted"
