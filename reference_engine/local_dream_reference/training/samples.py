"""Pictures from the half-trained model: what the judge makes of them, and a sheet to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from diffusers import AutoencoderTiny, DPMSolverMultistepScheduler, StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image
from transformers import CLIPTextModel, CLIPTokenizer

from local_dream_reference.guidance import Guidance, guided
from local_dream_reference.synthetic_dataset.grammar import Caption, describe
from local_dream_reference.synthetic_dataset.split import sample_split
from local_dream_reference.training.attribute_classifier import load_judge, look, shares, verdicts
from local_dream_reference.training.drawings import generator
from local_dream_reference.training.networks import build_noise_schedule
from local_dream_reference.training.recipe import Resolution
from local_dream_reference.training.run import Run

_PIXELS_PER_CHECK = 64 * 128 * 128
_GUIDANCE = (3.0, 7.5)
_STEPS = 20

GUIDANCE: Final = Guidance(rescale=0.7, least_time=500)
"""What the trained model needs to look well at cfg 7.5; measured on held-out prompts."""


def assemble(
    vae: AutoencoderTiny, tokenizer: CLIPTokenizer, text: CLIPTextModel, unet: UNet2DConditionModel
) -> StableDiffusionPipeline:
    """Put the parts together as the pipeline that the export saves (DPM++ 2M, trailing, zero terminal SNR)."""
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=DPMSolverMultistepScheduler.from_config(build_noise_schedule().config),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def held_out_captions(seed: int, count: int) -> list[Caption]:
    """Return captions of scenes that training never shows."""
    rng = generator(seed, "held-out captions", 0)
    return [describe(sample_split(rng, held_out=True), rng) for _ in range(count)]


@torch.no_grad()
def check_samples(
    run: Run,
    stage: Resolution,
    vae: AutoencoderTiny,
    tokenizer: CLIPTokenizer,
    text: CLIPTextModel,
    unet: UNet2DConditionModel,
) -> dict[str, float]:
    """Draw held-out captions at the stage's size and at two guidance scales; return the judge's shares for each."""
    pipeline, judge = assemble(vae, tokenizer, text, unet), load_judge(run)
    width, height = stage.sizes[0]
    count = int(np.clip(_PIXELS_PER_CHECK / (width * height), 8, 64))
    captions = held_out_captions(run.seed, count)
    result: dict[str, float] = {}
    for guidance in _GUIDANCE:
        pictures: list[torch.Tensor] = []
        for first in range(0, count, 8):
            group = captions[first : first + 8]
            with run.autocast(), guided(unet, guidance, GUIDANCE):
                images = pipeline(
                    [caption.text for caption in group],
                    width=width,
                    height=height,
                    guidance_scale=guidance,
                    num_inference_steps=_STEPS,
                    generator=[torch.Generator().manual_seed(first + i) for i in range(len(group))],
                    output_type="pt",
                ).images
            pictures.extend(images.float().mul(2).sub(1))
        table = shares([verdicts(c.said, look(judge, p[None])[0]) for c, p in zip(captions, pictures, strict=True)])
        result |= {f"{name}@{guidance}": share for name, share in table.items()}
        save_sheet(pictures[:24], run.folder(stage.name) / f"samples-{guidance}.png")
    lines = [caption.text for caption in captions[:24]]
    (run.folder(stage.name) / "samples.txt").write_text("\n".join(lines) + "\n")
    return result


def save_sheet(pictures: Sequence[torch.Tensor], path: object, columns: int = 6) -> None:
    """Save pictures (3, h, w) in -1..1 as one sheet, row by row."""
    height, width = pictures[0].shape[-2:]
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), "white")
    for number, picture in enumerate(pictures):
        pixels = picture.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).cpu().numpy()
        sheet.paste(Image.fromarray(pixels), (number % columns * width, number // columns * height))
    sheet.save(str(path))
