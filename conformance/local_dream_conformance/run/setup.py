"""What a run is to judge, before anything is asked: the target or the recording, the settings, the suite, waivers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from local_dream_conformance.core import settings_sources
from local_dream_conformance.core.contract import BadContract
from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.recordings.recording import Recording
from local_dream_conformance.result import known, waiver_file
from local_dream_conformance.result.waiver import Waiver
from local_dream_conformance.result.waiver_file import BadWaivers
from local_dream_conformance.run import replay
from local_dream_conformance.run.server_process import SERVERS
from local_dream_conformance.run.suite import Suite


@dataclass(frozen=True)
class Setup:
    """`launched` names the suite's own server that is judged, "" for any other target; `recording` is what a replay
    judges, None for a run at a target. `waivers` are by requirement id.
    """

    settings: Settings
    launched: str
    recording: Recording | None
    suite: Suite
    waivers: Mapping[str, Waiver]

    @property
    def target(self) -> str:
        """What is judged, in words."""
        named = f"{self.launched} (our own server)" if self.launched else self.settings.address.public
        if self.recording is not None:
            named += f", recorded {self.recording.started or 'earlier'}"
        return named


def make(config: pytest.Config, target: str | None, given: Mapping[str, Any], environment: Mapping[str, str]) -> Setup:
    """The set-up of the run that the command line asks for; without a target that of a replay. Raises BadSetting."""
    recording: Recording | None = None
    if target is None:
        recording = replay.load(Path(config.option.local_dream_replay))
        launched, settings = recording.launched, replay.settings(recording, given)
    else:
        launched = target if target in SERVERS else ""
        file, origin = settings_sources.find_file(config.invocation_params.dir)
        url = target if launched else settings_sources.address(target)
        settings = settings_sources.resolve(url, given, environment, file, origin)
        if launched and settings.upscaler_path is None:
            settings = replace(settings, upscaler_path=SERVERS[launched].upscaler_path)
    try:
        suite: Suite = config.hook.pytest_local_dream_suite(config=config)
        return Setup(settings, launched, recording, suite, _waivers(settings, suite))
    except (BadContract, BadWaivers) as error:
        raise BadSetting(str(error)) from None


def _waivers(settings: Settings, suite: Suite) -> dict[str, Waiver]:
    """A file's own waivers before the deviations that are known. Raises BadWaivers, BadSetting."""
    found: dict[str, Waiver] = {}
    for name in settings.known:
        found |= known.load(name)
    if settings.waivers is not None:
        found |= waiver_file.load(Path(settings.waivers), suite.contract)
    return found
