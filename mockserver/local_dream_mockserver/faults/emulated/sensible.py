"""The request that the honest server gets in place of the one that a release takes."""

from __future__ import annotations

from local_dream_mockserver.faults.emulated.json_library import dumped
from local_dream_mockserver.faults.emulated.reader import Wanted
from local_dream_mockserver.faults.emulated.version import DPM, Version

MOST_STEPS = 150
"""Of the honest engine; further steps have their events all the same, see `counting`."""
LARGEST_SIDE = 2048
"""Of the honest engine's pictures; larger ones are stretched."""


def sensible(wanted: Wanted, version: Version) -> bytes:
    """The body of a request that the honest server takes, without pictures."""
    scheduler = "euler_a" if wanted.scheduler == "eulera" else wanted.scheduler
    values: dict[str, object] = {
        "prompt": wanted.prompt,
        "negative_prompt": wanted.negative_prompt,
        "steps": min(max(1, wanted.steps), MOST_STEPS),
        "cfg": min(max(wanted.cfg, -1e30), 1e30),
        "scheduler": scheduler if scheduler in version.schedulers else DPM,
        "use_opencl": wanted.use_opencl,
        "show_diffusion_process": wanted.previews,
        "width": side(wanted.width),
        "height": side(wanted.height),
        "denoise_strength": min(1.0, max(0.0, wanted.strength)),
    }
    if wanted.seed is not None:
        values["seed"] = wanted.seed
    if version.formats:
        values |= {"output_format": wanted.output_format, "preview_format": wanted.preview_format}
    return dumped(values)


def side(length: int) -> int:
    """The next multiple of 8 that the honest engine paints."""
    return min(max(8, -(-length // 8) * 8), LARGEST_SIDE)
