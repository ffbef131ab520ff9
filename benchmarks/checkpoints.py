"""What a Stable Diffusion checkpoint of full size takes on a CPU: ``python -m benchmarks.checkpoints``.

The weights are random, in float16 as people share them, in the shapes of the published models: time and memory are
those of genuine ones, and the pictures are noise. Each row is a process of its own; with OpenVINO the first one
converts the model (an empty cache), the next ones load what it kept.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import click

from benchmarks.machine import load

ROOT: Final = Path(__file__).resolve().parents[1]
KINDS: Final = {"v1": "1.x", "v2": "2.x"}
MEASURE: Final = """
import json, sys, time
began = time.perf_counter()
from local_dream_reference.engine import create
from benchmarks.engine import Request, draw
engine = create(json.loads(sys.argv[1]))
ready = time.perf_counter() - began
times = []
for steps in (1, 1, int(sys.argv[3])):
    began = time.perf_counter()
    draw(engine, Request(side=int(sys.argv[2]), steps=steps))
    times.append(time.perf_counter() - began)
from local_dream_reference.machine import peak_memory
print(json.dumps([engine.describe().device, ready, *times, peak_memory()]))
"""


def save(folder: Path, kind: str, *, narrow: int = 1) -> Path:
    """A diffusers folder with random weights in the published shapes; ``narrow`` divides the width of every layer."""
    import torch
    from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    from local_dream_reference.published_shapes import tokenizer
    from local_dream_reference.shipped import SHAPES

    torch.manual_seed(0)
    torch.set_default_dtype(torch.float16)
    try:
        config: dict[str, Any] = dict(UNet2DConditionModel.load_config(SHAPES / kind / "unet"))
        config["block_out_channels"] = [width // narrow for width in config["block_out_channels"]]
        vae = dict(AutoencoderKL.load_config(SHAPES / kind / "vae"))
        vae["block_out_channels"] = [max(width // narrow // 32, 1) * 32 for width in vae["block_out_channels"]]
        StableDiffusionPipeline(
            unet=UNet2DConditionModel.from_config(config),
            vae=AutoencoderKL.from_config(vae),
            text_encoder=CLIPTextModel(CLIPTextConfig.from_pretrained(SHAPES / kind / "text_encoder")),
            tokenizer=tokenizer(kind),
            scheduler=PNDMScheduler.from_config(PNDMScheduler.load_config(SHAPES / kind / "scheduler")),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        ).save_pretrained(folder)
    finally:
        torch.set_default_dtype(torch.float32)
    return folder


def measured(options: dict[str, str], side: int, steps: int, cache: Path) -> tuple[str, list[float]]:
    """What runs the model; seconds to ready, of the first picture (one step), of a step, beside the steps; MiB."""
    command = [sys.executable, "-c", MEASURE, json.dumps(options), str(side), str(steps)]
    environment = os.environ | {"XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
    device, ready, first, one, all_steps, memory = json.loads(done.stdout.splitlines()[-1])
    step = (all_steps - one) / (steps - 1)
    return str(device), [ready, first, step, max(one - step, 0), memory]


def too_large(model: Path) -> str:
    """Why OpenVINO is not to try the model on this machine; "" where it may."""
    import torch

    from local_dream_reference.runtime.conversion import ConversionFailed
    from local_dream_reference.runtime.memory import check_memory
    from local_dream_reference.upscaling.precision import convolution_precision

    native = convolution_precision(torch.device("cpu")) is torch.bfloat16
    networks = [file for part in ("unet", "vae") for file in (model / part).glob("*")]
    try:
        check_memory(networks, "bf16" if native else "f32")
    except ConversionFailed as error:
        return str(error)
    return ""


def rows(kind: str, side: int, steps: int, narrow: int, threads: int | None, runtimes: list[str]) -> Iterator[str]:
    """Lines of the table for one kind of model."""
    with tempfile.TemporaryDirectory(prefix="local-dream-") as text:
        model = save(Path(text) / "model", kind, narrow=narrow)
        size = sum(path.stat().st_size for path in model.rglob("*.safetensors")) / 2**30
        more = {"threads": str(threads)} if threads else {}
        for runtime in runtimes:
            if runtime == "openvino" and (reason := too_large(model)):
                yield f"| {KINDS[kind]}, {size:.1f} GiB | openvino | not run: {reason} | | | | | |"
                continue
            for start in ("first", "next") if runtime == "openvino" else ("any",):
                options = {"model": str(model), "device": "cpu", "runtime": runtime} | more
                device, found = measured(options, side, steps, Path(text) / "cache")
                cells = [f"{number:.1f}" for number in found[:4]] + [f"{found[4]:.0f}"]
                yield f"| {KINDS[kind]}, {size:.1f} GiB | {device} | {start} | {' | '.join(cells)} |"


@click.command()
@click.option("--kinds", default="v1,v2", show_default=True)
@click.option("--side", default=512, show_default=True, help="Of the pictures, in pixels.")
@click.option("--steps", default=4, show_default=True, type=click.IntRange(2))
@click.option("--narrow", default=1, show_default=True, help="Divide the width of every layer, for a quick look.")
@click.option("--threads", type=click.IntRange(1), help="Left out: all cores.")
@click.option("--runtimes", help="Left out: torch, and openvino where it is installed.")
def main(kinds: str, side: int, steps: int, narrow: int, threads: int | None, runtimes: str | None) -> None:
    """Print a Markdown table."""
    names = (runtimes or ("torch,openvino" if find_spec("openvino") else "torch")).split(",")
    click.echo(f"Random weights in float16 in the published shapes; {side}x{side}, cfg 7.5, dpm. Load {load()}.\n")
    click.echo("| checkpoint | runs on | start | to ready, s | first picture (one step), s | a step, s | beside the "
               "steps, s | peak memory, MiB |")  # fmt: skip
    click.echo("|---|---|---|---|---|---|---|---|")
    for kind in kinds.split(","):
        for line in rows(kind, side, steps, narrow, threads, names):
            click.echo(line)
    click.echo(f"\nLoad at the end: {load()}")


if __name__ == "__main__":
    main()
