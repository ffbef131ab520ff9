"""One generation through diffusers' pipelines: text to image, image to image, or inpainting."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Protocol, TypeAlias

import numpy as np
import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionInpaintPipeline
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from local_dream_reference.adapter_files import AdapterFiles
from local_dream_reference.adapter_marks import marks_of, without_marks
from local_dream_reference.adapters import Adapters
from local_dream_reference.distilled import Habits
from local_dream_reference.errors import NotFinite
from local_dream_reference.guidance import Guidance, guided
from local_dream_reference.previews import enlarged, preview_scale, shrunk
from local_dream_reference.samplers import build_sampler
from local_dream_reference.tiles import tiled
from local_dream_reference.weighting import Parts, Weighting

Rgb: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = NDArray[np.uint8]

SEAM = 2
"""Radius in pixels of the soft edge inside a mask. What is not masked is never touched."""

LONGEST_PROMPT = 20_000
"""Characters of a prompt that are tokenized. No model sees a tenth of it; a megabyte would only cost time."""


class Request(Protocol):
    """What a generation needs to know; ``mockserver.engine.GenerationRequest`` has this shape."""

    @property
    def prompt(self) -> str: ...
    @property
    def negative_prompt(self) -> str: ...
    @property
    def weights(self) -> Parts: ...
    @property
    def negative_weights(self) -> Parts: ...
    @property
    def seed(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def cfg(self) -> float: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def scheduler(self) -> str: ...
    @property
    def denoise_strength(self) -> float: ...
    @property
    def image(self) -> Rgb | None: ...
    @property
    def mask(self) -> Mask | None: ...
    @property
    def ultrafix(self) -> bool: ...
    @property
    def tile_size(self) -> int: ...
    def previews_at(self, denoising_step: int, /) -> bool: ...


def denoising_steps(request: Request) -> int:
    """Return how many denoising steps the request takes; 0 if it keeps its picture as it is.

    With an input picture only the last ``denoise_strength`` share of the steps runs, and at least one unless it is 0.
    """
    if request.image is None:
        return request.steps
    if request.denoise_strength <= 0.0:
        return 0
    return min(request.steps, max(1, int(request.steps * request.denoise_strength)))


class Pipelines:
    """The three pipelines over one set of networks."""

    def __init__(
        self,
        pipeline: Any,
        guidance: Guidance,
        *,
        habits: Habits | None = None,
        adapters: Adapters | None = None,
        chunked: bool = False,
    ) -> None:
        self._text = pipeline
        self._guidance = guidance
        self._habits = habits or Habits()
        self._adapters = adapters or Adapters(pipeline, AdapterFiles())
        self._chunked = chunked
        parts = {**pipeline.components, "requires_safety_checker": False}
        self._image = StableDiffusionImg2ImgPipeline(**_accepted(StableDiffusionImg2ImgPipeline, parts))
        self._mask = StableDiffusionInpaintPipeline(**_accepted(StableDiffusionInpaintPipeline, parts))
        for other in (self._image, self._mask):
            other.set_progress_bar_config(disable=True)
        self._schedule = pipeline.scheduler.config
        self._weighting: Weighting | None = None
        """Made for the first weighted or long prompt."""
        self._whole: tuple[torch.Tensor, Rgb] | None = None
        """The latents of the latest preview and the preview, if it was decoded whole."""

    def run(self, request: Request, on_step: Callable[[int, Callable[[], Rgb]], None]) -> Rgb:
        """Make the picture, (height, width, 3) uint8.

        ``on_step`` is called after every denoising step with its number from 1 and a function that decodes the
        picture so far; what it raises ends the run.
        """
        pipeline = self._text if request.image is None else self._image if request.mask is None else self._mask
        sampler = pipeline.scheduler = build_sampler(self._habits.scheduler_of(request.scheduler), self._schedule)
        cfg = self._habits.cfg_of(request.cfg)
        marks = marks_of(request.prompt) if self._adapters.reads_marks else ()
        total = denoising_steps(request)
        self._whole = None

        def after(_: Any, step: int, __: Any, values: dict[str, Any]) -> dict[str, Any]:
            if not bool(torch.isfinite(values["latents"]).all()):
                raise NotFinite(f"denoising step {step + 1}")
            on_step(step + 1, lambda: self._preview(sampler.guess, step + 1, total, request))
            return values

        arguments: dict[str, Any] = {
            "num_inference_steps": request.steps,
            "guidance_scale": cfg,
            "generator": torch.Generator().manual_seed(request.seed),
            "output_type": "latent",
            "callback_on_step_end": after,
        }
        if request.image is None:
            arguments |= {"width": request.width, "height": request.height}
        else:
            # Half a step more: diffusers cuts steps x strength down to a whole number, and a third of three may be
            # 0.999.
            strength = min(1.0, (denoising_steps(request) + 0.5) / request.steps)
            arguments |= {"image": Image.fromarray(request.image), "strength": strength}
        if request.mask is not None:
            arguments |= {"mask_image": Image.fromarray(_whole_cells(request.mask, pipeline.vae_scale_factor))}
            arguments |= {"width": request.width, "height": request.height}
        with self._adapters.worn(marks), torch.inference_mode():
            arguments |= self._conditioning(request)
            cells = request.tile_size // pipeline.vae_scale_factor
            tiles = tiled(pipeline.unet, cells) if request.ultrafix else nullcontext()
            with tiles, guided(pipeline.unet, cfg, self._guidance):
                latents = pipeline(**arguments).images
            picture = self._result(latents)
        if request.image is not None and request.mask is not None:
            picture = _blend(request.image, picture, request.mask)
        return picture

    def _conditioning(self, request: Request) -> dict[str, Any]:
        """The prompts, as they are or, where a part of one is weighted, encoded."""
        sides = {"prompt": request.weights, "negative_prompt": request.negative_weights}
        texts = {"prompt": self.text_of(request.prompt), "negative_prompt": cut(request.negative_prompt)}
        if not any(sides.values()) and not (self._chunked and any(map(self._overflows, texts.values()))):
            return texts
        self._weighting = self._weighting or Weighting(self._text, chunked=self._chunked)
        parts = {
            side: [(self.text_of(text), weight) for text, weight in weighted] or [(texts[side], 1.0)]
            for side, weighted in sides.items()
        }
        prompt, negative = self._weighting.both(parts["prompt"], parts["negative_prompt"])
        return {"prompt_embeds": prompt, "negative_prompt_embeds": negative}

    def text_of(self, prompt: str) -> str:
        """What of a prompt the text encoder is to read."""
        return cut(without_marks(prompt) if self._adapters.reads_marks else prompt)

    def _overflows(self, text: str) -> bool:
        tokenizer = self._text.tokenizer
        ids = tokenizer(self._text.maybe_convert_prompt(text, tokenizer), truncation=False, verbose=False).input_ids
        return len(ids) > int(tokenizer.model_max_length)

    def _preview(self, guess: torch.Tensor, step: int, total: int, request: Request) -> Rgb:
        """Decode a guess at the step of ``total``, coarsely where that shows as much."""
        height, width = guess.shape[-2:]
        scale = preview_scale(step, total, (height, width))
        preview = enlarged(self._decode(shrunk(guess, scale)), request.height, request.width)
        self._whole = (guess, preview) if scale == 1 else None
        return preview

    def _result(self, latents: torch.Tensor) -> Rgb:
        """Decode the result, unless the last preview has done that: a sampler's last guess is most often its result."""
        whole, self._whole = self._whole, None
        return whole[1].copy() if whole is not None and torch.equal(whole[0], latents) else self._decode(latents)

    def _decode(self, latents: torch.Tensor) -> Rgb:
        """Decode latents (1, c, h/8, w/8) of the pipeline's scale to (h, w, 3) uint8."""
        vae = self._text.vae
        scaled = latents.float() / vae.config.scaling_factor + (getattr(vae.config, "shift_factor", None) or 0.0)
        decoded = vae.decode(scaled, return_dict=False)[0][0]
        if not bool(torch.isfinite(decoded).all()):
            raise NotFinite("the decoder")
        pixels = decoded.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
        rgb: Rgb = pixels.permute(1, 2, 0).contiguous().cpu().numpy()
        return rgb


def cut(prompt: str) -> str:
    """Return the part of a prompt that a model could possibly see, with runs of white space made one blank."""
    return " ".join(prompt[: 50 * LONGEST_PROMPT].split())[:LONGEST_PROMPT]


def _accepted(kind: Any, parts: dict[str, Any]) -> dict[str, Any]:
    names = inspect.signature(kind.__init__).parameters
    return {name: part for name, part in parts.items() if name in names}


def _whole_cells(mask: Mask, cell: int) -> Mask:
    """Let every latent cell that the mask touches be repainted: diffusers samples one pixel per cell and would miss
    thin strokes.
    """
    height, width = mask.shape
    cells = (mask > 0).reshape(height // cell, cell, width // cell, cell).any(axis=(1, 3))
    return np.repeat(np.repeat(cells, cell, axis=0), cell, axis=1).astype(np.uint8) * 255


def _blend(image: Rgb, painted: Rgb, mask: Mask) -> Rgb:
    """Lay the painted picture over the input as the mask is bright, with a soft edge where it becomes black."""
    touched = np.where(mask > 0, np.uint8(255), np.uint8(0))
    soft = np.asarray(Image.fromarray(touched).filter(ImageFilter.GaussianBlur(SEAM)))
    # Twice the blur minus full: 0 on the border of what is touched, 1 a few pixels further in.
    inside = (soft.astype(np.int16) * 2 - 255).clip(0, 255)
    alpha = np.minimum(mask, inside).astype(np.float32)[..., None] / 255.0
    mixed = image.astype(np.float32) * (1.0 - alpha) + painted.astype(np.float32) * alpha
    blended: Rgb = mixed.round().astype(np.uint8)
    return blended
