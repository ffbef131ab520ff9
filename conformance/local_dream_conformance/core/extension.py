"""The extensions of the contract: their names, and what people declare of a target with `--extension`."""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "extension:"
"""How the profile of an extension's requirements begins in the spec."""
SCHEDULERS = ("dpm_karras", "euler", "euler_karras", "euler_a_karras", "lcm", "dpm_sde", "dpm_sde_karras")
NAMES = ("formats", "size", "tokenize", "aspect_ratio", "cors", "schedulers", "busy", "upscaler-only")


@dataclass(frozen=True)
class Declared:
    """An extension that the target is said to have. `values` are schedulers, () for any other extension."""

    name: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name + (f"={','.join(self.values)}" if self.values else "")


def parse(text: str) -> Declared:
    """NAME, or schedulers=NAME,NAME. Raises ValueError."""
    name, equals, listed = text.strip().partition("=")
    if name not in NAMES:
        raise ValueError(f"give one of {', '.join(NAMES)}")
    values = tuple(dict.fromkeys(value.strip() for value in listed.split(","))) if equals else ()
    if name != "schedulers":
        if equals:
            raise ValueError(f"give {name} alone")
    elif not values or not set(values) <= set(SCHEDULERS):
        raise ValueError(f"give schedulers=NAME,NAME with some of {', '.join(SCHEDULERS)}")
    return Declared(name, values)


def of_profile(profile: str) -> str:
    """The name of the extension that a requirement's profile belongs to, "" where it is of none."""
    return profile.removeprefix(PREFIX) if profile.startswith(PREFIX) else ""
