"""Samplers by AUTOMATIC1111's names."""

from __future__ import annotations

from collections.abc import Sequence

SAMPLERS = {
    "DPM++ 2M": "dpm",
    "Euler a": "euler_a",
    "Euler": "euler",
    "LCM": "lcm",
    "DPM++ 2M SDE": "dpm_sde",
}
"""Its names for ours; those with another spacing of the noise levels are ours with `_karras`."""
KARRAS = " Karras"
DEFAULT = "Euler a"


def offered(schedulers: Sequence[str]) -> list[dict[str, object]]:
    """The answer of GET /sdapi/v1/samplers for an engine with these schedulers."""
    names = {
        name + end: ours + mark for name, ours in SAMPLERS.items() for end, mark in (("", ""), (KARRAS, "_karras"))
    }
    return [{"name": name, "aliases": [ours], "options": {}} for name, ours in names.items() if ours in schedulers]


def scheduler_of(sampler: str, spacing: str, schedulers: Sequence[str]) -> str | None:
    """Ours for a `sampler_name` and a `scheduler` (Automatic, Karras, ...), None where the engine has none."""
    name = sampler.strip().lower()
    karras = name.endswith(KARRAS.lower()) or spacing.strip().lower() == "karras"
    known = {theirs.lower(): ours for theirs, ours in SAMPLERS.items()} | {ours: ours for ours in schedulers}
    ours = known.get(name.removesuffix(KARRAS.lower()))
    if ours is None:
        return None
    wanted = f"{ours}_karras" if karras and not ours.endswith("_karras") else ours
    return wanted if wanted in schedulers else None
