"""Models that were distilled to a few steps: what the defaults of a request mean for them.

At the guidance that others are made for (cfg 7.5) they draw burnt pictures, and a latent consistency model wants the
sampler that it was trained with. A request that says nothing, and so one that says just what the contract's defaults
are, gets the model's own values; every other value is taken as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

CFG: Final = 7.5
SCHEDULER: Final = "dpm"
"""The contract's defaults."""
FEW: Final = re.compile(r"(?<![a-z])(lcm|turbo|lightning|hyper|dmd)(?![a-z])")
"""What people write into the names of such models; nothing inside most of them tells."""


@dataclass(frozen=True, slots=True)
class Habits:
    """``kind`` is "" for a model that is not distilled. The others stand in the place of the contract's defaults."""

    kind: str = ""
    cfg: float = CFG
    scheduler: str = SCHEDULER

    def cfg_of(self, asked: float) -> float:
        """The guidance that a request's ``cfg`` means."""
        return self.cfg if asked == CFG else asked

    def scheduler_of(self, asked: str) -> str:
        """The sampler that a request's ``scheduler`` means."""
        return self.scheduler if asked == SCHEDULER else asked


def distillation(name: str) -> str:
    """The word in a model's name that says that it was distilled, "" where there is none."""
    found = FEW.search(name.lower())
    return found[1] if found else ""


def habits_of(name: str, scheduler: str, unet: Mapping[str, Any]) -> Habits:
    """From a model's name, the class of its own scheduler, and its UNet's configuration."""
    # It was told its guidance while it was trained, and does it in one pass.
    if unet.get("time_cond_proj_dim"):
        return Habits("lcm", CFG, "lcm")
    word = "lcm" if scheduler == "LCMScheduler" else distillation(name)
    if not word:
        return Habits()
    return Habits(word, 1.0, "lcm" if word == "lcm" else "euler")
