"""One training run: where it keeps its files, how a stage counts, saves, resumes and stops."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final, Protocol

import torch
from tqdm import tqdm

from local_dream_reference.training.recipe import Fit, Recipe
from local_dream_reference.upscaling.precision import convolution_precision


class Stateful(Protocol):
    """Anything that a checkpoint can hold."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Run:
    """What all stages share.

    Attributes:
        work: folder of the run; each stage has a subfolder with ``state.pt``, ``log.jsonl`` and pictures.
        deadline: ``time.monotonic()`` value at which to save and stop, or None.
        save_seconds: wall time between two checkpoints.
        workers: processes that draw pictures beside the training (0: the training process draws).
    """

    recipe: Recipe
    work: Path
    device: torch.device
    seed: int
    workers: int
    deadline: float | None
    save_seconds: float

    def folder(self, stage: str) -> Path:
        """Return the stage's folder, made if need be."""
        path = self.work / stage
        path.mkdir(parents=True, exist_ok=True)
        return path

    def out_of_time(self) -> bool:
        """Tell whether the planned wall time is over."""
        return self.deadline is not None and time.monotonic() >= self.deadline

    def autocast(self) -> torch.autocast:
        """bf16 where the device computes it: half the memory traffic, and no loss scaling. Elsewhere float32."""
        native = convolution_precision(self.device) is torch.bfloat16
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=native)


class StopRequest:
    """Turns SIGTERM and SIGINT into a wish that the loop grants after the current step."""

    def __init__(self) -> None:
        self.wanted = False

    def __enter__(self) -> StopRequest:
        self._before = {number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.wanted = True


OPTIMIZER: Final = "optimizer"
"""The part that a checkpoint made from an exported model lacks."""


class Loop:
    """Counts the steps of a stage; saves every few minutes, at the end and when told to stop.

    >>> loop = Loop(run, "vae", fit, {"model": vae, "optimizer": adam})  # doctest: +SKIP
    >>> for step in loop: ...  # doctest: +SKIP
    """

    def __init__(self, run: Run, stage: str, fit: Fit, parts: dict[str, Stateful]) -> None:
        self.run, self.stage, self.fit, self.parts = run, stage, fit, parts
        self.folder = run.folder(stage)
        self.step = 0
        self.seconds = 0.0
        self.trained = False
        state = load_state(run, stage)
        if state is not None:
            for name, part in parts.items():
                if name in state or name != OPTIMIZER:  # what ships has none: a fresh one takes its place
                    part.load_state_dict(state[name])
            self.step, self.seconds = state["step"], state["seconds"]

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.step >= self.fit.steps

    def rate(self) -> float:
        """Learning rate of the present step: linear warm-up, then a cosine down to a twentieth."""
        return learning_rate(self.fit, self.step)

    def __iter__(self) -> Iterator[int]:
        saved = started = time.monotonic()
        before = self.seconds
        with (
            StopRequest() as stop,
            tqdm(
                total=self.fit.steps,
                initial=self.step,
                desc=self.stage,
                mininterval=2,
                dynamic_ncols=True,
                smoothing=0.05,
            ) as bar,
        ):
            self._bar = bar
            while not self.finished:
                if stop.wanted or self.run.out_of_time():
                    break
                self.trained = True
                yield self.step
                self.step += 1
                self.seconds = before + time.monotonic() - started
                bar.update()
                if time.monotonic() - saved > self.run.save_seconds:
                    self.save()
                    saved = time.monotonic()
        if self.trained:
            self.save()
        if stop.wanted:
            raise KeyboardInterrupt

    def save(self) -> None:
        """Write the checkpoint; a kill in the middle leaves the former one."""
        state: dict[str, Any] = {name: part.state_dict() for name, part in self.parts.items()}
        state |= {"step": self.step, "seconds": self.seconds, "steps": self.fit.steps}
        target = self.folder / "state.pt"
        fresh = target.with_suffix(".new")
        torch.save(state, fresh)
        fresh.replace(target)

    def note(self, **values: float) -> None:
        """Show values on the bar and append them to the stage's log."""
        rounded = {name: round(value, 5) for name, value in values.items()}
        self._bar.set_postfix({name: f"{value:.4g}" for name, value in rounded.items()}, refresh=False)
        with (self.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps({"step": self.step, "seconds": round(self.seconds), **rounded}) + "\n")


def learning_rate(fit: Fit, step: int) -> float:
    """Linear warm-up, then a cosine from ``fit.rate`` down to a twentieth of it."""
    if step < fit.warmup:
        return fit.rate * (step + 1) / fit.warmup
    share = (step - fit.warmup) / max(1, fit.steps - fit.warmup)
    cosine = float(torch.cos(torch.tensor(share * torch.pi)))
    return fit.rate * (0.05 + 0.95 * (1 + cosine) / 2)


def load_state(run: Run, stage: str) -> dict[str, Any] | None:
    """Return the stage's checkpoint, or None if the stage never ran."""
    path = run.work / stage / "state.pt"
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location=run.device, weights_only=True)
    return state


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all groups."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def adam(parameters: Iterator[torch.nn.Parameter], *, decay: float = 0.0) -> torch.optim.AdamW:
    """Return the optimizer that all stages use."""
    return torch.optim.AdamW(parameters, lr=1e-3, betas=(0.9, 0.99), weight_decay=decay, foreach=True)
