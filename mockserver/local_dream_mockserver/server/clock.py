"""The server's clock, which goes on where a test has frozen those of Python.

The mock runs in a thread of the test's process. Libraries that freeze time there (freezegun) put other functions in
place of `time.monotonic` and the like, in every module that has them, and a server that waits by them waits for ever.
They leave `time.clock_gettime` alone, and what is kept in a tuple.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial

if sys.platform != "win32":
    _KEPT: tuple[Callable[[], float]] = (partial(time.clock_gettime, time.CLOCK_MONOTONIC),)
else:
    _KEPT = (time.monotonic,)


def monotonic() -> float:
    """As `time.monotonic`: seconds that only go forward."""
    return _KEPT[0]()
