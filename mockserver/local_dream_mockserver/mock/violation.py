"""What a request does that a server need not take."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing in a request that the contract does not let a client count on.

    `requirement` is the id of the sentence in `spec/openapi.yaml` that says how a server answers it (mostly: refuses
    it), or None where no sentence speaks of it. `field` is a field of the JSON, a header, "body", "path" or "method".
    `message` is one line that says what came and what to send; it quotes no prompt. `releases` are those of the
    original server that it concerns, where it concerns them in particular: here it may work all the same. `request` is
    the number in the journal of the request that it is in, 0 where it is in none.
    """

    requirement: str | None
    field: str
    message: str
    releases: tuple[str, ...] = ()
    request: int = 0

    def __str__(self) -> str:
        where = f"request {self.request}: " if self.request else ""
        concerns = f" (Local Dream {', '.join(self.releases)})" if self.releases else ""
        return f"{where}{self.requirement or 'no requirement'}: {self.field}: {self.message}{concerns}"

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "releases": list(self.releases)}
