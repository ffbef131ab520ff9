"""The engine that only enlarges pictures, which is also that half of the whole engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from local_dream_reference.description import Description, Limits
from local_dream_reference.errors import RequestRefused, explained

if TYPE_CHECKING:
    from local_dream_reference.upscaling.upscaler import Picture, Upscaler

Cancelled: TypeAlias = Callable[[], bool]


class UpscalingEngine:
    """Enlarges pictures by 4; makes none. ``upscaler`` None: it has no weights, and refuses."""

    def __init__(self, description: Description, limits: Limits, upscaler: Upscaler | None) -> None:
        self._description = description
        self._limits = limits
        self._upscaler = upscaler

    def describe(self) -> Description:
        """What it is."""
        return self._description

    def limits(self) -> Limits:
        """What it can do at most."""
        return self._limits

    def generate(self, request: Any, cancelled: Cancelled) -> Iterator[Any]:
        """Raises RequestRefused: this engine has no model to make pictures with."""
        raise RequestRefused("this server only enlarges pictures; one that was started with a model makes them")

    def upscalers(self) -> Sequence[Any]:
        """The upscaling models, the default first; none if no weights are there."""
        return [] if self._upscaler is None else self._upscaler.models()

    def resolve_upscaler(self, path: str) -> str:
        """The name of the model that ``path`` means. Raises an error with ``request_error`` if there is none."""
        return self._required().resolve(path)

    def upscale(self, rgb: Picture, upscaler: str, use_opencl: bool, cancelled: Cancelled) -> Picture:
        """Enlarge (h, w, 3) to (4h, 4w, 3). ``use_opencl`` has no meaning on this engine's devices."""
        del use_opencl
        try:
            return self._required().upscale(rgb, upscaler, cancelled)
        except (MemoryError, RuntimeError) as error:
            raise explained(error) from error

    def _required(self) -> Upscaler:
        if self._upscaler is None:
            raise RequestRefused("there is no upscaler here: start the engine with a folder of upscaling models")
        return self._upscaler
