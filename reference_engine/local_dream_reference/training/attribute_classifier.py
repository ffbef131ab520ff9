"""The judge: a small classifier that says what a picture shows. It is trained apart, on drawings alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from local_dream_reference.synthetic_dataset.scene import ATTRIBUTES, PLACES, Scene
from local_dream_reference.training.drawings import Drawing, Drawings, generator, stream
from local_dream_reference.training.labels import NOT_ASKED, SHOWN, shown_classes
from local_dream_reference.training.networks import as_pixels
from local_dream_reference.training.run import Loop, Run, adam, load_state, set_rate
from local_dream_reference.training.window import Window, choose


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=2, padding=1),
        nn.GroupNorm(4, outputs),
        nn.SiLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.GroupNorm(4, outputs),
        nn.SiLU(),
    )


class AttributeClassifier(nn.Module):
    """Convolutions down to a sixteenth, then linear heads: on the whole picture, and on the thirds of its width.

    Takes RGB in -1..1 (n, 3, size, size); returns one (n, classes) of logits per entry of :data:`SHOWN`, in its order.
    """

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.body = nn.Sequential(
            _block(3, width), _block(width, 2 * width), _block(2 * width, 3 * width), _block(3 * width, 4 * width)
        )
        features = 4 * width * 2
        self.whole = nn.ModuleDict({name: nn.Linear(features, len(values)) for name, values in ATTRIBUTES.items()})
        # The light's side is a matter of place: it reads the two outer thirds.
        self.whole["light"] = nn.Linear(2 * features, len(ATTRIBUTES["light"]))
        self.third = nn.ModuleDict(
            {part: nn.Linear(features, len(SHOWN[f"left.{part}"])) for part in ("kind", "colour", "size")}
        )

    def forward(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        grid = self.body(pictures)
        columns = grid.shape[-1]
        centres = {"left": 0.24, "centre": 0.5, "right": 0.76}
        thirds = {}
        for place, centre in centres.items():
            first = max(0, round((centre - 0.2) * columns))
            thirds[place] = _pool(grid[..., first : max(first + 1, round((centre + 0.2) * columns))])
        whole = _pool(grid)
        sides = torch.cat([thirds["left"], thirds["right"]], dim=1)
        logits = []
        for name in SHOWN:
            place, _, part = name.partition(".")
            if part:
                logits.append(self.third[part](thirds[place]))
            else:
                logits.append(self.whole[name](sides if name == "light" else whole))
        return logits


def _pool(grid: torch.Tensor) -> torch.Tensor:
    return torch.cat([grid.mean(dim=(2, 3)), grid.amax(dim=(2, 3))], dim=1)


def shrink(pictures: torch.Tensor, size: int) -> torch.Tensor:
    """Resize (n, 3, h, w) to the judge's square with antialiasing."""
    if pictures.shape[-2:] == (size, size):
        return pictures
    return nn.functional.interpolate(pictures, size=(size, size), mode="bilinear", antialias=True, align_corners=False)


def _roughen(pictures: torch.Tensor, seed: int) -> torch.Tensor:
    """Blur and add noise, so that the judge does not depend on the crispness that only drawings have."""
    source = torch.Generator(pictures.device).manual_seed(seed)
    count, size = len(pictures), pictures.shape[-1]
    half = nn.functional.interpolate(pictures, scale_factor=0.5, mode="bilinear", antialias=True, align_corners=False)
    blurred = nn.functional.interpolate(half, size=(size, size), mode="bilinear", align_corners=False)
    share = torch.rand(count, 1, 1, 1, generator=source, device=pictures.device) * 0.9
    level = torch.rand(count, 1, 1, 1, generator=source, device=pictures.device) ** 2 * 0.12
    noise = torch.randn(pictures.shape, generator=source, device=pictures.device)
    return pictures + share * (blurred - pictures) + level * noise


def train_judge(run: Run) -> bool:
    """Train the stage; return whether it is finished."""
    recipe, fit, size = run.recipe, run.recipe.judge, run.recipe.judge_size
    torch.manual_seed(run.seed + 1)
    judge = AttributeClassifier(recipe.networks.judge_width, size).to(run.device)
    optimizer = adam(judge.parameters(), decay=0.01)
    loop = Loop(run, "judge", fit, {"judge": judge, "optimizer": optimizer})
    drawings = Drawings("judge", (size, size), seed=run.seed)
    window: Window[Drawing, Drawing] = Window(
        lambda start: stream(drawings, start, run.workers), list, 24 * fit.batch, max(1, fit.batch // 3)
    )
    for step in loop:
        set_rate(optimizer, loop.rate())
        batch = choose(window.at(step), fit.batch, generator(run.seed, "judge batch", step))
        pictures = as_pixels(torch.from_numpy(np.stack([drawing.picture for drawing in batch])).to(run.device))
        wanted = torch.tensor([shown_classes(drawing.scene) for drawing in batch], device=run.device)
        pictures = _roughen(pictures, step).contiguous(memory_format=torch.channels_last)
        with run.autocast():
            answers = judge(pictures)
        loss = sum(
            (
                nn.functional.cross_entropy(logits.float(), wanted[:, number], ignore_index=NOT_ASKED)
                for number, logits in enumerate(answers)
                if bool((wanted[:, number] != NOT_ASKED).any())
            ),
            start=torch.zeros((), device=run.device),
        )
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()
        if step % 50 == 0 or loop.step + 1 == fit.steps:
            right = torch.stack([logits.argmax(1) for logits in answers], dim=1) == wanted
            loop.note(loss=loss.item() / len(SHOWN), right=float(right[wanted != NOT_ASKED].float().mean()))
    return loop.finished


def load_judge(run: Run) -> AttributeClassifier:
    """Load the trained judge."""
    state = load_state(run, "judge")
    if state is None:
        raise FileNotFoundError("the judge stage has not run yet in this --work folder: run it first")
    judge = AttributeClassifier(run.recipe.networks.judge_width, run.recipe.judge_size)
    judge.load_state_dict(state["judge"])
    return judge.to(run.device).eval().requires_grad_(False)


@dataclass(frozen=True, slots=True)
class Sight:
    """What the judge sees in one picture: attribute -> value, and per place what stands there (kind, colour, size)."""

    scene: dict[str, str]
    things: dict[str, tuple[str, str, str]]


@torch.no_grad()
def look(judge: AttributeClassifier, pictures: torch.Tensor) -> list[Sight]:
    """Judge pictures (n, 3, h, w) in -1..1 of any size."""
    logits = judge(shrink(pictures.float(), judge.size))
    names = list(SHOWN)
    classes = torch.stack([part.argmax(dim=1) for part in logits], dim=1).tolist()
    return [_sight(dict(zip(names, row, strict=True))) for row in classes]


def _sight(classes: dict[str, int]) -> Sight:
    scene = {name: SHOWN[name][classes[name]] for name in ATTRIBUTES}
    things = {}
    for place in PLACES:
        kind, colour, size = (
            SHOWN[f"{place}.{part}"][classes[f"{place}.{part}"]] for part in ("kind", "colour", "size")
        )
        if kind != "nothing":
            things[place] = (kind, colour, size)
    return Sight(scene, things)


def compare(scene: Scene, sight: Sight) -> dict[str, bool]:
    """Tell per attribute whether the judge sees what the scene holds; ``kind``, ``colour`` and ``size`` over all
    things.
    """
    result = {name: sight.scene[name] == getattr(scene, name) for name in ATTRIBUTES}
    things = {thing.place: (thing.kind, thing.colour, thing.size) for thing in scene.things}
    result["kind"] = {p: t[0] for p, t in sight.things.items()} == {p: t[0] for p, t in things.items()}
    if things:
        for name, index in (("colour", 1), ("size", 2)):
            result[name] = all(p in sight.things and sight.things[p][index] == t[index] for p, t in things.items())
    return result


def verdicts(said: dict[str, str], sight: Sight) -> dict[str, bool]:
    """Tell for everything that a caption said whether the picture shows it.

    Keys are ``time``, ``weather``, ``ground``, ``backdrop``, ``light``, ``style``, ``count``, ``kind``, ``colour``,
    ``size``, ``place``; with two different things both have to be right.
    """
    result: dict[str, bool] = {}
    for name in ATTRIBUTES:
        if name in said:
            shown = sight.scene[name]
            result[name] = shown != "none" if said[name] == "shown" else shown == said[name]
    if "count" in said:
        result["count"] = len(sight.things) == int(said["count"])
    for which in ("first", "second"):
        if f"{which}.kind" in said:
            for name, good in _thing_verdicts(said, which, sight).items():
                result[name] = result.get(name, True) and good
    return result


def _thing_verdicts(said: dict[str, str], which: str, sight: Sight) -> dict[str, bool]:
    kind, place = said[f"{which}.kind"], said.get(f"{which}.place")
    same = {where: thing for where, thing in sight.things.items() if thing[0] == kind}
    result = {"kind": bool(same)}
    if place is not None:
        result["place"] = place in same
    for name, index in (("colour", 1), ("size", 2)):
        if (wanted := said.get(f"{which}.{name}")) is not None:
            result[name] = bool(same) and all(thing[index] == wanted for thing in same.values())
    return result


def shares(results: Sequence[dict[str, bool]]) -> dict[str, float]:
    """Return the share of right verdicts per attribute, and under ``all`` the share of pictures with every one
    right.
    """
    table: dict[str, float] = {}
    for name in dict.fromkeys(name for result in results for name in result):
        asked = [result[name] for result in results if name in result]
        table[name] = sum(asked) / len(asked)
    table["all"] = sum(all(result.values()) for result in results) / max(1, len(results))
    return table
