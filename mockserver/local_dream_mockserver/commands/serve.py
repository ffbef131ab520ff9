"""`local-dream serve`, also `python -m local_dream_mockserver.commands.serve`: the API with a real engine behind it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Final

import click
from click.shell_completion import CompletionItem

from local_dream_mockserver.cluster.deployment import Cluster
from local_dream_mockserver.commands.cluster import cluster_options, replicated
from local_dream_mockserver.commands.options import Chosen, server_options
from local_dream_mockserver.commands.startup_line import startup_line
from local_dream_mockserver.server.app import create_app
from local_dream_mockserver.server.engines import CannotLoad, load_engine
from local_dream_mockserver.server.run import CannotListen, listen, serve

MODELS: Final = "local_dream.models"
"""Entry points: functions that answer with the names of the models that they find."""


def complete_model(context: click.Context, parameter: click.Parameter, beginning: str) -> list[CompletionItem]:
    """What the shell offers for --model: names of models that are found, and paths."""
    known = [name for point in entry_points(group=MODELS) for name in point.load()()]
    found = [CompletionItem(name) for name in known if name.startswith(beginning)]
    return [*found, CompletionItem(beginning, type="file")]


@click.command("serve")
@server_options
@click.option(
    "--model",
    metavar="NAME_OR_PATH",
    shell_complete=complete_model,
    help="Stable Diffusion 1.x/2.x style model: a diffusers folder, a .safetensors file, a Hub id, or a name that "
    "`local-dream models` lists. Left out: the one that comes with the project.",
)
@click.option(
    "--config",
    metavar="PATH_OR_HUB_ID",
    help="For a .safetensors file: where its tokenizer and network shapes come from, or v1, v2, v2-base. "
    "Left out: the published model that fits.",
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), help="Where to compute. Left out: auto.")
@click.option(
    "--dtype",
    type=click.Choice(["auto", "float32", "bfloat16", "float16"]),
    help="Number format of the networks. Left out: auto, the fastest that is exact enough.",
)
@click.option(
    "--runtime",
    type=click.Choice(["auto", "torch", "openvino"]),
    help="What runs the networks. Left out: auto, OpenVINO on a CPU where it is installed, else PyTorch.",
)
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads. Left out: all that this process may use.")
@click.option("--max-pixels", type=click.IntRange(min=64 * 64), help="Greatest width x height of a generation.")
@click.option(
    "--warmup", is_flag=True, help="Make a picture before being ready, so that the first request is not slower."
)
@click.option(
    "--upscalers",
    metavar="DIR",
    help="Folder of further 4x upscaling models (.safetensors, .pth).",
)
@click.option(
    "--adapters",
    metavar="DIR",
    help="Folder of LoRA files, asked for as <lora:NAME:0.8> in a prompt, and of textual-inversion embeddings.",
)
@click.option(
    "--long-prompts",
    type=click.Choice(["cut", "chunk"]),
    help="What becomes of prompts that the text encoder cannot read at once. Left out: cut.",
)
@click.option(
    "--any-upscaler", is_flag=True, help="Take every unknown X-Upscaler-Path for the default model, as phones send it."
)
@click.option(
    "--engine", "name", default="reference", show_default=True, help="Engine, by its name in local_dream.engines."
)
@click.option(
    "-o",
    "--engine-option",
    "extra",
    multiple=True,
    metavar="NAME=VALUE",
    help="A further option of the engine; repeat for more.",
)
@cluster_options
def serve_command(
    server: Chosen,
    name: str,
    extra: tuple[str, ...],
    cluster: Cluster | None,
    **chosen: str | int | bool | None,
) -> None:
    """Serve the Local Dream API with a model that really makes and enlarges pictures.

    When it is ready, one line on stdout says `ready URL MODEL DEVICE`. Stop it with Ctrl+C.
    """
    options = {key: _text(value) for key, value in chosen.items() if value is not None and value is not False}
    if not server.settings.generate:
        options["generate"] = "false"
    options |= dict(_pair(text) for text in extra)
    try:
        # A taken port should be known before a model has been loaded for half a minute.
        listen(server.host, server.port).close()
        with startup_line(f"starting the engine {name}", sys.stderr), uncollected():
            engine = load_engine(name, options) if cluster is None else replicated(cluster, name, options)
        described = engine.describe()
        about = " ".join(filter(None, [described.name, described.device, server.about]))
        served = create_app(engine, server.settings)
        serve(
            served,
            server.host,
            server.port,
            about,
            access_log=server.access_log,
            limits=server.limits,
            control=server.control,
        )
    except (CannotListen, CannotLoad) as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def uncollected() -> Iterator[None]:
    """While inside, Python does not look for what refers to itself alone; afterwards not among what there is by then.

    An engine has hundreds of thousands of objects that stay as long as the process. Going through them again and again
    while they are made takes a sixth of the start, and a quarter of a second of some later request.
    """
    gc.disable()
    try:
        yield
    except BaseException:
        gc.enable()
        raise
    gc.freeze()
    gc.enable()


def _text(value: str | int | bool | None) -> str:
    return "true" if value is True else str(value)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--engine-option")
    return name, value


if __name__ == "__main__":
    serve_command(prog_name="local-dream serve")
