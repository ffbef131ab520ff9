"""Ending a process with everything that it started, on systems that have groups of processes and on those without."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import Any


def end(process: subprocess.Popen[Any], *, at_once: bool = False) -> None:
    """Asks a process that leads a group to end, with its group, or ends it at once.

    Windows has no such groups: there the process alone is ended. One that has ended already is no error.
    """
    with contextlib.suppress(OSError):
        killpg = getattr(os, "killpg", None)
        if killpg is not None:
            killpg(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM) if at_once else signal.SIGTERM)
        elif at_once:
            process.kill()
        else:
            process.terminate()
