"""The recorded releases, and the modes in which they run: in what they differ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """What a server was started for."""

    QNN = "qnn"
    """Stable Diffusion 1.5 on the NPU."""
    MNN = "mnn"
    """The same on the CPU: no previews, no refining."""
    SDXL = "sdxl"
    """SDXL on the NPU: 1024x1024 whatever is asked."""
    UPSCALER = "upscaler"
    """Upscaling alone, no model."""


DPM = "dpm"
CORE = ("dpm", "euler_a", "lcm")
ALL = (*CORE, "dpm_karras", "euler", "euler_karras", "euler_a_karras", "dpm_sde", "dpm_sde_karras")


@dataclass(frozen=True, kw_only=True)
class Version:
    """One release. The defaults are those of the older one."""

    name: str
    schedulers: tuple[str, ...] = CORE
    """Every other name means dpm, but `eulera`, which means euler_a."""
    cors: bool = False
    """CORS headers on every answer, and preflights."""
    formats: bool = False
    """`output_format` and `preview_format`, and `format` in events."""
    overflow: bool = False
    """Whether /tokenize says where a prompt grows too long."""
    separate_mask: bool = False
    """Whether image and mask are read one after the other; else a mask counts with an image only."""
    ultrafix: bool = False
    aspect_ratio: bool = False
    """In SDXL mode."""
    clamps_strength: bool = False
    """Whether a strength that leaves no step, or more than there are, is brought into range."""
    shared_state: bool = True
    """Whether all requests write into the same variables."""
    wraps: bool = True
    """Whether /upscale multiplies sizes in 32 bits."""
    no_prompt: str = "Global prompt empty"
    """What an empty prompt is told, in the stream."""
    upscaler_generates: bool = True
    """Whether upscaler mode has /generate and /tokenize."""


V243 = Version(name="2.4")
V27 = Version(
    name="2.7",
    schedulers=ALL,
    cors=True,
    formats=True,
    overflow=True,
    separate_mask=True,
    ultrafix=True,
    aspect_ratio=True,
    clamps_strength=True,
    shared_state=False,
    wraps=False,
    no_prompt="Prompt empty",
    upscaler_generates=False,
)
