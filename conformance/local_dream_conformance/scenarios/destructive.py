"""What is known to have killed servers: all such requests stand here, each with what it did, and nowhere else.

They are sent only with --destructive, and then after everything else. Whoever adds a request that can end a server adds
it here; a request that only ought to be refused belongs to the series of its kind.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import Exchange, Request
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence.extensions import makes_ratio, makes_size
from local_dream_conformance.evidence.spending import spent_on
from local_dream_conformance.http.running import first_event
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.requests import Body, generate, upscale
from local_dream_conformance.scenarios.scenario import Scenario
from local_dream_conformance.scenarios.series import one_by_one
from local_dream_conformance.scenarios.test_images import card
from local_dream_conformance.scenarios.upscales import SIZE, path_on_target

NAME = "destructive"
ENDLESS = 2**31 - 1
WIDEST = 2**31 - 8
OVERFLOWING = 2**16
"""Squared and times three it is 0 in 32 bits."""
SMALLEST_SAFE = 64
"""Smaller sides than this are left to the requests here: releases made no difference between them and 0."""
LARGEST_SAFE = 1024
"""Sides of upscales up to this do not overflow anything."""
NUMBER = re.compile(r"\s*[+-]?[0-9]+")
"""As far as readers get that stop at what they do not know."""
STEPS_TO_ABANDON = 8

PIXELLESS = "Local Dream 2.3.3 and 2.4.3 begin a picture without a pixel, and die after somebody hangs up on it"
ALIKE = "whoever reads it as a size of 0 makes a picture without a pixel"
UNALLOCATED = "Local Dream 2.4.3, 2.7 and 2.8.1 cannot allocate it and die"


@dataclass(frozen=True)
class Danger:
    """A request, and what it did to whom. `label` is its label in the run; what comes after the name of the scenario is
    that of the series to which it would belong. `also` says whether it makes sense at this target."""

    label: str
    request: Callable[[Settings], Request]
    did: str
    also: Callable[[Target], bool] = lambda target: True


def _plain(**changed: object) -> Callable[[Settings], Request]:
    """The plain request in one step, with changes."""
    return lambda settings: generate({**requests.plain(settings), "steps": 1, **changed})


def _sized(width: int, height: int, body: bytes) -> Callable[[Settings], Request]:
    return lambda settings: upscale(width, height, path_on_target(settings), body)


def _has_size(target: Target) -> bool:
    shown = _recorded(target, "size", "size/square")
    return shown is not None and makes_size(shown)


def _has_ratio(target: Target) -> bool:
    shown = _recorded(target, "aspect-ratio", "aspect-ratio/portrait")
    return shown is not None and makes_ratio(shown, _recorded(target, "base", "base"))


def _recorded(target: Target, scenario: str, label: str) -> Exchange | None:
    transcript = target.transcript(scenario)
    found = [exchange for exchange in transcript.exchanges if exchange.label == label] if transcript else []
    return found[0] if found else None


DANGERS = (
    Danger(
        f"{NAME}/upscale-range/width-negative",
        _sized(-SIZE[0], SIZE[1], card(*SIZE).tobytes()),
        "as both of them negative",
    ),
    Danger(
        f"{NAME}/upscale-range/both-negative",
        _sized(-4, -4, card(4, 4).tobytes()),
        "Local Dream 2.7 takes -4 x -4 for 16 pixels and dies",
    ),
    Danger(
        f"{NAME}/upscale-range/size-overflow",
        _sized(OVERFLOWING, OVERFLOWING, b""),
        "Local Dream 2.4.3 reckons the size in 32 bits, finds that it fits and dies",
    ),
    Danger(f"{NAME}/range/width-zero", _plain(width=0), PIXELLESS),
    Danger(f"{NAME}/range/height-zero", _plain(height=0), PIXELLESS),
    Danger(f"{NAME}/size/zero", _plain(size=0), ALIKE, _has_size),
    Danger(f"{NAME}/aspect-ratio/zero", _plain(aspect_ratio="0:1"), ALIKE, _has_ratio),
    Danger(f"{NAME}/range/width-negative", _plain(width=-8), UNALLOCATED),
    Danger(f"{NAME}/range/height-negative", _plain(height=-8), UNALLOCATED),
    Danger(f"{NAME}/range/width-huge", _plain(width=WIDEST), "no memory holds it, and systems kill who asks for it"),
    Danger(f"{NAME}/range/steps-huge", _plain(steps=ENDLESS), "where it is accepted it keeps the engine for years"),
)
HUNG_UP = f"{NAME}/hung-up"
REASONS = {danger.label: f"asked only with --destructive: {danger.did}" for danger in DANGERS}
"""Why a request was not sent in a run without --destructive, by its label."""


def is_safe_size(value: object) -> bool:
    """Whether a value of a wrong type may be sent as width or height without --destructive: a reader that makes a
    number of it gets none that has killed servers."""
    if isinstance(value, list) and len(value) == 1:
        return is_safe_size(value[0])  # JavaScript takes it for its element
    read = _numbers_read(value) if isinstance(value, str) else (value,)
    return all(
        not isinstance(one, bool | int | float) or SMALLEST_SAFE <= one <= 2 * requests.SMALLEST[0] for one in read
    )


def is_safe_edge(text: str) -> bool:
    """The same of a header with the width or height of an upscale that is no integer."""
    return all(0 <= one <= LARGEST_SAFE for one in _numbers_read(text))


def _numbers_read(text: str) -> tuple[float, ...]:
    """What readers make of a text that need not be a number: some read as far as they can, some all or nothing."""
    begins = NUMBER.match(text)
    found = [float(begins[0])] if begins else []
    with contextlib.suppress(ValueError):
        found.append(float(text))
    return tuple(-1.0 if math.isnan(one) else one for one in found)


def _destructive(target: Target) -> Iterator[Exchange]:
    """Costs nothing at a server that refuses them all. What has killed servers, the worst last.

    Where a picture without width is accepted, it is asked for again and hung up on in mid-stream, and a generation
    follows (destructive/hung-up, destructive/next): Local Dream 2.3.3 and 2.4.3 die of the two together.
    """
    settings = target.settings
    accepted = False
    for exchange in one_by_one(target, _cases(target)):
        accepted |= exchange.label == f"{NAME}/range/width-zero" and spent_on(exchange) != Cost()
        yield exchange
    if accepted:
        plain = requests.plain(settings)
        abandoned: Body = {**plain, "width": 0, "steps": STEPS_TO_ABANDON}
        yield target.send(HUNG_UP, generate(abandoned), stop_when=first_event())
        yield target.send(f"{NAME}/next", generate(plain))
    yield target.send(f"{NAME}/health", requests.HEALTH)


def _cases(target: Target) -> Iterator[tuple[str, Request]]:
    for danger in DANGERS:
        if danger.also(target):
            yield danger.label, danger.request(target.settings)


def _not_asked_for(settings: Settings) -> str | None:
    return None if settings.destructive else "--destructive is not given: these requests have killed servers"


SCENARIO = Scenario(NAME, Cost(), _destructive, available=_not_asked_for)
