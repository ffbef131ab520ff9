"""Where a training run stands, on disk: written whole or not at all."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from local_dream_reference.upscaling.compact_network import CompactNetwork, CompactShape
from local_dream_reference.upscaling.training.recipe import Recipe

State = dict[str, Any]


@dataclass
class Progress:
    """How far the run got."""

    step: int = 0
    seconds: float = 0.0
    """Wall time spent training, all legs together."""


def save_checkpoint(path: Path, recipe: Recipe, progress: Progress, parts: State) -> None:
    unfinished = path.with_suffix(".unfinished")
    torch.save({"recipe": asdict(recipe), "progress": asdict(progress), **parts}, unfinished)
    unfinished.replace(path)


def load_checkpoint(path: Path, recipe: Recipe) -> tuple[Progress, State]:
    """The stored run. Raises ValueError when it was started with another recipe."""
    state: State = torch.load(path, map_location="cpu", weights_only=True)
    stored = state.pop("recipe")
    if stored != asdict(recipe):
        differing = ", ".join(key for key, value in asdict(recipe).items() if stored.get(key) != value)
        raise ValueError(f"{path} was started with other values of: {differing}. Use them again or another --work")
    return Progress(**state.pop("progress")), state


def save_weights(path: Path, network: CompactNetwork, recipe: Recipe, progress: Progress) -> None:
    """The finished network as safetensors, its shape and recipe in the header."""
    shape: CompactShape = network.shape
    header = {
        "architecture": "compact",
        "scale": "4",
        "skip": shape.skip,
        "activation": shape.activation,
        "steps": str(progress.step),
        "seconds": str(round(progress.seconds)),
        **{f"recipe_{key}": value for key, value in recipe.as_text().items()},
    }
    weights = {key: value.detach().float().contiguous() for key, value in network.state_dict().items()}
    unfinished = path.with_suffix(".unfinished")
    save_file(weights, unfinished, metadata=header)
    unfinished.replace(path)
