"""What the machine offers, asked in ways that every system has."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path


def usable_cores() -> int:
    """How many CPU cores this process may use, at least 1: no more than OMP_NUM_THREADS, by which whoever runs several
    processes on a machine shares it out. macOS and Windows only know how many there are.
    """
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    granted = os.environ.get("OMP_NUM_THREADS", "")
    return min(there, int(granted)) if granted.isascii() and granted.isdigit() and int(granted) else there


def whole_memory() -> float:
    """Memory of the machine in bytes, or of the container that this process is in; infinite where psutil is missing."""
    try:
        import psutil
    except ModuleNotFoundError:
        return float("inf")
    most = float(psutil.virtual_memory().total)
    with suppress(OSError, ValueError):  # not a container, or not one that has a limit: "max"
        most = min(most, float(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return most


def peak_memory() -> float:
    """Greatest resident memory of this process so far, in MiB; not a number where the system does not say it."""
    if sys.platform == "linux":
        # Not by getrusage: that counts the parent's memory, too, as it was when this process began.
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**10
    most = float("nan")
    if sys.platform != "win32":
        import resource

        unit = 2**20 if sys.platform == "darwin" else 2**10
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return most
