"""What the machine offers, asked in ways that every system has."""

from __future__ import annotations

import os
import sys


def usable_cores() -> int:
    """How many CPU cores this process may use, at least 1. macOS and Windows only know how many there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def peak_memory() -> float:
    """Greatest resident memory of this process so far, in MiB; not a number where the system does not say it."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
