"""Which network a set of weights belongs to, told from its keys and tensor shapes alone."""

from __future__ import annotations

import math
import re
from typing import Any

import torch
from torch import nn

from local_dream_reference.upscaling.back_projection import REACH, BackProjected
from local_dream_reference.upscaling.compact_network import SCALE, Activation, CompactNetwork, CompactShape, Skip
from local_dream_reference.upscaling.errors import UnusableWeights
from local_dream_reference.upscaling.rrdb_network import RrdbNetwork, RrdbShape
from local_dream_reference.upscaling.weights_file import WeightsFile

_COMPACT_KEY = re.compile(r"body\.(\d+)\.(weight|bias)")
_BLOCK_KEY = re.compile(r"body\.(\d+)\.rdb[123]\.conv[1-5]\.(weight|bias)")
_LARGEST_WIDTH = 512
_LARGEST_DEPTH = 128
_WORKING_MARGIN = 64
"""Small pixels of context given to networks that see farther than is worth computing."""


def compact_shape(file: WeightsFile) -> CompactShape:
    """The shape of a compact network. Raises UnusableWeights (without a file name) if it is none."""
    weights = file.weights
    indices = sorted({int(match[1]) for key in weights if (match := _COMPACT_KEY.fullmatch(key))})
    convolutions = [index for index in indices if weights.get(f"body.{index}.weight", torch.empty(0)).dim() == 4]
    if len(convolutions) < 2 or convolutions != list(range(0, convolutions[-1] + 1, 2)):
        raise UnusableWeights("is neither a compact nor an RRDB network")
    first, last = weights["body.0.weight"], weights[f"body.{convolutions[-1]}.weight"]
    scale = math.isqrt(last.shape[0] // 3)
    if scale != SCALE or last.shape[0] != 3 * scale * scale:
        raise UnusableWeights(f"enlarges by {scale}, but only networks that enlarge by {SCALE} can be used")
    learned = "body.1.weight" in weights
    named = file.header.get("activation", "relu")
    activation: Activation = "prelu" if learned else ("leakyrelu" if named == "leakyrelu" else "relu")
    skip: Skip = "bicubic" if file.header.get("skip") == "bicubic" else "nearest"
    return CompactShape(first.shape[0], len(convolutions) - 2, activation, skip)


def rrdb_shape(file: WeightsFile) -> RrdbShape:
    """The shape of an RRDB network. Raises UnusableWeights (without a file name) if it is no x4 network."""
    weights = file.weights
    blocks = {int(match[1]) for key in weights if (match := _BLOCK_KEY.fullmatch(key))}
    first, inner = weights["conv_first.weight"], weights.get("body.0.rdb1.conv1.weight")
    if inner is None or first.dim() != 4 or inner.dim() != 4:
        raise UnusableWeights("is neither a compact nor an RRDB network")
    if first.shape[1] != 3:
        raise UnusableWeights(f"takes {first.shape[1]} channels; only x4 networks on RGB can be used")
    return RrdbShape(first.shape[0], len(blocks), inner.shape[0])


def architecture_name(file: WeightsFile) -> str:
    """A short text such as ``compact 48x16`` (channels x inner convolutions) or ``rrdb 64x23``."""
    if "conv_first.weight" in file.weights:
        rrdb = rrdb_shape(file)
        return f"rrdb {rrdb.features}x{rrdb.blocks}"
    compact = compact_shape(file)
    return f"compact {compact.features}x{compact.convolutions}"


def _blank(file: WeightsFile) -> tuple[CompactNetwork | RrdbNetwork, int]:
    """The network that the weights belong to, without them, and how far it sees."""
    network: CompactNetwork | RrdbNetwork
    if "conv_first.weight" in file.weights:
        rrdb = rrdb_shape(file)
        _check_size(rrdb.features, rrdb.blocks)
        # Every block has 15 convolutions one after another; the two doublings see less at half size.
        network, reach = RrdbNetwork(rrdb), 15 * rrdb.blocks + 5
    else:
        compact = compact_shape(file)
        _check_size(compact.features, compact.convolutions)
        network, reach = CompactNetwork(compact), compact.convolutions + 2
    return network, min(reach, _WORKING_MARGIN)


def check(file: WeightsFile) -> None:
    """Raises UnusableWeights (without a file name) unless the weights fit a supported network entirely."""
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


def build(file: WeightsFile, precision: torch.dtype) -> tuple[nn.Module, int]:
    """The network with its weights, and how many small pixels of context each of its pixels needs.

    Convolutions work in ``precision``; what decides colours stays in float32. Networks that
    add to the bicubic enlargement (only our own training makes such) are back-projected. Raises
    UnusableWeights (without a file name) when the weights fit no supported network.
    """
    check(file)
    network, margin = _blank(file)
    network.load_state_dict(file.weights)
    network.eval().requires_grad_(False)
    if isinstance(network, RrdbNetwork):
        network.to(precision)
        network.conv_last.float()
    else:
        network.body.to(precision)
    _channels_last(network)
    if isinstance(network, CompactNetwork) and network.shape.skip == "bicubic":
        return BackProjected(network), margin + REACH
    return network, margin


def _check_size(width: int, depth: int) -> None:
    if not 1 <= width <= _LARGEST_WIDTH or not 0 <= depth <= _LARGEST_DEPTH:
        raise UnusableWeights(f"is too large ({width} channels, {depth} deep)")


def _channels_last(network: nn.Module) -> None:
    module: Any = network  # PyTorch's own annotations leave this overload out.
    module.to(memory_format=torch.channels_last)
