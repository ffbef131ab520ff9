"""What can go wrong when a picture is enlarged.

UpscalingError
├── UnknownUpscaler      the name means no model (the client's mistake)
├── UnsuitablePicture    the picture cannot be enlarged (the client's mistake)
├── UnusableWeights      a weights file cannot be loaded (the server's mistake)
├── NotFinite            the network computed values that are not finite (the server's mistake)
└── Abandoned            nobody waits for the result any more

``request_error`` tells whoever speaks to clients whose mistake it was. Messages name
models and files relative to their folder, never a path of the machine, and may be shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

_LISTED = 20


class UpscalingError(Exception):
    """Base of all errors of this package."""

    request_error: ClassVar[bool] = False


class UnknownUpscaler(UpscalingError):
    """No model has the asked name; the message lists those that there are."""

    request_error: ClassVar[bool] = True

    def __init__(self, asked: str, known: Sequence[str]) -> None:
        shown = asked if len(asked) <= 80 else f"{asked[:77]}..."
        listed = ", ".join(known[:_LISTED])
        more = f" or {len(known) - _LISTED} more" if len(known) > _LISTED else ""
        super().__init__(f"unknown upscaler {shown!r}: use one of {listed}{more}")
        self.asked = asked
        self.known = tuple(known)


class UnsuitablePicture(UpscalingError):
    """The picture's size is outside what the upscaler takes; the message names the limit."""

    request_error: ClassVar[bool] = True


class UnusableWeights(UpscalingError):
    """A weights file is damaged, unsafe or of a network that is not supported."""


class NotFinite(UpscalingError):
    """A network computed values that are not finite; there is no picture to make of them."""

    def __init__(self) -> None:
        super().__init__("the upscaler gave values that are not finite numbers: its weights are damaged")


class Abandoned(UpscalingError):
    """The caller said that the result is no longer wanted."""

    def __init__(self) -> None:
        super().__init__("nobody waits for this picture any more")
