"""Loading a Stable Diffusion 1.x/2.x style model: the shipped one, a diffusers folder, one file, or a name on the
Hub.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

from local_dream_reference import published_shapes
from local_dream_reference.distilled import distillation, habits_of
from local_dream_reference.errors import UnusableModel
from local_dream_reference.lean_imports import without_guiders, without_initial_values
from local_dream_reference.precision import run_in
from local_dream_reference.single_file import kind_of
from local_dream_reference.source import check_kind, find_source, variant_of
from local_dream_reference.variant import WEIGHTS


class Networks(Protocol):
    """Networks that run in the places of a model's own, such as converted ones."""

    def put_into(self, pipeline: Any) -> None:
        """Replace the networks of a pipeline, whose UNet may be missing."""


def load_pipeline(
    model: str,
    device: torch.device,
    dtype: torch.dtype,
    config: str | None = None,
    networks: Networks | None = None,
) -> Any:
    """Load a pipeline for txt2img, ready on the device.

    ``model`` is "default", a diffusers folder, a ``.safetensors`` file or a Hub id. A single file says nothing about
    its tokenizer and network shapes: they come from ``config`` (a diffusers folder, a Hub id, or v1, v2, v2-base for
    those of the published models), from a ``model_index.json`` beside the file, or else are those of the published
    model that the file's widths fit.

    With ``networks`` these run in the places of the model's own.

    Raises UnusableModel with one line.
    """
    # diffusers would write the part of a prompt that did not fit into the log.
    diffusers_logging.set_verbosity_error()
    diffusers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        with without_initial_values(), without_guiders():
            pipeline = _load(model, config, without_unet=networks is not None)
    except UnusableModel:
        raise
    # Whatever a damaged or foreign model makes diffusers raise, whoever starts the engine needs one line.
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise UnusableModel(f"model {model!r} cannot be loaded: {reason}") from error
    if networks is not None:
        networks.put_into(pipeline)
        dtype = torch.float32  # outside of these networks
    _check(pipeline, model)
    if habits_of(Path(model).stem, "", {}).kind == "turbo":  # a single file brings the schedule of other models
        pipeline.scheduler.register_to_config(timestep_spacing="trailing")
    return _prepare(pipeline, device, dtype)


def _load(model: str, config: str | None, *, without_unet: bool) -> Any:
    path = find_source(model)
    common: dict[str, Any] = {"safety_checker": None, "feature_extractor": None, "dtype": torch.float32}
    if path is None:
        return StableDiffusionPipeline.from_pretrained(
            model, requires_safety_checker=False, use_safetensors=True, variant=variant_of(None, model), **common
        )
    if path.is_dir():
        common |= {"unet": None} if without_unet else {"variant": variant_of(path, model)}
        return StableDiffusionPipeline.from_pretrained(
            path, requires_safety_checker=False, local_files_only=True, use_safetensors=True, **common
        )
    return _load_file(path, config, common)


def _load_file(path: Path, config: str | None, common: dict[str, Any]) -> Any:
    beside = path.parent if (path.parent / "model_index.json").is_file() else None
    source = config or (str(beside) if beside else None)
    kind = kind_of(path)
    name = published_shapes.named(kind, source, bool(distillation(path.stem)))
    with _plainly_named(path) as file:
        if name is None:
            known = {} if source is None else {"config": source, "local_files_only": Path(source).is_dir()}
            return StableDiffusionPipeline.from_single_file(str(file), **known, **common)
        with published_shapes.shapes(name, inpainting="inpainting" in kind) as folder:
            return StableDiffusionPipeline.from_single_file(
                str(file),
                config=str(folder),
                local_files_only=True,
                tokenizer=published_shapes.tokenizer(name),
                **common,
            )


@contextmanager
def _plainly_named(path: Path) -> Iterator[Path]:
    """The file under a name that ends as diffusers wants it: it would read MODEL.SafeTensors as a pickle."""
    if path.suffix == WEIGHTS:
        yield path
        return
    with TemporaryDirectory(prefix="local-dream-") as folder:
        file = Path(folder) / f"{path.stem}{WEIGHTS}"
        file.symlink_to(path.resolve())
        yield file


def _check(pipeline: Any, model: str) -> None:
    check_kind(type(pipeline).__name__, model)
    channels, latent = pipeline.unet.config.in_channels, pipeline.vae.config.latent_channels
    if channels not in (latent, 2 * latent + 1):
        raise UnusableModel(
            f"model {model!r}: its UNet takes {channels} channels; {latent} are served, and the {2 * latent + 1} of "
            "inpainting models"
        )


def repaints_only(pipeline: Any) -> bool:
    """Whether its UNet was made for inpainting alone: it wants the mask and what is kept as well as the latents."""
    return bool(pipeline.unet.config.in_channels != pipeline.vae.config.latent_channels)


def _prepare(pipeline: Any, device: torch.device, dtype: torch.dtype) -> Any:
    pipeline.set_progress_bar_config(disable=True)
    limit = pipeline.text_encoder.config.max_position_embeddings
    # Some tokenizers come without a limit (a number of thirty digits); one beyond the encoder's would fail in its
    # embedding.
    pipeline.tokenizer.model_max_length = min(pipeline.tokenizer.model_max_length, limit)
    pipeline.to(device)
    for module in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
        module.eval().requires_grad_(False)
    for module in (pipeline.unet, pipeline.vae.encoder, pipeline.vae.decoder):
        module.to(memory_format=torch.channels_last)
        run_in(module, dtype)
    return pipeline
