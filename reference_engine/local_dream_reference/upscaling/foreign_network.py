"""Networks of other architectures than our two, read by spandrel where it is installed (extra ``spandrel``)."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Any, Final

from torch import Tensor, nn

from local_dream_reference.upscaling.composed import check_scale
from local_dream_reference.upscaling.errors import UnusableWeights

LIBRARY: Final = "spandrel"
UNLIKE: Final = "is neither a compact nor an RRDB network"
PURPOSE: Final = "SR"
"""What spandrel calls networks that enlarge any picture; the others are made for faces, for holes, or for noise."""


@dataclass(frozen=True)
class Foreign:
    """A network with its weights, in float32 on the CPU: (1, 3, h, w) in 0..1 to (1, 3, scale h, scale w)."""

    network: nn.Module
    name: str
    """Such as ``SPAN 48nf``."""
    scale: int
    grid: int
    """The side of the squares in which it sees small pixels."""


class _Padded(nn.Module):
    """A network that spandrel fills its pictures up for, to the sizes that it can take."""

    def __init__(self, descriptor: Any) -> None:
        super().__init__()
        self.model: nn.Module = descriptor.model  # so that it moves to a device with this one
        self._descriptor = descriptor

    def forward(self, picture: Tensor) -> Tensor:
        result: Tensor = self._descriptor(picture)
        return result


def read(weights: dict[str, Tensor]) -> Foreign:
    """The network that the weights belong to. Raises UnusableWeights (without a file name)."""
    spandrel = _library()
    try:
        found = spandrel.ModelLoader("cpu").load_from_state_dict(dict(weights))
    except spandrel.UnsupportedModelError:
        raise UnusableWeights(f"{UNLIKE}, nor any that {LIBRARY} {spandrel.__version__} knows") from None
    # What an architecture takes for its own can still be damaged, and fails as its reader can.
    except Exception as error:
        raise UnusableWeights(f"{UNLIKE}, and {LIBRARY} cannot load it ({_said(error)})") from error
    name = " ".join((found.architecture.name, *found.tags))
    check_scale(found.scale)
    if found.purpose != PURPOSE:
        raise UnusableWeights(f"is a network ({name}) for another purpose than enlarging any picture: {found.purpose}")
    if (found.input_channels, found.output_channels) != (3, 3):
        raise UnusableWeights(f"takes {found.input_channels} channels; only networks on RGB can be used")
    return Foreign(_Padded(found), name, found.scale, found.size_requirements.multiple_of)


def _library() -> Any:
    if importlib.util.find_spec(LIBRARY) is None:
        raise UnusableWeights(f"{UNLIKE}; with the extra {LIBRARY} installed, more are read")
    try:
        return importlib.import_module(LIBRARY)
    except Exception as error:  # a torchvision that was built for another torch raises RuntimeError
        raise UnusableWeights(f"{UNLIKE}, and {LIBRARY} cannot be imported ({_said(error)})") from error


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
