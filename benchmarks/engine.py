"""Speed of the reference engine against the plain diffusers pipeline: ``python -m benchmarks.engine``.

All that is compared runs in turns in one process (plain, torch, openvino, plain, ...), and the best of each counts:
other work on the machine only ever adds. Core seconds (all threads together, of the cheapest run) say more than wall
time on a machine that is busy. Plain means ``StableDiffusionPipeline`` in float32 as a user would call it, guided at
every step. What concerns the start runs in processes of its own.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import click
import numpy as np
from PIL import Image

from benchmarks.machine import cpu, load

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

PROMPT = "a red house on the left, green hills, sunset"
Run = Callable[[], Any]


@dataclass(frozen=True)
class Cost:
    """The cheapest run: seconds, and seconds of all cores together."""

    wall: float
    cores: float


def interleaved(runs: Mapping[str, Run], repeats: int) -> dict[str, Cost]:
    """Each run ``repeats`` times in turns, after one that warms up."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(repeats):
        for name, run in runs.items():
            wall, cores = time.perf_counter(), time.process_time()
            run()
            seen[name].append((time.perf_counter() - wall, time.process_time() - cores))
    return {name: Cost(min(w for w, _ in each), min(c for _, c in each)) for name, each in seen.items()}


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request to an engine; previews at every step or at none."""

    side: int
    steps: int
    previews: bool = False
    prompt: str = PROMPT
    negative_prompt: str = ""
    weights: tuple[tuple[str, float], ...] = ()
    negative_weights: tuple[tuple[str, float], ...] = ()
    ultrafix: bool = False
    tile_size: int = 512
    seed: int = 1
    cfg: float = 7.5
    scheduler: str = "dpm"
    denoise_strength: float = 1.0
    image: None = None
    mask: None = None

    @property
    def width(self) -> int:
        return self.side

    height = width

    def previews_at(self, _: int, /) -> bool:
        return self.previews


def draw(engine: Any, request: Request) -> Any:
    """The picture, (side, side, 3)."""
    *_, last = engine.generate(request, lambda: False)
    return last.rgb


def plain_pipeline(model: str) -> Any:
    """diffusers' own, with the sampler that the name "dpm" means."""
    import torch
    from diffusers import StableDiffusionPipeline

    from local_dream_reference.samplers import build_sampler
    from local_dream_reference.shipped import folder_of

    pipeline = StableDiffusionPipeline.from_pretrained(
        folder_of(model), safety_checker=None, requires_safety_checker=False, dtype=torch.float32
    )
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = build_sampler("dpm", pipeline.scheduler.config)
    return pipeline


def plain_draw(pipeline: Any, request: Request) -> Any:
    """The picture as a Pillow image."""
    import torch

    return pipeline(
        PROMPT,
        width=request.side,
        height=request.side,
        num_inference_steps=request.steps,
        guidance_scale=request.cfg,
        generator=torch.Generator().manual_seed(request.seed),
    ).images[0]


def psnr(one: Any, other: Any) -> float:
    """dB between two uint8 pictures; infinite if they are equal."""
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    return 10 * float(np.log10(255**2 / error)) if error else float("inf")


def upscales(threads: int | None) -> dict[str, Run]:
    """512 to 2048, the JPEG included: the network as PyTorch runs it in float32, and ours."""
    import torch

    from local_dream_reference.engine import build_upscaling
    from local_dream_reference.options import Options
    from local_dream_reference.upscaling.architecture import build
    from local_dream_reference.upscaling.catalogue import Catalogue
    from local_dream_reference.upscaling.tiles import to_picture, to_tensor
    from local_dream_reference.upscaling.weights_file import read_weights

    network = build(read_weights(Catalogue().locate("default")[1]), torch.float32).network
    engine = build_upscaling(Options(device="cpu", threads=threads))
    picture = np.random.default_rng(0).integers(0, 256, (512, 512, 3), np.uint8)

    def jpeg(rgb: Any) -> None:
        Image.fromarray(rgb).save(io.BytesIO(), "JPEG", quality=95, subsampling=0)

    def plain() -> None:
        with torch.inference_mode():
            jpeg(to_picture(network(to_tensor(picture, torch.device("cpu")))))

    return {"plain": plain, "ours": lambda: jpeg(engine.upscale(picture, "default", False, lambda: False))}


START = """
import json, sys, time
began = time.perf_counter()
from local_dream_reference.engine import create
from benchmarks.engine import Request, draw
engine = create(json.loads(sys.argv[1]))
ready = time.perf_counter() - began
times = []
for _ in range(4):
    began = time.perf_counter()
    draw(engine, Request(side=int(sys.argv[2]), steps=int(sys.argv[3])))
    times.append(time.perf_counter() - began)
from local_dream_reference.machine import peak_memory
print(json.dumps([ready, times[0], min(times[1:]), peak_memory()]))
"""


def started(options: dict[str, str], side: int, steps: int) -> list[float]:
    """Seconds to ready, of the first picture, of a warm one; peak memory in MiB."""
    command = [sys.executable, "-c", START, json.dumps(options), str(side), str(steps)]
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - one line for sys.path
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=root)
    return [float(number) for number in json.loads(done.stdout.splitlines()[-1])]


@click.command()
@click.option("--model", default="default", show_default=True, help="The shipped model or a diffusers folder.")
@click.option("--sides", default="256,512,768", show_default=True)
@click.option("--steps", default=20, show_default=True, type=click.IntRange(1))
@click.option("--repeats", default=3, show_default=True, type=click.IntRange(1))
@click.option("--threads", type=click.IntRange(1), help="Left out: all cores.")
@click.option("--runtimes", help="Left out: torch, and openvino where it is installed.")
@click.option("--start/--no-start", default=True, show_default=True, help="Measure the start too.")
@click.option("--upscale/--no-upscale", default=True, show_default=True)
def main(
    model: str, sides: str, steps: int, repeats: int, threads: int | None, runtimes: str | None, start: bool,
    upscale: bool,
) -> None:  # fmt: skip
    """Print Markdown tables: seconds, core seconds, and ratios to the plain pipeline."""
    from local_dream_reference.engine import create

    names = (runtimes or ("torch,openvino" if find_spec("openvino") else "torch")).split(",")
    options = {"model": model, "device": "cpu"} | ({"threads": str(threads)} if threads else {})
    engines = {name: create(options | {"runtime": name}) for name in names}
    exact = create(options | {"runtime": "torch", "dtype": "float32"})
    pipeline = plain_pipeline(model)
    libraries = ", ".join(f"{name} {version(name)}" for name in ("torch", "diffusers", *(names[1:] and ["openvino"])))
    click.echo(f"{date.today()}, {cpu()}, {os.cpu_count()} cores; {libraries}; load {load()}\n")
    click.echo(f"{steps} steps, cfg 7.5, dpm. Times: of plain = 1 (core seconds in brackets).\n")
    click.echo("| picture | plain, s | " + " | ".join(f"{name} ({engines[name].describe().device})" for name in names)
               + " | PSNR to float32, dB |")  # fmt: skip
    click.echo("|---|---|" + "---|" * (len(names) + 1))
    for side in (int(word) for word in sides.split(",")):
        request = Request(side=side, steps=steps)
        runs: dict[str, Run] = {"plain": partial(plain_draw, pipeline, request)}
        runs |= {name: partial(draw, engine, request) for name, engine in engines.items()}
        row(f"{side}x{side}", interleaved(runs, repeats), quality(engines, exact, request))
    side = int(sides.split(",")[len(sides.split(",")) // 2])
    request = Request(side=side, steps=steps)
    for name, engine in engines.items():
        runs = {
            "plain": partial(draw, engine, request),
            name: partial(draw, engine, replace(request, previews=True)),
        }
        found = interleaved(runs, repeats)
        click.echo(f"\nPreviews at every step ({name}, {side}x{side}): {ratio(found[name], found['plain'])} of without")
    if upscale:
        found = interleaved(upscales(threads), repeats)
        click.echo(f"\nUpscaling 512 to 2048, JPEG included: {ratio(found['ours'], found['plain'])} of the network in "
                   f"PyTorch, float32 ({found['plain'].wall:.2f} s)")  # fmt: skip
    if start:
        for name in names:
            ready, first, warm, memory = min(started(options | {"runtime": name}, side, steps) for _ in range(repeats))
            click.echo(f"\nStart ({name}): {ready:.1f} s to ready; first picture {first / warm:.2f} of a warm one; "
                       f"peak memory {memory:.0f} MiB")  # fmt: skip
    click.echo(f"\nLoad at the end: {load()}")


def row(name: str, found: dict[str, Cost], quality: str) -> None:
    """One line of the table."""
    plain = found["plain"]
    others = " | ".join(ratio(cost, plain) for key, cost in found.items() if key != "plain")
    click.echo(f"| {name} | {plain.wall:.2f} ({plain.cores:.2f}) | {others} | {quality} |")


def ratio(one: Cost, other: Cost) -> str:
    """Wall time as a share of another, core seconds in brackets."""
    return f"{one.wall / other.wall:.2f} ({one.cores / other.cores:.2f})"


def quality(engines: dict[str, Any], exact: Any, request: Request) -> str:
    """How close each engine's picture is to the engine's own in float32."""
    reference = draw(exact, request)
    return ", ".join(f"{name} {psnr(draw(engine, request), reference):.1f}" for name, engine in engines.items())


if __name__ == "__main__":
    main()
