"""Known deviations: what released servers break, as data that ships with the suite. One TOML file per release.

`evidence` says how a deviation is known: "recording" where the recordings of the release show it, "source" where its
source code does, and no recording holds such a request.
"""

from __future__ import annotations

import tomllib
from importlib import resources

from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.result.waiver import Waiver

SUFFIX = ".toml"


def names() -> list[str]:
    """The releases, in alphabetical order."""
    files = resources.files(__name__).iterdir()
    return sorted(file.name.removesuffix(SUFFIX) for file in files if file.name.endswith(SUFFIX))


def load(name: str) -> dict[str, Waiver]:
    """The deviations of a release by requirement id. Raises BadSetting for a release that is not known."""
    if name not in names():
        raise BadSetting(f"--known: {name!r}: give one of {', '.join(names())}")
    document = tomllib.loads((resources.files(__name__) / f"{name}{SUFFIX}").read_text(encoding="utf-8"))
    return {
        entry["id"]: Waiver(entry["id"], entry["reason"], f"known in {document['release']}", known=True)
        for entry in document["deviation"]
    }
