"""The training loop: resumable, on CPU in bf16, measured on held-out photographs as it goes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from local_dream_reference.upscaling.compact_network import CompactNetwork, CompactShape, initialised
from local_dream_reference.upscaling.evaluation.measures import psnr
from local_dream_reference.upscaling.training.checkpoint import Progress, load_checkpoint, save_checkpoint, save_weights
from local_dream_reference.upscaling.training.degradations import SCALE, shrunk_bicubic
from local_dream_reference.upscaling.training.picture_cache import PictureCache
from local_dream_reference.upscaling.training.recipe import Recipe
from local_dream_reference.upscaling.weights_file import read_weights

Picture = NDArray[np.uint8]

_LUMA = (0.299, 0.587, 0.114)
_MEAN_SIDE = 48
"""Side of the squares whose means are compared, in large pixels."""
_CHECKPOINT_SECONDS = 180.0
_EVALUATION_SECONDS = 300.0


@dataclass(frozen=True)
class Length:
    """When the run ends: after ``steps`` (repeatable) or, when None, after ``minutes`` of wall time."""

    minutes: float
    steps: int | None = None

    def progress(self, at: Progress) -> float:
        return at.step / self.steps if self.steps is not None else at.seconds / (self.minutes * 60)


def tensor(pictures: Picture) -> Tensor:
    """(n, h, w, 3) uint8 to (n, 3, h, w) float 0..1, channels last in memory."""
    return torch.tensor(pictures).permute(0, 3, 1, 2).float().div_(255)


def reduced(network: CompactNetwork, low: Tensor) -> Tensor:
    """The network's picture with its convolutions in bf16; the enlargement stays exact, as when it is used."""
    with torch.autocast("cpu", torch.bfloat16):
        correction = network.correction(low)
    return functional.pixel_shuffle(network.enlargement(low) + correction.float(), SCALE)


def loss(got: Tensor, wanted: Tensor, recipe: Recipe) -> Tensor:
    """Charbonnier error of RGB, of luma, which the quality figures look at, and of local means.

    The first two alone draw towards the median, which makes sparse dark lettering brighter.
    """
    error = got - wanted
    luma = torch.tensor(_LUMA, dtype=error.dtype).view(1, 3, 1, 1)
    bright = (error * luma).sum(1)
    colour_term = torch.sqrt(error.square() + 1e-5).mean()
    luma_term = torch.sqrt(bright.square() + 1e-5).mean()
    mean_term = functional.avg_pool2d(error, min(_MEAN_SIDE, *error.shape[2:])).abs().mean()
    return colour_term + recipe.luma_weight * luma_term + recipe.mean_weight * mean_term


@torch.no_grad()
def gain_over_bicubic(network: CompactNetwork, photographs: dict[str, Picture]) -> dict[str, float]:
    """Luma PSNR of the network less that of bicubic, dB, per photograph."""
    gains: dict[str, float] = {}
    for name, picture in photographs.items():
        height, width = picture.shape[:2]
        small = shrunk_bicubic(picture)
        plain = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))
        large = reduced(network, tensor(small[None]))[0]
        ours = (large.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
        gains[name] = psnr(picture, ours) - psnr(picture, plain)
    return gains


class Training:
    """One run in one work folder."""

    def __init__(self, recipe: Recipe, work: Path, cache: PictureCache, photographs: dict[str, Picture]) -> None:
        self.recipe, self.work, self.cache, self.photographs = recipe, work, cache, photographs
        torch.manual_seed(recipe.seed)
        shape = CompactShape(recipe.features, recipe.convolutions, "prelu", "bicubic")
        self.network = initialised(shape)
        self.averaged = CompactNetwork(shape)
        self.averaged.load_state_dict(self.network.state_dict())
        for network in (self.network, self.averaged):
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=0.0, betas=(0.9, 0.99), weight_decay=0.0)
        self.progress = Progress()

    @property
    def checkpoint(self) -> Path:
        return self.work / "checkpoint.pt"

    def resume(self) -> bool:
        """Continue from the checkpoint in the work folder, if there is one."""
        if not self.checkpoint.exists():
            return False
        self.progress, state = load_checkpoint(self.checkpoint, self.recipe)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        return True

    def start_from(self, path: Path) -> None:
        """Begin at the weights of an earlier run of the same shape. Raises UnusableWeights, ValueError."""
        weights = read_weights(path).weights
        try:
            self.network.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(f"{path.name} has other features or convolutions than this run") from error
        self.averaged.load_state_dict(weights)

    def save(self) -> None:
        parts = {
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        save_checkpoint(self.checkpoint, self.recipe, self.progress, parts)
        save_weights(self.work / "upscaler.safetensors", self.averaged, self.recipe, self.progress)

    def step(self, rate: float) -> float:
        """One batch; returns its loss. The batch depends on seed and step number only."""
        recipe = self.recipe
        rng = np.random.default_rng([recipe.seed, 4, self.progress.step])
        low, high = self.cache.batch(rng, recipe.batch, recipe.patch, recipe.as_sent_share)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        error = loss(reduced(self.network, tensor(low)), tensor(high), recipe)
        self.optimizer.zero_grad(set_to_none=True)
        error.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.progress.step += 1
        self._average()
        return float(error.detach())

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(0.999, (1 + self.progress.step) / (10 + self.progress.step))
        for mean, now in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)

    def evaluate(self) -> float:
        """Write the gains on the photographs to the log; returns their mean in dB (NaN without photographs)."""
        if not self.photographs:
            return float("nan")
        gains = gain_over_bicubic(self.averaged, self.photographs)
        mean = float(np.mean(list(gains.values())))
        entry = {
            "step": self.progress.step,
            "minutes": round(self.progress.seconds / 60, 2),
            "gain_db": round(mean, 3),
            "worst_db": round(min(gains.values()), 3),
            "gains_db": {name: round(gain, 2) for name, gain in gains.items()},
        }
        with (self.work / "gains.jsonl").open("a") as log:
            log.write(json.dumps(entry) + "\n")
        return mean

    def run(self, length: Length) -> None:
        """Train to the end of ``length``, saving and evaluating every few minutes."""
        bar = tqdm(total=1.0, initial=min(length.progress(self.progress), 1.0), desc="training", unit="run")
        saved = evaluated = self.progress.seconds
        shown, gain = 0.0, float("nan")
        for done, error in self._steps(length):
            shown = error if shown == 0 else 0.98 * shown + 0.02 * error
            bar.update(min(done, 1.0) - bar.n)
            bar.set_postfix(step=self.progress.step, loss=f"{shown:.4f}", gain=f"{gain:+.2f} dB", refresh=False)
            if self.progress.seconds - saved > _CHECKPOINT_SECONDS:
                saved = self.progress.seconds
                self.save()
            if self.progress.seconds - evaluated > _EVALUATION_SECONDS:
                evaluated = self.progress.seconds
                gain = self.evaluate()
        self.save()
        gain = self.evaluate()
        bar.close()
        tqdm.write(f"{self.progress.step} steps, mean gain over bicubic on held-out photographs {gain:+.2f} dB")

    def _steps(self, length: Length) -> Iterator[tuple[float, float]]:
        clock = time.monotonic()
        while (done := length.progress(self.progress)) < 1:
            error = self.step(self.recipe.rate(done))
            now = time.monotonic()
            self.progress.seconds += now - clock
            clock = now
            yield done, error
