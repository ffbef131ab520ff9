"""Guidance: the same numbers as diffusers' own where diffusers has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from local_dream_reference.guidance import Guidance, guidance_of, guided
from tests.reference_engine.tiny_model import tiny_pipeline


@pytest.fixture(scope="module")
def pipeline() -> Any:
    made = tiny_pipeline()
    made.set_progress_bar_config(disable=True)
    return made


def latents(pipeline: Any, cfg: float, guidance: Guidance | None = None, **others: Any) -> torch.Tensor:
    """Four steps, guided in our way where ``guidance`` is given."""
    with torch.inference_mode(), guided(pipeline.unet, cfg, guidance or Guidance()):
        images: torch.Tensor = pipeline(
            "a red house",
            negative_prompt="snow",
            width=64,
            height=64,
            num_inference_steps=4,
            guidance_scale=cfg,
            generator=torch.Generator().manual_seed(3),
            output_type="latent",
            **others,
        ).images
    return images


@pytest.mark.parametrize("share", [0.5, 0.7, 1.0])
def test_rescaling_is_what_diffusers_computes_for_text_to_image(pipeline: Any, share: float) -> None:
    ours = latents(pipeline, 7.5, Guidance(rescale=share))
    torch.testing.assert_close(ours, latents(pipeline, 7.5, guidance_rescale=share))
    assert not torch.allclose(ours, latents(pipeline, 7.5))


def test_before_the_least_time_the_prompt_alone_counts(pipeline: Any) -> None:
    whole = latents(pipeline, 7.5, Guidance(least_time=0, rescale=1e-9))
    torch.testing.assert_close(whole, latents(pipeline, 7.5))
    never = latents(pipeline, 7.5, Guidance(least_time=1001))
    torch.testing.assert_close(never, latents(pipeline, 1.0))
    half = latents(pipeline, 7.5, Guidance(least_time=500))
    assert not torch.allclose(half, whole)
    assert not torch.allclose(half, never)


def test_without_guidance_there_is_nothing_to_change(pipeline: Any) -> None:
    assert torch.equal(latents(pipeline, 1.0, Guidance(rescale=0.7)), latents(pipeline, 1.0))


def test_a_run_that_fails_leaves_no_trace(pipeline: Any) -> None:
    plain = latents(pipeline, 7.5)
    with pytest.raises(RuntimeError, match="abandoned"), guided(pipeline.unet, 7.5, Guidance(rescale=0.7)):
        raise RuntimeError("abandoned")
    assert torch.equal(latents(pipeline, 7.5), plain)


def test_a_model_says_itself_what_it_needs_or_its_schedule_does(pipeline: Any, tmp_path: Path) -> None:
    plain = pipeline.scheduler.config
    assert guidance_of(tmp_path, plain) == Guidance()
    assert guidance_of(tmp_path, {"rescale_betas_zero_snr": True}) == Guidance(rescale=0.7)
    Guidance(rescale=0.5, least_time=300).save(tmp_path)
    assert guidance_of(tmp_path, plain) == Guidance(rescale=0.5, least_time=300)
