"""The contract: every requirement of spec/openapi.yaml, with its level, profile, source and sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
SOURCES = ("seed", "interop", "hardening", "extension")
ID = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*-[0-9]{2,3}")
EXTENSION = "extension:"
"""How the profile of an extension's requirements begins."""
KEYS = {"id", "level", "profile", "source", "text", "group", "clause", "unjudged"}


class BadContract(ValueError):
    """The spec cannot be read as a contract; the message says where and why."""


class Level(StrEnum):
    """RFC 2119."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


@dataclass(frozen=True)
class Requirement:
    """One normative sentence.

    `operation` is "POST /generate" and the like, "" for what binds the server as a whole. `clause` quotes the seed
    document, and `translation` is the clause in English, "" where it is in English already. `unjudged` is the reason
    why it cannot be judged from outside, "" where it can.
    """

    id: str
    level: Level
    profile: str
    source: str
    text: str
    group: str
    operation: str = ""
    clause: str = ""
    translation: str = ""
    unjudged: str = ""


@dataclass(frozen=True)
class Contract:
    """The spec and its requirements, in the order of the file."""

    version: str
    requirements: tuple[Requirement, ...]
    document: Mapping[str, Any]
    source: str = ""
    """The text of the spec file."""

    @cached_property
    def by_id(self) -> dict[str, Requirement]:
        return {requirement.id: requirement for requirement in self.requirements}

    def in_profile(self, profile: str, extensions: Iterable[str] = ()) -> tuple[Requirement, ...]:
        """The requirements of a profile: hardened includes core, all includes both and every extension.

        `extensions` are names of extensions that are included in any case.
        """
        if profile not in ("core", "hardened"):
            return self.requirements
        wanted = {"core", profile, *(EXTENSION + name for name in extensions)}
        return tuple(r for r in self.requirements if r.profile in wanted)


def text() -> str:
    """The text of the spec: of the checkout where this is one, else the one installed with the package."""
    beside = Path(__file__).resolve().parents[3] / "spec" / "openapi.yaml"
    try:
        if beside.is_file():
            return beside.read_text(encoding="utf-8")
        return (resources.files("local_dream_spec") / "openapi.yaml").read_text(encoding="utf-8")
    except (OSError, ModuleNotFoundError, UnicodeDecodeError) as error:
        raise BadContract(f"the spec cannot be read: {error}") from None


def of_profile(profile: str) -> str:
    """The name of the extension that a requirement's profile belongs to, "" where it is of none."""
    return profile.removeprefix(EXTENSION) if profile.startswith(EXTENSION) else ""


@cache
def load(source: str | None = None) -> Contract:
    """The contract from a spec's text, by default the project's own. Raises BadContract."""
    source = text() if source is None else source
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = yaml.load(source, Loader=loader)
    except yaml.YAMLError as error:
        raise BadContract(f"the spec is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise BadContract("the spec is no OpenAPI document: it has no paths")
    requirements = tuple(_translated(requirement, document) for requirement in _requirements(document))
    seen: set[str] = set()
    for requirement in requirements:
        if requirement.id in seen:
            raise BadContract(f"the spec has two requirements {requirement.id}")
        seen.add(requirement.id)
    if not requirements:
        raise BadContract("the spec has no x-requirements")
    return Contract(str(document.get("info", {}).get("version", "")), requirements, document, source)


def _requirements(document: Mapping[str, Any]) -> Iterator[Requirement]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                operation = f"{method.upper()} {path}"
                for entry in item[method].get("x-requirements", ()):
                    yield _requirement(entry, operation)
    for entry in document.get("x-requirements", ()):
        yield _requirement(entry, "")


def _translated(requirement: Requirement, document: Mapping[str, Any]) -> Requirement:
    """The requirement with its clause in English, where parts of that are in another language."""
    english: Mapping[str, str] = document.get("x-clause-translations", {})
    parts = requirement.clause.split("; ")
    if not any(part in english for part in parts):
        return requirement
    return replace(requirement, translation="; ".join(english.get(part, part) for part in parts))


def _requirement(entry: Any, operation: str) -> Requirement:
    where = f"{entry.get('id', entry) if isinstance(entry, dict) else entry!r} ({operation or 'server'})"
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise BadContract(f"requirement {where}: must be a mapping of texts")
    if unknown := entry.keys() - KEYS:
        raise BadContract(f"requirement {where}: unknown key {sorted(unknown)[0]}")
    if missing := {"id", "level", "profile", "source", "text", "group"} - entry.keys():
        raise BadContract(f"requirement {where}: {sorted(missing)[0]} is missing")
    if not ID.fullmatch(entry["id"]):
        raise BadContract(f"requirement {where}: the id must look like GEN-SSE-07")
    if entry["level"] not in Level.__members__:
        raise BadContract(f"requirement {where}: the level must be MUST, SHOULD or MAY")
    if entry["profile"] not in ("core", "hardened") and not re.fullmatch(r"extension:[a-z_-]+", entry["profile"]):
        raise BadContract(f"requirement {where}: the profile must be core, hardened or extension:NAME")
    if entry["source"] not in SOURCES:
        raise BadContract(f"requirement {where}: the source must be one of {', '.join(SOURCES)}")
    words = {key: " ".join(value.split()) for key, value in entry.items()}
    return Requirement(**{**words, "level": Level(words["level"])}, operation=operation)  # type: ignore[arg-type]
