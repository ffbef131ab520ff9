"""Known deviations: what released servers break, as data that ships with the suite. One TOML file per release.

A deviation names a requirement by its `id`, or with `fields` the requirements that speak of these keywords of the
fields of POST /generate (see `info.description` of the spec), but of those in `but`: a field that the contract gains is
among them. `like` takes over the deviations of another release. `modes` says in which modes of the release it shows
("model": in those that have a model); without, in all. `destructive` is set where only `--destructive` shows it,
`kills` where nothing but the death of the server does. `link` leads to what upstream says.

`evidence` says how a deviation is known: "recording" where the recordings of the release (tests/recordings) show it,
"answers" where its recorded answers (tests/releases) do, "run" where the suite found it in the release itself, "source"
where its source code shows it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from local_dream_conformance.core import fields
from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.result.waiver import Waiver

SUFFIX = ".toml"
UPSCALER = "upscaler"
MODES = ("qnn", "mnn", "sdxl", UPSCALER)
"""What a release can be started for. `--known RELEASE/MODE` waives what shows in that mode, `RELEASE` all."""


def names() -> list[str]:
    """The releases, in alphabetical order."""
    files = resources.files(__name__).iterdir()
    return sorted(file.name.removesuffix(SUFFIX) for file in files if file.name.endswith(SUFFIX))


def load(name: str) -> dict[str, Waiver]:
    """The deviations of a release, `NAME` or `NAME/MODE`, by requirement id. Raises BadSetting for one that is not
    known."""
    release, slash, mode = name.partition("/")
    if release not in names():
        raise BadSetting(f"--known: {name!r}: give one of {', '.join(names())}")
    if slash and mode not in MODES:
        raise BadSetting(f"--known: {name!r}: {release} has no mode {mode!r}; give one of {', '.join(MODES)}, or none")
    source = f"known in {document(release)['release']}"
    found: dict[str, Waiver] = {}
    for entry in deviations(release):
        if not mode or mode in modes_of(entry):
            link = f" ({entry['link']})" if "link" in entry else ""
            found.setdefault(entry["id"], Waiver(entry["id"], entry["reason"] + link, source, known=True))
    return found


def deviations(release: str) -> Iterator[Mapping[str, Any]]:
    """What the file of a release says, each with an `id`."""
    content = document(release)
    for entry in content.get("deviation", ()):
        yield from _each(entry)
    if "like" in content:
        yield from deviations(content["like"])


def modes_of(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The modes in which a deviation shows."""
    named = entry.get("modes", MODES)
    return tuple(mode for mode in MODES if mode in named or ("model" in named and mode != UPSCALER))


def document(release: str) -> Mapping[str, Any]:
    """The file of a release as it stands."""
    return tomllib.loads((resources.files(__name__) / f"{release}{SUFFIX}").read_text(encoding="utf-8"))


def _each(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The entry for each requirement that it is about."""
    if "id" in entry:
        yield entry
        return
    for name, field in fields.documented().items():
        ids = {id for keyword, id in field.ids.items() if keyword in entry["fields"]}
        if name not in entry.get("but", ()):
            for id in sorted(ids):
                yield {**entry, "id": id, "reason": entry["reason"].format(field=name)}
