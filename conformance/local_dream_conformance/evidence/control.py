"""What answers of the control API say. Pure functions of exchanges, read by scenarios and by checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_dream_conformance.core import strict_json
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.strict_json import integer
from local_dream_conformance.evidence.selectors import ending

READ = 1 << 20
"""Answers are not read beyond this many bytes."""
APP = "localdream"
UPSCALER = "__upscaler__"
"""What serves where upscaling alone was selected."""
RUNNING, STARTING = "running", "starting"


@dataclass(frozen=True)
class Said:
    """The JSON object of an answer; `problem` says why it is none. Whatever the status."""

    values: dict[str, Any]
    problem: str = ""


def said(exchange: Exchange) -> Said:
    """What an answer says."""
    if exchange.status is None:
        return Said({}, "no answer")
    parsed = strict_json.parse(exchange.body[:READ])
    if parsed.problem and exchange.is_cut:
        return Said({}, f"{exchange.size} bytes, {ending(exchange)}")
    if not isinstance(parsed.value, dict):
        return Said({}, parsed.problem or "no JSON object")
    return Said(parsed.value)


def is_control(exchange: Exchange) -> bool:
    """Whether GET /info shows a control API."""
    return exchange.status == 200 and said(exchange).values.get("app") == APP


def models(exchange: Exchange) -> list[dict[str, Any]]:
    """The models of GET /models, as far as they are objects."""
    return _objects(exchange, "models")


def upscalers(exchange: Exchange) -> list[dict[str, Any]]:
    """The upscalers of GET /models, as far as they are objects."""
    return _objects(exchange, "upscalers")


def _objects(exchange: Exchange, name: str) -> list[dict[str, Any]]:
    found = said(exchange).values.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def ids(exchange: Exchange) -> list[str]:
    """The ids of GET /models that name something."""
    found = [model.get("id") for model in models(exchange)]
    return [id for id in found if isinstance(id, str) and id and id != UPSCALER]


@dataclass(frozen=True)
class Serving:
    """What runs: a model, at a width and height in pixels."""

    model: str
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.model} at {self.width}x{self.height}"


def state(exchange: Exchange) -> str:
    """The state of GET /status, "" where it says none."""
    found = said(exchange).values.get("state") if exchange.status == 200 else None
    return found if isinstance(found, str) else ""


def upscales(exchange: Exchange) -> bool:
    """Whether upscaling alone runs, by GET /status."""
    return state(exchange) == RUNNING and said(exchange).values.get("serving_model_id") == UPSCALER


def serving(exchange: Exchange) -> Serving | None:
    """What runs by GET /status, with all that says it; None where nothing runs or something is not said."""
    values = said(exchange).values
    model, width, height = values.get("serving_model_id"), integer(values.get("width")), integer(values.get("height"))
    if state(exchange) != RUNNING or not isinstance(model, str) or not model or width is None or height is None:
        return None
    return Serving(model, width, height)
