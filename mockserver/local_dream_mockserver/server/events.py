"""The events of a generation, typed (seed document, section 2, "Event Stream")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A step is done. `image` is a preview in the result's size: base64 of raw RGB, or as `format` says."""

    type: ClassVar[str] = "progress"
    step: int
    total_steps: int
    image: str | None = None
    format: str | None = None

    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = {"type": self.type, "step": self.step, "total_steps": self.total_steps}
        return payload if self.image is None else payload | _picture(self.image, self.format)


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """The picture is done; the last event. `image` is base64 of raw RGB, row-major, width * height * 3 bytes, or as
    `format` says."""

    type: ClassVar[str] = "complete"
    image: str
    seed: int
    width: int
    height: int
    generation_time_ms: int
    first_step_time_ms: int
    channels: int = 3
    format: str | None = None

    def payload(self) -> dict[str, Any]:
        return {
            "type": self.type,
            **_picture(self.image, self.format),
            "seed": self.seed,
            "width": self.width,
            "height": self.height,
            "channels": self.channels,
            "generation_time_ms": self.generation_time_ms,
            "first_step_time_ms": self.first_step_time_ms,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """There will be no picture; the last event. `message` is not empty."""

    type: ClassVar[str] = "error"
    message: str

    def payload(self) -> dict[str, Any]:
        return {"type": self.type, "message": self.message}


def _picture(image: str, format: str | None) -> dict[str, str]:
    return {"image": image} if format is None else {"image": image, "format": format}


Event: TypeAlias = Progress | Complete | Failed
