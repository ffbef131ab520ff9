"""Settings of a run: one frozen value, and what of it may be shown. `options` says how people give it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from local_dream_conformance.core.address import Address
from local_dream_conformance.core.budget import Budget
from local_dream_conformance.core.extension import Declared

HIDDEN = "***"


@dataclass(frozen=True)
class Settings:
    """What a run needs to know. Times are in seconds, `size` is (width, height) in pixels.

    `size` and `steps` are None where the scenarios choose (the smallest that their checks allow). `upscaler_path` is a
    path on the target. `headers` are sent with every request and may hold tokens: print `public()`, never them.
    """

    url: str
    profile: str = "core"
    strict: bool = False
    size: tuple[int, int] | None = None
    steps: int | None = None
    upscaler_path: str | None = None
    img2img: bool = True
    idle_timeout: float = 120.0
    total_timeout: float = 900.0
    destructive: bool = False
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    budget: Budget = field(default_factory=Budget)
    seed: int = 1
    waivers: str | None = None
    """A file of waivers."""
    known: tuple[str, ...] = ()
    """Releases whose known deviations are waived."""

    extensions: tuple[Declared, ...] = ()
    """What the target is said to have: judged in every profile, and a failure where it is absent."""

    @property
    def declared(self) -> tuple[str, ...]:
        """The names of the extensions that the target is said to have."""
        return tuple(dict.fromkeys(extension.name for extension in self.extensions))

    def declares(self, extension: str) -> bool:
        """Whether the target is said to have an extension."""
        return extension in self.declared

    @property
    def schedulers(self) -> tuple[str, ...]:
        """The schedulers of the extension that the target is said to have."""
        return tuple(dict.fromkeys(value for extension in self.extensions for value in extension.values))

    @cached_property
    def address(self) -> Address:
        """Where the target listens."""
        return Address(self.url)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Strings that must not be printed, the longest first."""
        found = {value for _, value in self.headers} | self.address.secrets
        for _, value in self.headers:
            found.add(value.partition(" ")[2])  # "Bearer abc": a server may echo only "abc"
        return tuple(sorted((secret for secret in found if len(secret) > 3), key=len, reverse=True))

    def redact(self, text: str) -> str:
        """The text with every secret replaced: a target may echo a token in what a report quotes."""
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        return text

    def public(self) -> dict[str, Any]:
        """All settings as JSON values, without secrets."""
        return {
            "url": self.address.public,
            "profile": self.profile,
            "strict": self.strict,
            "size": None if self.size is None else "{}x{}".format(*self.size),
            "steps": self.steps,
            "upscaler_path": self.upscaler_path,
            "img2img": self.img2img,
            "idle_timeout": self.idle_timeout,
            "total_timeout": self.total_timeout,
            "destructive": self.destructive,
            "headers": [f"{name}: {HIDDEN}" for name, _ in self.headers],
            "budget": {"generations": self.budget.generations, "upscales": self.budget.upscales},
            "seed": self.seed,
            "waivers": self.waivers,
            "known": list(self.known),
            "extensions": [str(extension) for extension in self.extensions],
        }
