"""What training makes small."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from local_dream_reference.upscaling.evaluation.perceptual import lpips_of, vgg_layers
from local_dream_reference.upscaling.evaluation.published_weights import Convolutions
from local_dream_reference.upscaling.precision import convolution_precision
from local_dream_reference.upscaling.training.recipe import Recipe

_LUMA = (0.299, 0.587, 0.114)
_MEAN_SIDE = 48
"""Side of the squares whose means are compared, in large pixels."""


def native_bf16() -> torch.autocast:
    """Convolutions in bf16 where the CPU computes it; elsewhere that would take nine times as long as float32."""
    native = convolution_precision(torch.device("cpu")) is torch.bfloat16
    return torch.autocast("cpu", torch.bfloat16, enabled=native)


def loss(got: Tensor, wanted: Tensor, recipe: Recipe) -> Tensor:
    """Charbonnier error of RGB, of luma, which the quality figures look at, and of local means.

    The first two alone draw towards the median, which makes sparse dark lettering brighter.
    """
    error = got - wanted
    luma = torch.tensor(_LUMA, dtype=error.dtype).view(1, 3, 1, 1)
    bright = (error * luma).sum(1)
    colour_term = torch.sqrt(error.square() + 1e-5).mean()
    luma_term = torch.sqrt(bright.square() + 1e-5).mean()
    mean_term = functional.avg_pool2d(error, min(_MEAN_SIDE, *error.shape[2:])).abs().mean()
    return colour_term + recipe.luma_weight * luma_term + recipe.mean_weight * mean_term


def look(vgg: Convolutions, got: Tensor, wanted: Tensor, pictures: int, side: int) -> Tensor:
    """LPIPS by VGG16 of the middle ``side`` x ``side`` pixels of the first ``pictures``.

    Of a part only, because VGG16 costs many times what is trained.
    """
    top, left = (max(length - side, 0) // 2 for length in got.shape[2:])
    middle = (slice(pictures), slice(None), slice(top, top + side), slice(left, left + side))
    with native_bf16():
        with torch.no_grad():
            theirs = list(vgg_layers(vgg, wanted[middle]))
        return lpips_of(vgg, vgg_layers(vgg, got[middle]), iter(theirs)).mean()
