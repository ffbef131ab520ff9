"""Progress on a terminal: which probe the target is working on. Silent where the output is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from conformance.plan import Plan
from conformance.probe import Probe

SAVE, RESTORE, ERASE = "\x1b7", "\x1b8", "\x1b[K"


def watch(config: pytest.Config, plan: Plan) -> Callable[[Probe], AbstractContextManager[None]]:
    """A context for the time in which a probe is made, which says so after what the terminal line already holds."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    capture: Any = config.pluginmanager.get_plugin("capturemanager")

    def write(text: str) -> None:
        if reporter is None or not reporter.isatty:
            return
        writer = reporter._tw
        room = writer.fullwidth - writer.width_of_current_line - 1
        if room < len(text):
            text = ""
        if capture is None:
            writer.write_raw(SAVE + text + ERASE + RESTORE, flush=True)
        else:
            with capture.global_and_fixture_disabled():
                writer.write_raw(SAVE + text + ERASE + RESTORE, flush=True)

    @contextmanager
    def say(probe: Probe) -> Iterator[None]:
        number = 1 + [planned.name for planned in plan.probes].index(probe.name)
        write(f"  [probe {number} of {len(plan.probes)}: {probe.name}]")
        try:
            yield
        finally:
            write("")

    return say
