"""What a request does that a server need not take."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing in a request that the contract does not let a client count on.

    `requirement` is the id of the sentence in `spec/openapi.yaml` that says how a server answers it (mostly: refuses
    it), or None where no sentence speaks of it. `field` is a field of the JSON, a header, "body", "path" or "method".
    `message` is one line that says what came and what to send; it quotes no prompt.
    """

    requirement: str | None
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.requirement or 'no requirement'}: {self.field}: {self.message}"

    def as_json(self) -> dict[str, str | None]:
        return asdict(self)
