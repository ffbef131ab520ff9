"""The names that older ESRGAN files give to the layers of an RRDB network, in those of the present layout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

Value = TypeVar("Value")
_OLD_BLOCK: Final = re.compile(r"model\.1\.sub\.(\d+)\.RDB([123])\.conv([1-5])\.0\.(weight|bias)")
_OLD_TRUNK: Final = re.compile(r"model\.1\.sub\.\d+\.(weight|bias)")
_OLD_LAYER: Final = re.compile(r"model\.(\d+)\.(weight|bias)")
_TRUNK_BLOCK: Final = re.compile(r"RRDB_trunk\.(\d+)\.RDB([123])\.(conv[1-5]\.(?:weight|bias))")
_TRUNK: Final = {"trunk_conv": "conv_body", "HRconv": "conv_hr"}


def renamed(weights: Mapping[str, Value]) -> dict[str, Value]:
    """The weights under the present names; those that are under no old ones stay as they are."""
    if "model.0.weight" in weights and any(_OLD_BLOCK.fullmatch(name) for name in weights):
        places = _places(weights)
        return {_of_model(name, places): value for name, value in weights.items()}
    if any(_TRUNK_BLOCK.fullmatch(name) for name in weights):
        return {_of_trunk(name): value for name, value in weights.items()}
    return dict(weights)


def _places(names: Iterable[str]) -> dict[str, str]:
    """The numbers of the layers outside of the blocks to their present names: the last two end the network, and what
    stands between them and the blocks are its doublings.
    """
    numbers = sorted({int(match[1]) for name in names if (match := _OLD_LAYER.fullmatch(name))})
    first, *doublings = numbers[:-2]
    ends = dict(zip(numbers[-2:], ("conv_hr", "conv_last"), strict=True))
    named = {number: f"conv_up{place}" for place, number in enumerate(doublings, 1)} | ends | {first: "conv_first"}
    return {str(number): name for number, name in named.items()}


def _of_model(name: str, places: Mapping[str, str]) -> str:
    if match := _OLD_BLOCK.fullmatch(name):
        return f"body.{match[1]}.rdb{match[2]}.conv{match[3]}.{match[4]}"
    if match := _OLD_TRUNK.fullmatch(name):
        return f"conv_body.{match[1]}"
    match = _OLD_LAYER.fullmatch(name)
    return f"{places[match[1]]}.{match[2]}" if match else name


def _of_trunk(name: str) -> str:
    if match := _TRUNK_BLOCK.fullmatch(name):
        return f"body.{match[1]}.rdb{match[2]}.{match[3]}"
    layer, dot, kind = name.rpartition(".")
    return f"{_TRUNK.get(layer, layer.replace('upconv', 'conv_up'))}{dot}{kind}"
