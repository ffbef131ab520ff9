"""What there is, as AUTOMATIC1111 lists it: the model, schedulers, upscalers, options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local_dream_mockserver.server.engine import Engine

PREVIEW_EVERY = 10
"""Steps between two pictures of /progress, the default there."""
NONE = "None"
"""The upscaler that changes nothing."""
NOTHING: Mapping[str, Any] = {
    **dict.fromkeys(
        ("sd-vae", "latent-upscale-modes", "loras", "hypernetworks", "prompt-styles", "face-restorers"), ()
    ),
    "realesrgan-models": (),
    "embeddings": {"loaded": {}, "skipped": {}},
    "scripts": {"txt2img": [], "img2img": []},
}
"""Lists that clients ask for to fill their menus, and that have nothing here."""
REFRESHED = ("refresh-checkpoints", "refresh-vae", "refresh-loras")
"""What clients have looked for again before they ask for a list."""


def models(engine: Engine) -> list[dict[str, object]]:
    """There is one."""
    name = engine.describe().name
    return [{"title": name, "model_name": name, "hash": None, "sha256": None, "filename": name, "config": None}]


def options(engine: Engine) -> dict[str, object]:
    """Those that clients look at, of the hundreds there."""
    return {
        "sd_model_checkpoint": engine.describe().name,
        "sd_checkpoint_hash": None,
        "sd_vae": "Automatic",
        "CLIP_stop_at_last_layers": 1,
        "show_progress_every_n_steps": PREVIEW_EVERY,
        "samples_format": "png",
    }


def schedulers(ours: Sequence[str]) -> list[dict[str, object]]:
    """Spacings of the noise levels, for an engine with these schedulers."""
    found = [("automatic", "Automatic", -1.0)]
    if any(name.endswith("_karras") for name in ours):
        found.append(("karras", "Karras", 7.0))
    return [
        {"name": name, "label": label, "aliases": None, "default_rho": rho, "need_inner_model": False}
        for name, label, rho in found
    ]


def upscalers(engine: Engine) -> list[dict[str, object]]:
    """None and the engine's own."""
    made: list[tuple[str, str | None, int]] = [(NONE, None, 4)]
    made += [(one.name, one.file or None, one.scale) for one in engine.upscalers()]
    return [
        {"name": name, "model_name": name if file else None, "model_path": file, "model_url": None, "scale": scale}
        for name, file, scale in made
    ]
