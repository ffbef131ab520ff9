"""Which network a set of weights belongs to, told from its keys and tensor shapes alone."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from local_dream_reference.upscaling.back_projection import REACH, BackProjected
from local_dream_reference.upscaling.compact_network import SCALE, Activation, CompactNetwork, CompactShape, Skip
from local_dream_reference.upscaling.compiled_body import compiled
from local_dream_reference.upscaling.composed import check_scale, composed
from local_dream_reference.upscaling.errors import UnusableWeights
from local_dream_reference.upscaling.foreign_network import UNLIKE, Foreign, read
from local_dream_reference.upscaling.rrdb_network import RrdbNetwork, RrdbShape
from local_dream_reference.upscaling.weights_file import WeightsFile

_COMPACT_KEY = re.compile(r"body\.(\d+)\.(weight|bias)")
_BLOCK_KEY = re.compile(r"body\.(\d+)\.rdb[123]\.conv[1-5]\.(weight|bias)")
_DOUBLING_KEY = re.compile(r"conv_up([1-4])\.weight")
_LARGEST_WIDTH = 512
_LARGEST_DEPTH = 128
_LIGHT = 500_000
"""Weights up to which a compact network that enlarges by 4 is light."""
_WORKING_MARGIN = 64
"""Small pixels of context given to networks that see farther than is worth computing."""


@dataclass(frozen=True)
class Built:
    """A network that enlarges by 4: (1, 3, h, w) in 0..1 to (1, 3, 4h, 4w)."""

    network: nn.Module
    margin: int
    """How many small pixels of context each of its pixels needs."""
    grid: int
    """The side of the squares in which it sees small pixels."""
    light: bool = False
    """Whether it is so fast that a tile may have twice as many pixels."""


class _Unlike(UnusableWeights):
    """The keys are not those of one of our own two networks."""

    def __init__(self) -> None:
        super().__init__(UNLIKE)


def compact_shape(file: WeightsFile) -> CompactShape:
    """The shape of a compact network. Raises UnusableWeights (without a file name) if it is none."""
    weights = file.weights
    indices = sorted({int(match[1]) for key in weights if (match := _COMPACT_KEY.fullmatch(key))})
    convolutions = [index for index in indices if weights.get(f"body.{index}.weight", torch.empty(0)).dim() == 4]
    if len(convolutions) < 2 or convolutions != list(range(0, convolutions[-1] + 1, 2)):
        raise _Unlike
    first, last = weights["body.0.weight"], weights[f"body.{convolutions[-1]}.weight"]
    scale = math.isqrt(last.shape[0] // 3)
    if scale < 1 or last.shape[0] != 3 * scale * scale:
        raise _Unlike
    learned = "body.1.weight" in weights
    named = file.header.get("activation", "relu")
    activation: Activation = "prelu" if learned else ("leakyrelu" if named == "leakyrelu" else "relu")
    skip: Skip = "bicubic" if file.header.get("skip") == "bicubic" and scale == SCALE else "nearest"
    return CompactShape(first.shape[0], len(convolutions) - 2, activation, skip, scale)


def rrdb_shape(file: WeightsFile) -> RrdbShape:
    """The shape of an RRDB network. Raises UnusableWeights (without a file name) if it is none on RGB."""
    weights = file.weights
    blocks = {int(match[1]) for key in weights if (match := _BLOCK_KEY.fullmatch(key))}
    first, inner = weights["conv_first.weight"], weights.get("body.0.rdb1.conv1.weight")
    if inner is None or first.dim() != 4 or inner.dim() != 4:
        raise _Unlike
    folded = math.isqrt(first.shape[1] // 3)
    if folded not in (1, 2, 4) or first.shape[1] != 3 * folded * folded:
        raise UnusableWeights(f"takes {first.shape[1]} channels; only networks on RGB can be used")
    doublings = len({match[1] for key in weights if (match := _DOUBLING_KEY.fullmatch(key))})
    return RrdbShape(first.shape[0], len(blocks), inner.shape[0], doublings, folded)


def checked_name(file: WeightsFile) -> str:
    """A short text such as ``compact 48x16`` (channels x inner convolutions) or ``rrdb 64x23``, with what is done where
    it does not enlarge by 4. Raises UnusableWeights (without a file name) unless the weights fit a network entirely.
    """
    try:
        check(file)
    except _Unlike:
        foreign = read(file.weights)
        name, scale = foreign.name, foreign.scale
    else:
        name, scale = _own_name(file)
    return name + {2: ", x2 twice", 8: ", x8 halved"}.get(scale, "")


def _own_name(file: WeightsFile) -> tuple[str, int]:
    """What one of our own networks is called, and by how much it enlarges."""
    if "conv_first.weight" in file.weights:
        rrdb = rrdb_shape(file)
        return f"rrdb {rrdb.features}x{rrdb.blocks}", rrdb.scale
    compact = compact_shape(file)
    return f"compact {compact.features}x{compact.convolutions}", compact.scale


def _blank(file: WeightsFile) -> tuple[CompactNetwork | RrdbNetwork, int]:
    """The network that the weights belong to, without them, and how far it sees."""
    network: CompactNetwork | RrdbNetwork
    if "conv_first.weight" in file.weights:
        rrdb = rrdb_shape(file)
        check_scale(rrdb.scale)
        _check_size(rrdb.features, rrdb.blocks)
        # Every block has 15 convolutions one after another; the doublings see less at half size.
        network, reach = RrdbNetwork(rrdb), (15 * rrdb.blocks + 5) * rrdb.folded
    else:
        compact = compact_shape(file)
        check_scale(compact.scale)
        _check_size(compact.features, compact.convolutions)
        network, reach = CompactNetwork(compact), compact.convolutions + 2
    return network, min(reach, _WORKING_MARGIN)


def check(file: WeightsFile) -> None:
    """Raises UnusableWeights (without a file name) unless the weights fit one of our own networks entirely."""
    with torch.device("meta"):
        network, _ = _blank(file)
    expected = {key: value.shape for key, value in network.state_dict().items()}
    for key in sorted(expected.keys() | file.weights.keys()):
        if key not in file.weights:
            raise UnusableWeights(f"lacks {key}")
        if key not in expected:
            raise UnusableWeights(f"has {key}, which its architecture has not")
        if file.weights[key].shape != expected[key]:
            raise UnusableWeights(f"has {key} in the wrong shape")


def build(file: WeightsFile, precision: torch.dtype, device: torch.device | None = None) -> Built:
    """The network with its weights.

    Convolutions work in ``precision``; what decides colours stays in float32. Networks that
    add to the bicubic enlargement (only our own training makes such) are back-projected; those of
    other architectures work in float32. With a ``device`` the network may be one that runs there
    alone, and faster. Raises UnusableWeights (without a file name) when the weights fit no
    supported network.
    """
    try:
        check(file)
    except _Unlike:
        return _foreign(read(file.weights))
    network, reach = _blank(file)
    network.load_state_dict(file.weights)
    network.eval().requires_grad_(False)
    _channels_last(network)
    if isinstance(network, RrdbNetwork):
        network.to(precision)
        network.conv_last.float()
        return Built(*composed(network, network.shape.scale, reach), network.shape.folded)
    light = network.shape.scale == SCALE and sum(each.numel() for each in file.weights.values()) <= _LIGHT
    body = None if device is None else compiled(network.body, precision, device)
    if body is not None:
        network.body = nn.ModuleList([body])
    network.body.to(precision)
    if network.shape.skip == "bicubic":
        return Built(BackProjected(network), reach + REACH, 1, light)
    return Built(*composed(network, network.shape.scale, reach), 1, light)


def _foreign(found: Foreign) -> Built:
    network, margin = composed(found.network, found.scale, _WORKING_MARGIN)
    network.eval().requires_grad_(False)
    return Built(network, margin, found.grid)


def _check_size(width: int, depth: int) -> None:
    if not 1 <= width <= _LARGEST_WIDTH or not 0 <= depth <= _LARGEST_DEPTH:
        raise UnusableWeights(f"is too large ({width} channels, {depth} deep)")


def _channels_last(network: nn.Module) -> None:
    module: Any = network  # PyTorch's own annotations leave this overload out.
    module.to(memory_format=torch.channels_last)
