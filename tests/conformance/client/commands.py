"""`local-dream generate` and `upscale` as programs."""

from __future__ import annotations

import subprocess
import sys

PATIENCE = 60.0


def code(name: str) -> str:
    """What a Python runs that is given the arguments of the command."""
    return f"from local_dream_conformance.client.{name} import {name}; {name}(prog_name='local-dream {name}')"


def run(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", code(name), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PATIENCE, env=environment or None
    )
