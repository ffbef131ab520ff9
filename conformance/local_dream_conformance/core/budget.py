"""What a run may cost the target: accepted calls, and the most of them that are allowed."""

from __future__ import annotations

from dataclasses import dataclass

from local_dream_conformance.core.exchange import GENERATE, UPSCALE, Request


@dataclass(frozen=True, slots=True)
class Cost:
    """Accepted calls that occupy the target's accelerator. Refused requests and /health cost nothing."""

    generations: int = 0
    upscales: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.generations + other.generations, self.upscales + other.upscales)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.generations - other.generations, self.upscales - other.upscales)


@dataclass(frozen=True, slots=True)
class Budget:
    """The most generations and upscales that a run may cost the target; None is no limit."""

    generations: int | None = None
    upscales: int | None = None

    def allows(self, cost: Cost) -> bool:
        """Whether a total cost is within the budget."""
        return (self.generations is None or cost.generations <= self.generations) and (
            self.upscales is None or cost.upscales <= self.upscales
        )


UNLIMITED = Budget()


def most(request: Request) -> Cost:
    """What a request costs a target that accepts it, whatever is wrong with it. Bytes that are no HTTP request of ours
    (method "") are read as a server would that takes them for one."""
    method, target = request.method, request.target
    if not method:
        words = request.body.partition(b"\r\n")[0].decode("latin-1").split()
        method, target = (words[0], words[1]) if len(words) == 3 else ("", "")
    named = f"{method} /{target.partition('?')[0].rpartition('/')[2]}"
    return Cost(generations=int(named == GENERATE), upscales=int(named == UPSCALE))


def describe(cost: Cost) -> str:
    """A cost in words."""
    parts = [counted(cost.generations, "generation")] if cost.generations else []
    parts += [counted(cost.upscales, "upscale")] if cost.upscales else []
    return " and ".join(parts) or "nothing"


def spelled(budget: Budget) -> str:
    """A budget as the option --budget has it."""
    limits = {"generate": budget.generations, "upscale": budget.upscales}
    return ",".join(f"{name}={limit}" for name, limit in limits.items() if limit is not None)


def counted(count: int, noun: str) -> str:
    """A number of things in words."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
