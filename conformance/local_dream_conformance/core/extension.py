"""The extensions of the contract: their names, and what people declare of a target with `--extension`."""

from __future__ import annotations

from dataclasses import dataclass

CONTROL = "control"
"""The one that has an address of its own."""
NAMES = (
    *("formats", "size", "tokenize", "aspect_ratio", "cors", "schedulers", "prompt_weights"),
    *("ultrafix", "reference_images", "busy", "upscaler-only", CONTROL),
)


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
    from local_dream_conformance.core.fields import added_schedulers  # reads the spec: not where nothing is declared

    values = tuple(dict.fromkeys(value.strip() for value in listed.split(","))) if equals else ()
    if name != "schedulers":
        if equals:
            raise ValueError(f"give {name} alone")
    elif not values or not set(values) <= set(added_schedulers()):
        raise ValueError(f"give schedulers=NAME,NAME with some of {', '.join(added_schedulers())}")
    return Declared(name, values)
