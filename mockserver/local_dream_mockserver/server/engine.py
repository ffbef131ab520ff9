"""What the HTTP layer asks of an engine, and nothing about HTTP.

An engine is plugged in by the entry point group `local_dream.engines`: a function `create(options)` that loads
everything and answers with an object of the shape `Engine`. The shapes here are structural: an engine need not import
this module, its own classes with the same attributes will do. `GenerationRequest` is the one class that the server
makes itself.

Engines are synchronous. The server calls them in worker threads of its own:

- `generate` (and every step of its iterator) by one thread at a time, in the order in which requests came;
- `upscale` by one thread at a time, but possibly while `generate` runs in another;
- `resolve_upscaler` and `tokenize` from any thread of them at any time: they must not wait for a running generation;
- everything else from any thread at any time, the server's event loop too: it must be quick.

An engine that `WorksInParallel` is called by as many threads at a time as it says, for either kind of work.

Pictures are numpy arrays of uint8, row-major, RGB, shape (height, width, 3), values 0..255. Masks are uint8 of shape
(height, width): 255 (white) is repainted, 0 (black) is kept, values between blend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Rgb: TypeAlias = NDArray[np.uint8]
"""Shape (height, width, 3)."""
Mask: TypeAlias = NDArray[np.uint8]
"""Shape (height, width)."""
Cancelled: TypeAlias = Callable[[], bool]
"""Answers True from the moment when nobody waits for the result any more. Cheap; from any thread."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GenerationRequest:
    """One accepted request: every default applied, every value within the contract and the engine's limits.

    Seed document, section 2, gives the fields. `seed` is 0..2^32-1 and always there: the server draws one where the
    client gave none. `width` and `height` are positive multiples of 8. `image` is decoded and already has the shape
    (height, width, 3); `mask` has (height, width) and only comes with an image. `denoise_strength` 0 keeps the
    image, 1 ignores it; it means nothing without an image.

    The defaults are those of the contract, as a test makes sure. An optional field that it gains is added here
    with its default; an engine that does not know it may ignore it.
    """

    prompt: str
    seed: int
    negative_prompt: str = ""
    steps: int = 20
    cfg: float = 7.5
    width: int = 512
    height: int = 512
    scheduler: str = "dpm"
    denoise_strength: float = 0.6
    image: Rgb | None = None
    mask: Mask | None = None
    previews: bool = False
    """`show_diffusion_process`."""
    preview_stride: int = 1
    """`show_diffusion_stride`; at least 1."""
    use_opencl: bool = False
    output_format: str | None = None
    """How the server codes the picture for the client: raw, jpeg or png; None where the client did not ask. Not the
    engine's concern."""
    preview_format: str | None = None
    """The same for previews."""
    weights: tuple[tuple[str, float], ...] = ()
    """The parts of the prompt, each with its weight; () where none weighs more or less than the others. Only for
    engines that weigh prompts, which then get both prompts without marks."""
    negative_weights: tuple[tuple[str, float], ...] = ()
    """The same of the negative prompt."""
    ultrafix: bool = False
    """Whether `image`, which is there, is refined tile by tile. Only for engines that refine."""
    tile_size: int = 512
    """With `ultrafix`, the side of a tile in pixels, at most the shorter side of the picture."""
    reference_images: tuple[Rgb, ...] = ()
    """Pictures of any size that the generation follows. Only for engines that follow them."""

    def previews_at(self, denoising_step: int) -> bool:
        """Whether the denoising step (counted from 1) shows a preview: every stride-th, the first included."""
        return self.previews and (denoising_step - 1) % self.preview_stride == 0


@runtime_checkable
class Step(Protocol):
    """One step of a generation is done."""

    @property
    def step(self) -> int:
        """1..total_steps, never less than in the step before; the last one equals `total_steps`."""

    @property
    def total_steps(self) -> int:
        """At least 1, the same in every step of one generation. An engine may count more than denoising."""

    @property
    def preview(self) -> Rgb | None:
        """The picture so far, in the size of the result, exactly where `request.previews_at` says so."""


@runtime_checkable
class Picture(Protocol):
    """The result of a generation."""

    @property
    def rgb(self) -> Rgb:
        """Shape (request.height, request.width, 3)."""

    @property
    def first_step_seconds(self) -> float:
        """From the call of `generate` to the end of its first denoising step."""


class Description(Protocol):
    """What the ready line and the extensions say of an engine."""

    @property
    def name(self) -> str:
        """The model, e.g. "synthetic"."""

    @property
    def device(self) -> str:
        """Where it runs, e.g. "cpu"."""

    @property
    def schedulers(self) -> Sequence[str]:
        """The schedulers it has; "dpm" and "euler_a" among them."""

    @property
    def native_size(self) -> int:
        """The side of the square that the model was made for, in pixels."""


class Limits(Protocol):
    """What the engine can do at most. The server refuses what lies beyond with 400, before the engine sees it."""

    @property
    def min_side(self) -> int:
        """Least width and height of a generation, in pixels."""

    @property
    def max_side(self) -> int:
        """Greatest width and height of a generation, in pixels."""

    @property
    def max_pixels(self) -> int:
        """Greatest width x height of a generation."""

    @property
    def max_steps(self) -> int:
        """Greatest number of steps."""

    @property
    def max_upscale_side(self) -> int:
        """Greatest width and height that go into the upscaler, in pixels."""

    @property
    def max_upscale_pixels(self) -> int:
        """Greatest width x height that go into the upscaler."""


class Upscaler(Protocol):
    """A 4x upscaling model that `X-Upscaler-Path` can name."""

    @property
    def name(self) -> str: ...

    @property
    def file(self) -> str:
        """Its file's name, "" where there is no file."""

    @property
    def scale(self) -> int:
        """4."""

    @property
    def architecture(self) -> str: ...


class TokenCount(Protocol):
    """How a prompt fills the text encoder's window."""

    @property
    def count(self) -> int: ...

    @property
    def max_length(self) -> int: ...

    @property
    def overflow_offset(self) -> int | None:
        """Where the prompt stops being seen, in characters from its start; None where all of it is seen."""


class Engine(Protocol):
    """Makes pictures. See the module's text for the threads it is called from.

    Errors: an exception with a true attribute `request_error` says that the client asked for something wrong and
    becomes 400 request_error; every other exception becomes 500 server_error (or the error event, once the stream
    runs). The text of an exception that has the attribute, true or false, is sent to the client; the text of others is
    not. `EngineError`, `RequestRefused` and `UnknownUpscaler` below are made that way.
    """

    def describe(self) -> Description:
        """What it is."""

    def limits(self) -> Limits:
        """What it can do at most."""

    def generate(self, request: GenerationRequest, cancelled: Cancelled) -> Iterator[Step | Picture]:
        """Yields a Step as soon as each is done (at least one), then one Picture.

        Same request, same bytes, whatever ran before. When `cancelled()` turns true the iterator ends, with or
        without a result, within about one step. What the engine refuses it raises before the first Step.
        """

    def upscalers(self) -> Sequence[Upscaler]:
        """The models that `resolve_upscaler` knows, the default one first."""

    def resolve_upscaler(self, path: str) -> str:
        """The name of the upscaler that a client's `X-Upscaler-Path` means.

        Raises an error with `request_error` where there is none; never touches a file outside the models' folder.
        """

    def upscale(self, rgb: Rgb, upscaler: str, use_opencl: bool, cancelled: Cancelled) -> Rgb:
        """The picture, exactly four times as wide and high, by the model that `resolve_upscaler` named.

        When `cancelled()` turns true the result is no longer wanted: it may raise or return anything, soon.
        """


@runtime_checkable
class Tokenizes(Protocol):
    """What an engine has in addition that can count a prompt's tokens."""

    def tokenize(self, prompt: str) -> TokenCount:
        """Counts the tokens of a prompt."""


@runtime_checkable
class WeighsPrompts(Protocol):
    """What an engine has in addition that gives parts of prompts their weights."""

    weighs_prompts: ClassVar[bool]
    """Whether it does."""


@runtime_checkable
class WorksInParallel(Protocol):
    """What an engine has in addition that works on several machines, or in several processes."""

    @property
    def at_once(self) -> int:
        """How many generations it does at a time, and how many upscales; at least 1."""


@runtime_checkable
class Closes(Protocol):
    """What an engine has in addition that holds more than the memory of this process."""

    def close(self) -> None:
        """The server is being stopped, and all work was told so. Must be quick; nothing is asked afterwards."""


@runtime_checkable
class Refines(Protocol):
    """What an engine has in addition that refines pictures tile by tile."""

    refines: ClassVar[bool]
    """Whether it does."""


@runtime_checkable
class FollowsPictures(Protocol):
    """What an engine has in addition whose model edits after reference pictures."""

    follows_pictures: ClassVar[bool]
    """Whether it does."""


EngineFactory: TypeAlias = Callable[[Mapping[str, str]], Engine]
"""The entry point: takes options by name (documented by each engine) and answers when the engine is ready to work. The
option `generate` "false" asks for one that will only be called to upscale.
Raises an error with the attribute `request_error` for an option that it does not know or a model that it cannot load;
its text is one line for the person who started the server."""


class EngineError(Exception):
    """The engine failed; the message may be shown to the client."""

    request_error: ClassVar[bool] = False


class RequestRefused(EngineError):
    """The engine found the request wrong; the message names the field and the fix."""

    request_error: ClassVar[bool] = True


class UnknownUpscaler(RequestRefused):
    """No upscaler of that name; the message lists those that there are."""
