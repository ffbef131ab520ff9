"""From a folder that ships back to checkpoints, so that a next edition goes on from the one there is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel
from transformers import CLIPTextModel

from local_dream_reference.training.export import JUDGE_FILE, RECORD_FILE, read_judge
from local_dream_reference.training.run import Run
from local_dream_reference.training.vae import check_gate


def begin(run: Run, source: Path) -> Path:
    """Write what ``source``, an exported folder, holds as the checkpoints of an empty work folder, and return that.

    Optimizers are not part of an export: stages that follow, and those that go on with more steps, begin with fresh
    ones. Raises FileExistsError where the work folder has checkpoints already, FileNotFoundError where ``source`` is no
    exported model.
    """
    stages: dict[str, dict[str, Any]] = json.loads((source / RECORD_FILE).read_text())["stages"]
    if any((run.work / stage / "state.pt").exists() for stage in stages):
        raise FileExistsError(f"{run.work} holds checkpoints already: begin in an empty folder")
    vae = AutoencoderTiny.from_pretrained(source / "vae", torch_dtype=torch.float32)
    unet = UNet2DConditionModel.from_pretrained(source / "unet", torch_dtype=torch.float32)
    text = CLIPTextModel.from_pretrained(source / "text_encoder", dtype=torch.float32)
    denoiser = next(name for name in reversed(stages) if name in {resolution.name for resolution in run.recipe.unet})
    parts: dict[str, dict[str, Any]] = {
        "judge": {"judge": read_judge(source / JUDGE_FILE).state_dict()},
        "text": {"encoder": text.state_dict()},
        "words": {"encoder": text.state_dict()},
        "vae": {"vae": vae.state_dict()},
        denoiser: {
            "unet": unet.state_dict(),
            "average": {"updates": stages[denoiser]["steps"], "average": unet.state_dict()},
        },
        "decoder": {"decoder": vae.decoder.state_dict()},
    }
    for stage, done in stages.items():
        state = parts.get(stage, {}) | {
            "step": done["steps"],
            "steps": done["planned"],
            "seconds": done["hours"] * 3600,
        }
        torch.save(state, run.folder(stage) / "state.pt")
    for name in ("vocab.json", "merges.txt"):
        shutil.copyfile(source / "tokenizer" / name, run.folder("text") / name)
    check_gate(run, vae.to(run.device).eval())
    return run.work
