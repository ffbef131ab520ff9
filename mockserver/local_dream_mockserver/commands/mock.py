"""`local-dream mock`, which is also `python -m local_dream_mockserver`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from local_dream_mockserver.commands.listing import described, listing
from local_dream_mockserver.commands.options import Chosen as ServerChosen
from local_dream_mockserver.commands.options import server_options, with_cors
from local_dream_mockserver.faults.catalogue import Chosen, Entry, Fault, Quirk, choose, entries
from local_dream_mockserver.faults.emulated.release import EmulatedRelease
from local_dream_mockserver.faults.emulated.releases import personalities
from local_dream_mockserver.mock.mock_engine import MockEngine
from local_dream_mockserver.mock.pace import Pace
from local_dream_mockserver.mock.saved_pictures import SavedPictures
from local_dream_mockserver.mock.served import faulty, scripted
from local_dream_mockserver.mock.synthetic import Pacing
from local_dream_mockserver.proxy.fronted import serve_fronted
from local_dream_mockserver.proxy.unknown import Unknown
from local_dream_mockserver.server.engine import EngineError
from local_dream_mockserver.server.extensions.cors import NAME as CORS
from local_dream_mockserver.server.extensions.remote_control import NAME
from local_dream_mockserver.server.run import CannotListen, serve

PACING = Pacing()
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
        click.echo("\n".join(map(described, personalities().values())))
        context.exit()


def open_folder(context: click.Context, parameter: click.Parameter, folder: str | None) -> SavedPictures | None:
    """The folder of --save-pictures, made where it is not there. Raises BadParameter."""
    try:
        return None if folder is None else SavedPictures(Path(folder))
    except OSError as error:
        raise click.BadParameter(f"{folder}: {error.strerror}") from None


@click.command()
@server_options
@click.option("--pace-first", default=PACING.first, show_default=True, type=SECONDS, help="Seconds to the first step.")
@click.option("--pace-step", default=PACING.step, show_default=True, type=SECONDS, help="Seconds each step takes.")
@click.option(
    "--pace-upscale", default=PACING.upscale, show_default=True, type=SECONDS, help="Seconds an upscale takes."
)
@click.option(
    "--any-upscaler", is_flag=True, help="Take every X-Upscaler-Path for the default model, as phones send it."
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
@click.option(
    "--destructive-bugs",
    is_flag=True,
    help="With --personality: die where that release dies. All connections are cut, and nobody is let in for 3 s.",
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
@click.option(
    "--control", is_flag=True, help="Take orders under /__mock__/ while it runs, and show there what clients sent."
)
@click.option(
    "--save-pictures",
    metavar="DIR",
    callback=open_folder,
    help="Keep the pictures that clients send and get in this folder, as PNG files.",
)
def mock(
    server: ServerChosen,
    pace_first: float,
    pace_step: float,
    pace_upscale: float,
    any_upscaler: bool,
    faults: tuple[str, ...],
    quirks: tuple[str, ...],
    personality: str | None,
    destructive_bugs: bool,
    seed: int | None,
    control: bool,
    save_pictures: SavedPictures | None,
) -> None:
    """Serve the Local Dream API with synthetic pictures: no model, no GPU, the same bytes for the same request.

    When it is ready, one line on stdout says `ready URL synthetic cpu`. Stop it with Ctrl+C.
    """
    try:
        chosen = [*_chosen("--quirk", Quirk, quirks), *_chosen("--fault", Fault, faults)]
        whole = [] if personality is None else [personalities()[personality]]
        _expect_control(server, whole, chosen)
        if destructive_bugs and not whole:
            raise click.UsageError("--destructive-bugs: the honest server has none; give a --personality, too")
        pace = Pace(Pacing(first=pace_first, step=pace_step, upscale=pace_upscale))
        engine = MockEngine(pace, any_upscaler=any_upscaler, saved=save_pictures)
        settings = replace(server.settings, seed=seed)
        if CORS not in server.turned_off and _with_pages(whole, chosen):
            settings = with_cors(settings)
        settings = replace(settings, without=settings.without.union(*(one.without for one in whole)))
        about = " ".join(
            [
                *(engine.describe().name, engine.describe().device),
                *filter(None, [personality, server.about]),
                *map(str, chosen),
            ]
        )
        make = scripted if control else faulty
        served = make(engine, settings, [partial(one.make, destructive=destructive_bugs) for one in whole], chosen)
        run = partial(serve_fronted, front=served.front, needs_proxy=served.needs_proxy) if served.front else serve
        run(
            served.app,
            server.host,
            server.port,
            about,
            access_log=server.access_log,
            http=served.http,
            limits=server.limits,
            control=server.control,
        )
    except (CannotListen, EngineError, Unknown) as error:
        raise click.ClickException(str(error)) from None


def _with_pages(whole: list[EmulatedRelease], chosen: list[Chosen]) -> bool:
    """Whether what was asked for lets pages of other origins in: a release that does, or what is about that."""
    return any(CORS not in one.without for one in whole) or any(CORS in one.entry.extensions for one in chosen)


def _expect_control(server: ServerChosen, whole: list[EmulatedRelease], chosen: list[Chosen]) -> None:
    """Raises UsageError where the control API is asked of a release that has none, or to do wrong where it is not."""
    for one in whole:
        if server.control is not None and NAME in one.without:
            raise click.UsageError(f"--control-port: {one.name} has no control API; 2.8 has")
    for wrong in chosen:
        if server.control is None and NAME in wrong.entry.extensions:
            raise click.UsageError(f"{wrong}: of the control API; give --control-port, too")


def _chosen(option: str, kind: type[Entry], texts: tuple[str, ...]) -> list[Chosen]:
    """Raises Unknown."""
    chosen = [choose(text) for text in texts]
    for one in chosen:
        if not isinstance(one.entry, kind):
            kind_of_it = type(one.entry).__name__.lower()
            raise Unknown(f"{option} {one}: it is a {kind_of_it}; give it with --{kind_of_it}")
    return chosen


if __name__ == "__main__":
    mock(prog_name="local-dream mock")
