"""`local-dream proxy`."""

from __future__ import annotations

import asyncio
import contextlib
import signal

import click

from local_dream_mockserver.commands.listing import listing
from local_dream_mockserver.commands.options import exposed
from local_dream_mockserver.faults.catalogue import Chosen, Layer, choose, entries
from local_dream_mockserver.proxy.mutator import ResponseMutator
from local_dream_mockserver.proxy.proxy import BadUpstream, Proxy, parse_upstream
from local_dream_mockserver.proxy.unknown import Unknown
from local_dream_mockserver.server.access import is_loopback_address
from local_dream_mockserver.server.connection_limits import ConnectionLimits, raise_descriptors


def list_faults(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    """Prints the faults and quirks of the wire, and ends the program."""
    if wanted:
        click.echo(listing(entry for entry in entries().values() if entry.layer is Layer.WIRE))
        context.exit()


@click.command()
@click.option("--upstream", required=True, metavar="URL", help="The server to stand before, as http://HOST:PORT.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    required=True,
    metavar="NAME[@PLACE]",
    help="What to do to its answers, such as reset@bytes:2000. Repeat for more; the first that fits an answer is done.",
)
@click.option(
    "--path",
    "paths",
    multiple=True,
    metavar="PATH",
    help="Do it to the answers of this path only; repeat for more. By default the fault knows its paths.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=0, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@click.option(
    "--list-faults",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=list_faults,
    help="List the faults and quirks, and stop.",
)
def proxy(upstream: str, faults: tuple[str, ...], paths: tuple[str, ...], host: str, port: int) -> None:
    """Stand before any server and make its wire bad.

    Requests pass as they are, and so do the answers that the fault does not concern. When it is ready, one line on
    stdout says `ready URL FAULT`. Stop it with Ctrl+C.
    """
    try:
        server = parse_upstream(upstream)
        chosen = [choose(text) for text in faults]
        mutators = [_mutator(one) for one in chosen]
    except (BadUpstream, Unknown) as error:
        raise click.ClickException(str(error)) from None
    if not is_loopback_address(host):
        click.echo(exposed(host, "everybody there can use what is behind it"), err=True)
    raise_descriptors(ConnectionLimits().most)
    asyncio.run(_serve(Proxy(server, mutators, paths), host, port, " ".join(map(str, chosen))))


def _mutator(chosen: Chosen) -> ResponseMutator:
    made = chosen.make()
    if not isinstance(made, ResponseMutator):
        raise Unknown(f"{chosen}: not of the wire; the mock server does it: local-dream mock --fault {chosen}")
    return made


async def _serve(proxy: Proxy, host: str, port: int, about: str) -> None:
    try:
        url = await proxy.listen(host, port)
    except OSError as error:
        reason = error.strerror or str(error)
        raise click.ClickException(f"cannot listen on {host} port {port}: {reason}; choose another --port") from None
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: there Ctrl+C ends asyncio.run itself
            loop.add_signal_handler(number, stop.set)
    click.echo(f"ready {url} {about}")
    try:
        await stop.wait()
    finally:
        await proxy.close()


if __name__ == "__main__":
    proxy(prog_name="local-dream proxy")
