"""From checkpoints to the folder that ships: fp16 safetensors in the layout that Stable Diffusion 1.x tools read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMScheduler
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from local_dream_reference.model_card import fill
from local_dream_reference.training.attribute_classifier import AttributeClassifier, load_judge
from local_dream_reference.training.networks import build_noise_schedule
from local_dream_reference.training.recipe import Networks
from local_dream_reference.training.run import Run
from local_dream_reference.training.samples import GUIDANCE, assemble
from local_dream_reference.training.text import load_text
from local_dream_reference.training.unet import load_unet
from local_dream_reference.training.vae import load_vae

JUDGE_FILE = "judge.safetensors"
RECORD_FILE = "training.json"
_TEXT_PREFIX = "text_model."


def export(run: Run, target: Path) -> Path:
    """Write the pipeline, how it is to be guided, the judge, and ``training.json`` with what the checkpoints say of
    themselves.

    A file that is already in ``target`` and not part of the export (the model card) stays.
    """
    tokenizer, text = load_text(run)
    unet, stage = load_unet(run)
    side = max(max(size) for resolution in run.recipe.unet if resolution.name == stage for size in resolution.sizes)
    unet.register_to_config(sample_size=side // 8)
    pipeline = assemble(load_vae(run), tokenizer, text, unet)
    # DPM++'s configuration holds an infinity, which JSON has no word for.
    pipeline.scheduler = DDIMScheduler.from_config(build_noise_schedule().config)
    target.mkdir(parents=True, exist_ok=True)
    for part in pipeline.components:
        shutil.rmtree(target / part, ignore_errors=True)
    pipeline.to(torch.float16).save_pretrained(target, safe_serialization=True)
    _prefix_text_keys(target / "text_encoder" / "model.safetensors")
    # transformers 5 writes tokenizer.json alone; older tools read these two.
    for name in ("vocab.json", "merges.txt"):
        shutil.copyfile(run.folder("text") / name, target / "tokenizer" / name)
    GUIDANCE.save(target)
    save_judge(load_judge(run), run.recipe.networks, target / JUDGE_FILE)
    (target / RECORD_FILE).write_text(json.dumps(record(run), indent=2) + "\n")
    fill(target, "training", training_table(record(run)["stages"]))
    return target


def training_table(stages: dict[str, dict[str, float]]) -> str:
    """Return the stages as a Markdown table."""
    rows = [f"| {name} | {stage['steps']} of {stage['planned']} | {stage['hours']} |" for name, stage in stages.items()]
    return "\n".join(["| stage | steps | hours |", "|---|---|---|", *rows])


def _prefix_text_keys(path: Path) -> None:
    """Give the keys the ``text_model.`` that transformers 5 leaves out; it loads both forms, older versions only
    this one.
    """
    tensors = load_file(path)
    renamed = {key if key.startswith(_TEXT_PREFIX) else _TEXT_PREFIX + key: value for key, value in tensors.items()}
    save_file(renamed, path, metadata={"format": "pt"})


def save_judge(judge: AttributeClassifier, networks: Networks, path: Path) -> None:
    """Write the judge's weights (fp16) with its shape in the metadata."""
    tensors = {name: value.to(torch.float16).contiguous() for name, value in judge.state_dict().items()}
    save_file(tensors, path, metadata={"width": str(networks.judge_width), "size": str(judge.size)})


def read_judge(path: Path) -> AttributeClassifier:
    """Read what :func:`save_judge` wrote."""
    with safe_open(path, framework="pt") as file:
        shape = file.metadata()
    judge = AttributeClassifier(int(shape["width"]), int(shape["size"]))
    judge.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return judge.eval().requires_grad_(False)


def record(run: Run) -> dict[str, Any]:
    """Return per stage the steps done, those planned, and the seconds spent: read from the checkpoints, never typed
    in.
    """
    stages = {}
    denoisers = (name for stage in run.recipe.unet for name in (("words", stage.name) if stage.calm else (stage.name,)))
    for name in ("judge", "text", "vae", *denoisers, "decoder"):
        path = run.work / name / "state.pt"
        if path.exists():
            state = torch.load(path, map_location="cpu", weights_only=True)
            stages[name] = {
                "steps": state["step"],
                "planned": state["steps"],
                "hours": round(state["seconds"] / 3600, 2),
            }
    return {"seed": run.seed, "stages": stages}
