"""The training loop: resumable, on CPU (in bf16 where it has that), measured on held-out photographs as it goes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
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
from local_dream_reference.upscaling.evaluation.published_weights import Convolutions
from local_dream_reference.upscaling.training.checkpoint import Progress, load_checkpoint, save_checkpoint, save_weights
from local_dream_reference.upscaling.training.degradations import SCALE, shrunk_bicubic
from local_dream_reference.upscaling.training.found_pictures import shrunk_as_found
from local_dream_reference.upscaling.training.losses import look, loss, native_bf16
from local_dream_reference.upscaling.training.picture_cache import PictureCache
from local_dream_reference.upscaling.training.recipe import Recipe
from local_dream_reference.upscaling.weights_file import read_weights

Picture = NDArray[np.uint8]

_LOOKED_AT, _LOOKED_AT_SIDE = 3, 64
"""How many pictures of a batch VGG16 looks at, and the side of their middle that it sees, in large pixels."""
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
    """The network's picture, its convolutions as they are used: in bf16 where the CPU computes it; the skip exact."""
    with native_bf16():
        correction = network.correction(low)
    return functional.pixel_shuffle(network.enlargement(low) + correction.float(), SCALE)


@torch.no_grad()
def gain_over_bicubic(
    network: CompactNetwork, photographs: dict[str, Picture], shrunk: Callable[[Picture], Picture] = shrunk_bicubic
) -> dict[str, float]:
    """Luma PSNR of the network less that of bicubic, dB, per photograph."""
    gains: dict[str, float] = {}
    for name, picture in photographs.items():
        height, width = picture.shape[:2]
        small = shrunk(picture)
        plain = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))
        large = reduced(network, tensor(small[None]))[0]
        ours = (large.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
        gains[name] = psnr(picture, ours) - psnr(picture, plain)
    return gains


class Training:
    """One run in one work folder."""

    def __init__(
        self,
        recipe: Recipe,
        work: Path,
        cache: PictureCache,
        photographs: dict[str, Picture],
        vgg: Convolutions | None = None,
    ) -> None:
        """``vgg`` judges the look, for recipes that give it a weight."""
        self.recipe, self.work, self.cache, self.photographs, self.vgg = recipe, work, cache, photographs, vgg
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
        low, high = self.cache.batch(rng, recipe.batch, recipe.patch, recipe.as_sent_share, recipe.found_share)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        got, wanted = reduced(self.network, tensor(low)), tensor(high)
        error = loss(got, wanted, recipe)
        if self.vgg is not None and recipe.look_weight:
            error = error + recipe.look_weight * look(self.vgg, got, wanted, _LOOKED_AT, _LOOKED_AT_SIDE)
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
        if self.recipe.found_share:
            rng = np.random.default_rng([self.recipe.seed, 6])
            found = gain_over_bicubic(self.averaged, self.photographs, lambda picture: shrunk_as_found(rng, picture))
            entry["found_gain_db"] = round(float(np.mean(list(found.values()))), 3)
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
