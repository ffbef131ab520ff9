"""The recorded releases 2.4.3, 2.7 and 2.8.1 of the real server, as personalities, each in its modes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from local_dream_mockserver.faults.emulated.deviations import breaks_of, discouraged_of
from local_dream_mockserver.faults.emulated.played import Release
from local_dream_mockserver.faults.emulated.release import PERSONALITIES, EmulatedRelease
from local_dream_mockserver.faults.emulated.version import V27, V243, Mode, Version
from local_dream_mockserver.server.extensions.remote_control import NAME as CONTROL

SENTENCES = {
    "2.4": "Local Dream 2.4.3 (April 2026), as recorded",
    "2.7": "Local Dream 2.7 (June 2026), as recorded: with `format` in events, output_format, preview_format, ultrafix"
    " and CORS",
    "2.8": "Local Dream 2.8.1 (July 2026), as recorded",
}
WITH_CONTROL = "2.8"
"""The one that has the control API."""
VERSIONS = {"2.4": V243, "2.7": V27, "2.8": V27}
MODES = {
    Mode.QNN: "",
    Mode.MNN: ", in its MNN mode: no previews, no ultrafix",
    Mode.SDXL: ", in its SDXL mode: every picture is 1024x1024",
    Mode.UPSCALER: ", in its upscaler mode: no model",
}


def _without(name: str, version: Version) -> tuple[str, ...]:
    """The extensions that a release does not have."""
    lacks = {"aspect_ratio", "reference_images"}
    lacks |= set() if name == WITH_CONTROL else {CONTROL}
    lacks |= set() if version.ultrafix else {"ultrafix"}
    lacks |= set() if version.cors else {"cors"}
    lacks |= set() if version.formats else {"formats"}
    return tuple(sorted(lacks))


def _declare() -> None:
    for name, version in VERSIONS.items():
        for mode in Mode:
            full = name if mode is Mode.QNN else f"{name}-{mode}"
            PERSONALITIES[full] = EmulatedRelease(
                name=full,
                sentence=f"{SENTENCES[name]}{MODES[mode]}.",
                make=partial(Release, version, mode),
                mode="" if mode is Mode.QNN else mode,
                without=_without(name, version),
                breaks=breaks_of(version, mode),
                discouraged=discouraged_of(version, mode),
            )


_declare()


def personalities() -> Mapping[str, EmulatedRelease]:
    """All of them by name."""
    return dict(sorted(PERSONALITIES.items()))
