"""What is known to have killed servers, written down apart from the suite: by what a request is, not by its label.

The readers are as generous as the worst of the servers: booleans and fractions are numbers, texts are read as far as
they are one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from local_dream_conformance.core.exchange import End, Exchange
from local_dream_conformance.evidence.selectors import fields

NO_PIXELS = 8
"""Sides below this have no latent pixel."""
MOST_PIXELS = 2048 * 2048
"""More than any server is asked for, and less than phones run out of memory with."""
MOST_STEPS = 1000
NUMBER = re.compile(r"\s*([+-]?[0-9]+)")
INT = range(-(2**31), 2**31)
ABANDONED = ("hang-up/abandoned", "hang-up/abandoned-again", "queue/left")
"""What is hung up on since a requirement is about that: ROB-03, ROB-04 and ROB-13."""
WHILE_IT_LASTS = ("hang-up/", "overlap/", "queue/")
"""Prefixes of what is sent while a server may still work on what was left of a generation."""


@dataclass(frozen=True)
class Killer:
    """A kind of requests that has killed `whom`. `found` gives the labels of those among what was sent, in order."""

    what: str
    whom: str
    found: Callable[[Sequence[Exchange]], Iterator[str]]


def read(value: Any) -> float | None:
    """What a careless reader makes of a JSON value, None where nothing."""
    if isinstance(value, str):
        begins = NUMBER.match(value)
        return float(begins[1]) if begins else None
    return value if isinstance(value, bool | int | float) else None


def sides(exchange: Exchange) -> list[float]:
    """The sides of a picture that a request asks for, as far as it says."""
    sent = fields(exchange.request) if exchange.operation == "POST /generate" else {}
    return [side for side in (read(sent.get(name)) for name in ("width", "height", "size")) if side is not None]


def pixels(exchange: Exchange) -> float:
    """Of the picture that a request asks for; what it leaves out is 512."""
    sent = fields(exchange.request)
    width, height = (read(sent.get(name, 512)) or 0 for name in ("width", "height"))
    return width * height


def upscaled(exchange: Exchange) -> tuple[int, int] | None:
    """The size of an upscale as std::stoi reads it, None where it refuses that itself."""
    if exchange.operation != "POST /upscale":
        return None
    texts = (exchange.request.header(name) or "" for name in ("X-Image-Width", "X-Image-Height"))
    found = [int(begins[1]) for text in texts if (begins := NUMBER.match(text)) and int(begins[1]) in INT]
    return (found[0], found[1]) if len(found) == 2 else None


def each(kills: Callable[[Exchange], bool]) -> Callable[[Sequence[Exchange]], Iterator[str]]:
    """Of requests that kill whatever came before them."""
    return lambda sent: (exchange.label for exchange in sent if kills(exchange))


def _ratio_of_nothing(exchange: Exchange) -> bool:
    ratio = fields(exchange.request).get("aspect_ratio") if exchange.operation == "POST /generate" else None
    return isinstance(ratio, str) and bool(re.match(r"\s*0*:|.*:\s*0*\s*$", ratio))


def _overflows(exchange: Exchange) -> bool:
    size = upscaled(exchange)
    if size is None or min(size) < 0:
        return False
    wanted = size[0] * size[1] * 3
    return wanted != wanted % 2**32 == len(exchange.request.body)


def _left_of_wrong_streams(sent: Sequence[Exchange]) -> Iterator[str]:
    return (one.label for one in sent if one.end is End.HUNG_UP and one.status == 200 and one.label not in ABANDONED)


def _outgrown(sent: Sequence[Exchange]) -> Iterator[str]:
    """The request after an abandoned one has its size; no later one is larger while it may still be worked on."""
    left: Exchange | None = None
    is_next = False
    for one in sent:
        if one.operation != "POST /generate" or "prompt" not in fields(one.request):
            continue
        if left is not None and one.label.startswith(WHILE_IT_LASTS):
            mine, its = fields(one.request), fields(left.request)
            same = all(mine.get(side) == its.get(side) for side in ("width", "height"))
            if (is_next and not same) or pixels(one) > pixels(left):
                yield one.label
            is_next = False
        if one.end is End.HUNG_UP and one.status == 200:
            left, is_next = one, True


def _stops(sent: Sequence[Exchange]) -> Iterator[str]:
    """A stop by the control API of what was ever said to run, or of nothing, which means whatever runs."""
    asked = [one for one in sent if one.on_control]
    ran = [_said(one).get("serving_model_id") for one in asked if one.request.target == "/status"]
    for one in (one for one in asked if one.request.target == "/stop"):
        model = fields(one.request).get("model_id")
        if not isinstance(model, str) or not model or model in ran:
            yield one.label


def _said(exchange: Exchange) -> dict[str, Any]:
    try:
        found = json.loads(exchange.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _selects(sent: Sequence[Exchange]) -> Iterator[str]:
    """A selection by the control API of another model that is there: it takes the place of what runs."""
    asked = [one for one in sent if one.on_control]
    listed = {
        model.get("id") for one in asked if one.request.target == "/models" for model in _said(one).get("models", ())
    }
    ran = next((_said(one).get("serving_model_id") for one in asked if one.label == "control/status"), None)
    for one in asked:
        model = fields(one.request).get("model_id") if one.request.target == "/select" else None
        if model in listed and model != ran:
            yield one.label


KILLERS = (
    Killer(
        "a picture without a pixel, left in mid-stream or overlapped",
        "2.3.3, 2.4.3 and two forks",
        each(lambda one: any(0 <= side < NO_PIXELS for side in sides(one))),
    ),
    Killer("a negative size", "2.4.3, 2.7.0, 2.8.1", each(lambda one: any(side < 0 for side in sides(one)))),
    Killer("a shape without a side", "whoever reads it as a size of 0", each(_ratio_of_nothing)),
    Killer(
        "a picture that fits no memory",
        "phones, by their memory",
        each(lambda one: bool(sides(one)) and pixels(one) > MOST_PIXELS),
    ),
    Killer(
        "steps for years",
        "engines that serve one at a time",
        each(lambda one: (read(fields(one.request).get("steps")) or 0) > MOST_STEPS),
    ),
    Killer("an upscale of negative size", "2.4.3, 2.7.0, 2.8.1", each(lambda one: min(upscaled(one) or (0,)) < 0)),
    Killer("an upscale whose size overflows 32 bits", "2.4.3", each(_overflows)),
    Killer(
        "a hang-up on a stream that should have been refused, or on any but the one that a requirement is about",
        "2.3.3, 2.4.3 and two forks",
        _left_of_wrong_streams,
    ),
    Killer("another size, or a larger one, beside what was left of a generation", "2.3.3, 2.4.3", _outgrown),
    Killer("a stop of what runs, or of nothing", "2.8.1, whose model it stops", _stops),
    Killer("a selection of another model", "2.8.1, whose model it stops", _selects),
)
