"""What replicas answer: plain values, so that the front needs none of an engine's own classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from local_dream_mockserver.server.engine import Engine, FollowsPictures, Refines, Rgb, Tokenizes, WeighsPrompts


@dataclass(frozen=True, slots=True)
class Busy:
    """This replica does such work already; nothing was begun."""


@dataclass(frozen=True, slots=True)
class Begun:
    """This replica has taken the request. From here on it is not given to another one."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """See `engine.Step`."""

    step: int
    total_steps: int
    preview: Rgb | None


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """See `engine.Picture`."""

    rgb: Rgb
    first_step_seconds: float


@dataclass(frozen=True, slots=True)
class Failure:
    """What the engine raised: `request_error` and `text` as in `engine.Engine`, None and the type's name where the
    exception has no such attribute."""

    request_error: bool | None
    text: str

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        request_error = getattr(error, "request_error", None)
        if request_error is None:
            return cls(None, type(error).__name__)
        return cls(bool(request_error), str(error))


@dataclass(frozen=True, slots=True)
class Description:
    """See `engine.Description`."""

    name: str
    device: str
    schedulers: Sequence[str]
    native_size: int


@dataclass(frozen=True, slots=True)
class Limits:
    """See `engine.Limits`."""

    min_side: int
    max_side: int
    max_pixels: int
    max_steps: int
    max_upscale_side: int
    max_upscale_pixels: int


@dataclass(frozen=True, slots=True)
class Upscaler:
    """See `engine.Upscaler`."""

    name: str
    file: str
    scale: int
    architecture: str


@dataclass(frozen=True, slots=True)
class TokenCount:
    """See `engine.TokenCount`."""

    count: int
    max_length: int
    overflow_offset: int | None


@dataclass(frozen=True, slots=True)
class Nature:
    """All that an engine says of itself, and does not change."""

    description: Description
    limits: Limits
    upscalers: tuple[Upscaler, ...]
    tokenizes: bool
    weighs_prompts: bool
    refines: bool
    follows_pictures: bool

    @classmethod
    def of(cls, engine: Engine) -> Nature:
        told, most = engine.describe(), engine.limits()
        return cls(
            Description(told.name, told.device, tuple(told.schedulers), told.native_size),
            Limits(
                most.min_side,
                most.max_side,
                most.max_pixels,
                most.max_steps,
                most.max_upscale_side,
                most.max_upscale_pixels,
            ),
            tuple(Upscaler(one.name, one.file, one.scale, one.architecture) for one in engine.upscalers()),
            isinstance(engine, Tokenizes),
            isinstance(engine, WeighsPrompts) and engine.weighs_prompts,
            isinstance(engine, Refines) and engine.refines,
            isinstance(engine, FollowsPictures) and engine.follows_pictures,
        )
