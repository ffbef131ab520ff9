"""What can go wrong when a picture is made.

EngineFailure            the engine failed (memory, device); the message may be shown
├── NotFinite            a network computed a value that is not a number, or infinite
├── RequestRefused       the request asks for something that this model cannot do; the message names the field
└── UnusableModel        the model cannot be loaded; one line for whoever starts the engine

``request_error`` tells whoever speaks to clients whose mistake it was.
"""

from __future__ import annotations

from typing import ClassVar


class EngineFailure(Exception):
    """The engine failed."""

    request_error: ClassVar[bool] = False


class NotFinite(EngineFailure):
    """A network computed values that are not finite; there is no picture to make of them."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"{where} gave values that are not finite numbers: the model's weights are damaged or need another dtype"
            " (float32 is the safest)"
        )


class RequestRefused(EngineFailure):
    """The request is wrong; the message names the field and the fix."""

    request_error: ClassVar[bool] = True


class UnusableModel(EngineFailure):
    """The model or an option is wrong; the message is one line."""

    request_error: ClassVar[bool] = True


def explained(error: BaseException) -> BaseException:
    """Give running out of memory a message that helps; leave other errors as they are."""
    if isinstance(error, MemoryError) or ("memory" in str(error).lower() and isinstance(error, RuntimeError)):
        return EngineFailure("out of memory: ask for a smaller width and height, or stop what else runs on the machine")
    return error
