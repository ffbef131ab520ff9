"""`local-dream mock`, which is also `python -m mockserver`."""

from __future__ import annotations

import click

from mockserver.app import create_app
from mockserver.engine import EngineError
from mockserver.serving import CannotListen, serve
from mockserver.settings import ServerSettings
from mockserver.synthetic import Pacing, SyntheticEngine

PACING = Pacing()
SETTINGS = ServerSettings()
SECONDS = click.FloatRange(min=0, max=3600)


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
    access_log: bool,
) -> None:
    """Serve the Local Dream API with synthetic pictures: no model, no GPU, the same bytes for the same request.

    When it is ready, one line on stdout says `ready URL synthetic cpu`. Stop it with Ctrl+C.
    """
    try:
        engine = SyntheticEngine(
            Pacing(first=pace_first, step=pace_step, upscale=pace_upscale), any_upscaler=any_upscaler
        )
        app = create_app(engine, ServerSettings(max_body=max_body, max_waiting=max_waiting))
        serve(app, host, port, f"{engine.describe().name} {engine.describe().device}", access_log=access_log)
    except (CannotListen, EngineError) as error:
        raise click.ClickException(str(error)) from None
