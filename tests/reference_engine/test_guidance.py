"""Guidance of kept contrast: the same numbers as diffusers' own where diffusers has it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
import torch

from reference_engine.guidance import burns_out, contrast_kept
from tests.reference_engine.tiny_model import tiny_pipeline


@pytest.fixture(scope="module")
def pipeline() -> Any:
    made = tiny_pipeline()
    made.set_progress_bar_config(disable=True)
    return made


def latents(pipeline: Any, cfg: float, share: float | None = None, **others: Any) -> torch.Tensor:
    """Two steps; guided by the hook where ``share`` is given."""
    hooked = nullcontext() if share is None else contrast_kept(pipeline.unet, cfg, share)
    with torch.inference_mode(), hooked:
        images: torch.Tensor = pipeline(
            "a red house",
            negative_prompt="snow",
            width=64,
            height=64,
            num_inference_steps=2,
            guidance_scale=cfg,
            generator=torch.Generator().manual_seed(3),
            output_type="latent",
            **others,
        ).images
    return images


@pytest.mark.parametrize("share", [0.0, 0.7, 1.0])
def test_it_is_what_diffusers_computes_for_text_to_image(pipeline: Any, share: float) -> None:
    torch.testing.assert_close(latents(pipeline, 7.5, share), latents(pipeline, 7.5, guidance_rescale=share))


def test_it_matters(pipeline: Any) -> None:
    assert not torch.allclose(latents(pipeline, 7.5, 0.7), latents(pipeline, 7.5))


def test_without_guidance_there_is_nothing_to_keep(pipeline: Any) -> None:
    assert torch.equal(latents(pipeline, 1.0, 0.7), latents(pipeline, 1.0))


def test_a_run_that_fails_leaves_no_trace(pipeline: Any) -> None:
    plain = latents(pipeline, 7.5)
    with pytest.raises(RuntimeError, match="abandoned"), contrast_kept(pipeline.unet, 7.5):
        raise RuntimeError("abandoned")
    assert torch.equal(latents(pipeline, 7.5), plain)


def test_only_schedules_down_to_no_signal_need_it(pipeline: Any) -> None:
    assert not burns_out(pipeline.scheduler.config)
    assert burns_out({"rescale_betas_zero_snr": True})
