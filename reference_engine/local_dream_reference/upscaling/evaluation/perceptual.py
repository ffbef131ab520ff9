"""LPIPS and DISTS: how different two pictures look, as networks that were trained on photographs see it.

Pictures are float tensors (n, 3, h, w), RGB in 0..1. Both measures are 0 for equal pictures, and smaller is better.
LPIPS: Zhang and others 2018, version 0.1; DISTS: Ding and others 2020.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import functional

from local_dream_reference.upscaling.evaluation.published_weights import Convolutions

_VGG_STAGES = (2, 2, 3, 3, 3)
"""Convolutions of VGG16 between two halvings; the last of each stage is compared."""


def _normalised(picture: Tensor) -> Tensor:
    mean = picture.new_tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    deviation = picture.new_tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    return (picture - mean) / deviation


def _halved(value: Tensor) -> Tensor:
    return functional.max_pool2d(value, 2)


def _halved_smoothly(value: Tensor) -> Tensor:
    """DISTS halves without aliasing: the root of a Hann-weighted mean of squares."""
    taps = value.new_tensor([0.25, 0.5, 0.25])
    kernel = (taps[:, None] * taps[None, :]).expand(value.shape[1], 1, 3, 3)
    squares = functional.conv2d(value.square(), kernel, stride=2, padding=1, groups=value.shape[1])
    return (squares + 1e-12).sqrt()


def vgg_layers(
    network: Convolutions, picture: Tensor, halved: Callable[[Tensor], Tensor] = _halved
) -> Iterator[Tensor]:
    """What the last convolution of each stage of VGG16 sees: five tensors, each half as wide as the one before."""
    value, number = _normalised(picture), 0
    for stage, count in enumerate(_VGG_STAGES):
        if stage:
            value = halved(value)
        for weight, bias in network.kernels[number : number + count]:
            value = functional.relu(functional.conv2d(value, weight, bias, padding=1))
        number += count
        yield value


def alexnet_layers(network: Convolutions, picture: Tensor) -> Iterator[Tensor]:
    """What the five convolutions of AlexNet see."""
    value = _normalised(picture)
    for number, (weight, bias) in enumerate(network.kernels):
        if number in (1, 2):
            value = functional.max_pool2d(value, 3, 2)
        stride, padding = (4, 2) if number == 0 else (1, weight.shape[-1] // 2)
        value = functional.relu(functional.conv2d(value, weight, bias, stride=stride, padding=padding))
        yield value


def _unit(layer: Tensor) -> Tensor:
    layer = layer.float()
    return layer / (layer.square().sum(1, keepdim=True).sqrt() + 1e-10)


def lpips_of(network: Convolutions, one: Iterator[Tensor], other: Iterator[Tensor]) -> Tensor:
    """LPIPS of each pair, (n), from the layers of both pictures."""
    total = torch.zeros(())
    for ours, theirs, weight in zip(one, other, network.importance, strict=True):
        difference = (_unit(ours) - _unit(theirs)).square()
        total = total + (difference * weight).sum(1).mean((1, 2))
    return total


def lpips(network: Convolutions, one: Tensor, other: Tensor) -> float:
    """LPIPS by AlexNet, as it is usually reported, of one pair."""
    with torch.inference_mode():
        return float(lpips_of(network, alexnet_layers(network, one), alexnet_layers(network, other)))


def dists_layers(network: Convolutions, picture: Tensor) -> list[Tensor]:
    """What DISTS compares: the picture and five layers of VGG16."""
    with torch.inference_mode():
        return [picture, *vgg_layers(network, picture, _halved_smoothly)]


def dists(weights: tuple[Tensor, Tensor], one: list[Tensor], other: list[Tensor]) -> float:
    """DISTS of one pair: how means (texture) and correlations (structure) of the channels of their layers differ."""
    with torch.inference_mode():
        widths = [layer.shape[1] for layer in one]
        whole = weights[0].sum() + weights[1].sum()
        alike = torch.zeros(())
        parts = (torch.split_with_sizes(each, widths, 1) for each in weights)
        for x, y, alpha, beta in zip(one, other, *parts, strict=True):
            mean_x, mean_y = x.mean((2, 3), keepdim=True), y.mean((2, 3), keepdim=True)
            spread = (x - mean_x).square().mean((2, 3), keepdim=True) + (y - mean_y).square().mean((2, 3), keepdim=True)
            together = (x * y).mean((2, 3), keepdim=True) - mean_x * mean_y
            texture = (2 * mean_x * mean_y + 1e-6) / (mean_x.square() + mean_y.square() + 1e-6)
            structure = (2 * together + 1e-6) / (spread + 1e-6)
            alike = alike + (alpha * texture + beta * structure).sum() / whole
        return float(1 - alike)
