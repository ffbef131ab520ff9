"""`local-dream mock`, which is also `python -m mockserver`."""

from __future__ import annotations

from collections.abc import Callable

import click

from mockserver.engine import EngineError
from mockserver.extensions.catalogue import NAMES
from mockserver.faults.catalogue import Chosen, Entry, Fault, Quirk, choose, entries
from mockserver.faults.listing import listing
from mockserver.faults.personality import describe, personalities
from mockserver.faults.unknown import Unknown
from mockserver.served import altered, told
from mockserver.serving import CannotListen, serve
from mockserver.settings import ServerSettings
from mockserver.synthetic import Pacing, SyntheticEngine

PACING = Pacing()
SETTINGS = ServerSettings()
SECONDS = click.FloatRange(min=0, max=3600)
SEEDS = click.IntRange(0, 2**32 - 1)


def list_entries(kind: type[Entry]) -> Callable[[click.Context, click.Parameter, bool], None]:
    """A callback that prints the faults, or the quirks, and ends the program."""

    def show(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
        if wanted:
            click.echo(listing(entry for entry in entries().values() if isinstance(entry, kind)))
            context.exit()

    return show


def list_personalities(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    """Prints the personalities, and ends the program."""
    if wanted:
        click.echo("\n".join(map(describe, personalities().values())))
        context.exit()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8081, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option("--pace-first", default=PACING.first, show_default=True, type=SECONDS, help="Seconds to the first step.")
@click.option("--pace-step", default=PACING.step, show_default=True, type=SECONDS, help="Seconds each step takes.")
@click.option(
    "--pace-upscale", default=PACING.upscale, show_default=True, type=SECONDS, help="Seconds an upscale takes."
)
@click.option(
    "--any-upscaler", is_flag=True, help="Take every X-Upscaler-Path for the default model, as phones send it."
)
@click.option(
    "--max-body",
    default=SETTINGS.max_body,
    show_default=True,
    type=click.IntRange(min=1),
    help="Longest body, in bytes.",
)
@click.option(
    "--max-waiting",
    default=SETTINGS.max_waiting,
    show_default=True,
    type=click.IntRange(min=0),
    help="Requests that may wait for the one that runs; the next gets 503.",
)
@click.option(
    "--busy", is_flag=True, help="Refuse a generation with 503 while another one runs, rather than let it wait."
)
@click.option("--no-generate", is_flag=True, help="Only upscale: /generate is answered with 404.")
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(NAMES),
    help="Turn an extension off, to play an older server; repeat for more.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[@PLACE]",
    help="Do something wrong, such as step-goes-back@progress:3; repeat for more. One request alone asks for it with "
    "X-Mock-Fault: NAME.",
)
@click.option(
    "--quirk", "quirks", multiple=True, metavar="NAME[@PLACE]", help="Be odd, but within the contract; repeat for more."
)
@click.option(
    "--personality", type=click.Choice(list(personalities())), help="Be a whole other server, such as release 2.7."
)
@click.option("--seed", type=SEEDS, help="Pick the seeds of requests that have none from this number on, repeatably.")
@click.option(
    "--list-faults",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=list_entries(Fault),
    help="List the faults, and stop.",
)
@click.option(
    "--list-quirks",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=list_entries(Quirk),
    help="List the quirks, and stop.",
)
@click.option(
    "--list-personalities",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=list_personalities,
    help="List the personalities, and stop.",
)
@click.option("--a1111", is_flag=True, help="Also answer clients of AUTOMATIC1111 under /sdapi/v1.")
@click.option(
    "--control", is_flag=True, help="Take orders under /__mock__/ while it runs, and show there what clients sent."
)
@click.option("--access-log", is_flag=True, help="Log method, path and status of each request to stderr.")
def mock(
    host: str,
    port: int,
    pace_first: float,
    pace_step: float,
    pace_upscale: float,
    any_upscaler: bool,
    max_body: int,
    max_waiting: int,
    busy: bool,
    no_generate: bool,
    without: tuple[str, ...],
    faults: tuple[str, ...],
    quirks: tuple[str, ...],
    personality: str | None,
    seed: int | None,
    a1111: bool,
    control: bool,
    access_log: bool,
) -> None:
    """Serve the Local Dream API with synthetic pictures: no model, no GPU, the same bytes for the same request.

    When it is ready, one line on stdout says `ready URL synthetic cpu`. Stop it with Ctrl+C.
    """
    try:
        chosen = [*_chosen("--quirk", Quirk, quirks), *_chosen("--fault", Fault, faults)]
        whole = [] if personality is None else [personalities()[personality]]
        off = {*without, *(name for one in whole for name in one.without)}
        engine = SyntheticEngine(
            Pacing(first=pace_first, step=pace_step, upscale=pace_upscale), any_upscaler=any_upscaler
        )
        settings = ServerSettings(
            without=frozenset(off),
            busy=busy,
            a1111=a1111,
            generate=not no_generate,
            max_body=max_body,
            max_waiting=max_waiting,
            seed=seed,
        )
        about = " ".join(
            [engine.describe().name, engine.describe().device, *filter(None, [personality]), *map(str, chosen)]
        )
        make = told if control else altered
        served = make(engine, settings, [one.make for one in whole], chosen)
        serve(served.app, host, port, about, access_log=access_log, http=served.http, front=served.front)
    except (CannotListen, EngineError, Unknown) as error:
        raise click.ClickException(str(error)) from None


def _chosen(option: str, kind: type[Entry], texts: tuple[str, ...]) -> list[Chosen]:
    """Raises Unknown."""
    chosen = [choose(text) for text in texts]
    for one in chosen:
        if not isinstance(one.entry, kind):
            raise Unknown(f"{option} {one}: it is a {type(one.entry).__name__.lower()}; give it with the other option")
    return chosen
