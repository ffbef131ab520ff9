"""A model's networks, converted from PyTorch to OpenVINO.

    python -m local_dream_reference.runtime.conversion JSON

In a process of its own: it needs the model twice in memory for a while, and what may go wrong in a converter or in a
CPU's compiler then ends only that process. Exits with 0 once the conversion is in the cache and was tried, else with
one line on stderr.
"""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from local_dream_reference.errors import UnusableModel
from local_dream_reference.runtime.cache import ConversionCache

if TYPE_CHECKING:
    from local_dream_reference.runtime.compiled import Precision

PATIENCE: Final = 1800.0
"""Seconds after which a conversion is given up."""

UNUSABLE: Final = 3
"""The exit status of a conversion whose model cannot be loaded."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to convert, and what to try it with. ``key`` names it in the cache at ``root``."""

    model: str
    config: str | None
    root: str
    key: str
    threads: int
    precision: str


class ConversionFailed(Exception):
    """The message is one line."""


def convert_elsewhere(order: Order) -> None:
    """Convert in another process and wait. Raises ConversionFailed; UnusableModel if the model itself is no good."""
    command = [sys.executable, "-m", __spec__.name, json.dumps(asdict(order))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConversionFailed(f"its process did not end well: {type(error).__name__}") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [""]
        if done.returncode == UNUSABLE:
            raise UnusableModel(lines[-1])
        ended = f"its process was ended by signal {-done.returncode}" if done.returncode < 0 else lines[-1]
        raise ConversionFailed(ended or f"its process ended with {done.returncode}")


def convert(order: Order) -> None:
    """Convert, try, store. Raises whatever goes wrong."""
    import torch

    from local_dream_reference.checkpoint import load_pipeline
    from local_dream_reference.runtime import trial
    from local_dream_reference.runtime.compiled import Numbers
    from local_dream_reference.runtime.converted_model import ConvertedModel
    from local_dream_reference.runtime.picture_trial import compare_pictures

    torch.set_num_threads(order.threads)
    pipeline = load_pipeline(order.model, torch.device("cpu"), torch.float32, order.config)

    def write(folder: Path) -> None:
        _write(pipeline, folder)
        command = [sys.executable, "-m", trial.__name__, str(folder), str(order.threads), order.precision]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            raise ConversionFailed(
                f"OpenVINO was ended by signal {-done.returncode} on this CPU"
                if done.returncode < 0
                else (lines or [f"the trial ended with {done.returncode}"])[-1]
            )
        for path in folder.iterdir():
            if path.suffix not in (".blob", ".json"):  # only the way there
                path.unlink()
        compare_pictures(pipeline, ConvertedModel(folder, Numbers(order.threads, cast("Precision", order.precision))))

    ConversionCache(Path(order.root)).store(order.key, write)


def _write(pipeline: Any, folder: Path) -> None:
    import numpy as np
    import openvino
    import torch

    from local_dream_reference.runtime import trial
    from local_dream_reference.runtime.converted_model import CONFIG

    samples: dict[str, Any] = {}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing: the trial says whether something is wrong
        for name, network, shapes, cases in _networks(pipeline):
            first = next(iter(cases.values()))
            model = openvino.convert_model(network, example_input=first, input=shapes)
            # Not halved, even where the weights were: the frequencies of the noise time would be, too, and at time 999
            # the answer would be 0.2 % off.
            openvino.save_model(model, folder / f"{name}.xml", compress_to_fp16=False)
            for case, inputs in cases.items():
                numbered = {f"in{number}": value.numpy() for number, value in enumerate(inputs)}
                for key, value in (numbered | {"out": network(*inputs).numpy()}).items():
                    samples[f"{name}/{case}/{key}"] = value
    np.savez(folder / trial.SAMPLES, **samples)
    (folder / CONFIG).write_text(json.dumps(dict(pipeline.unet.config)), encoding="utf-8")


def _networks(pipeline: Any) -> Iterator[tuple[str, Any, list[Any], dict[str, tuple[Any, ...]]]]:
    """Names, networks to be traced, their shapes (-1 for what varies), and inputs; the first is what tracing sees."""
    import torch
    from torch import Tensor, nn

    from local_dream_reference.runtime.converted_model import DECODER, ENCODER, UNET

    class Denoiser(nn.Module):
        """The UNet as the pipelines call it, with nothing that is named."""

        def __init__(self) -> None:
            super().__init__()
            self.unet = pipeline.unet

        def forward(self, latents: Tensor, time: Tensor, text: Tensor) -> Any:
            return self.unet(latents, time, text, return_dict=False)[0]

    def noise(*shape: int) -> Tensor:
        return torch.randn(shape, generator=torch.Generator().manual_seed(0))

    channels = pipeline.unet.config.in_channels
    tokens, width = pipeline.text_encoder.config.max_position_embeddings, pipeline.unet.config.cross_attention_dim
    # A side that no level halves evenly: diffusers then asks for the sizes of what it joins, and tracing keeps that
    # question. With an even one it would keep "twice as large", which is wrong for the others.
    whole = int(pipeline.unet.config.sample_size or 64)
    odd = 2 ** len(pipeline.unet.config.block_out_channels) + 1
    yield (
        UNET,
        Denoiser().eval(),
        [[-1, channels, -1, -1], [], [-1, tokens, width]],
        {
            "odd": (noise(2, channels, odd, odd + 2), torch.tensor(500.0), noise(2, tokens, width)),
            "even": (noise(1, channels, odd - 1, odd + 7), torch.tensor(20.5), noise(1, tokens, width)),
            "whole": (noise(2, channels, whole, whole), torch.tensor(999.0), noise(2, tokens, width)),
        },
    )
    vae, latent = pipeline.vae, pipeline.vae.config.latent_channels
    yield (
        DECODER,
        vae.decoder,
        [[1, latent, -1, -1]],
        {"odd": (noise(1, latent, 9, 13),), "even": (noise(1, latent, 16, 8),)},
    )
    yield (
        ENCODER,
        vae.encoder,
        [[1, 3, -1, -1]],
        {
            "odd": (noise(1, 3, 72, 104).tanh(),),
            "even": (noise(1, 3, 64, 128).tanh(),),
            "whole": (noise(1, 3, whole * pipeline.vae_scale_factor, whole * pipeline.vae_scale_factor).tanh(),),
        },
    )


if __name__ == "__main__":
    try:
        convert(Order(**json.loads(sys.argv[1])))
    except UnusableModel as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(UNUSABLE)
    except Exception as error:
        sys.exit(" ".join(str(error).split())[:300] or type(error).__name__)
