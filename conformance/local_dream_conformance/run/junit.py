"""pytest's JUnit file: whole or not at all, one line where it could not be written, and what our causes add to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_dream_conformance.report import breakage
from local_dream_conformance.report.writers import Outputs
from local_dream_conformance.result.result import EXIT, Outcome, Result


def add_causes(config: pytest.Config, result: Result) -> None:
    """Gives pytest's JUnit file a property for each cause that several requirements share."""
    for plugin in config.pluginmanager.get_plugins():
        if hasattr(plugin, "add_global_property"):
            for number, line in enumerate(breakage.shared(result), 1):
                plugin.add_global_property(f"broken-{number}", line)


class WholeJunit:
    """Stands closest around what pytest does at the end of a session, so that the summary comes in any case."""

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        with self._outputs.junit(session.config):
            yield
        if self._outputs.failed and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = EXIT[Outcome.SUITE_ERROR]
        return None
