"""Three clients at once, one of which hangs up while it waits for its turn."""

from __future__ import annotations

from collections.abc import Iterator

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import BUSY, Exchange
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.drafts import Draft
from local_dream_conformance.scenarios.lasting import begin, pace, steps_to_last
from local_dream_conformance.scenarios.scenario import Scenario
from local_dream_conformance.scenarios.series import labelled, patiently

LASTING = 1.0
"""Seconds that the first should last, so that the others come while it runs."""
PREVIEWS = 12
"""Of the first at least: more than generations of few steps have."""
MEANWHILE = 0.2
"""Seconds in which a request arrives, and a server that has room for it begins."""


def _queue(target: Target) -> Iterator[Exchange]:
    """Three generations: while the first streams a second and a third are begun, the second hangs up, and the third
    must get its picture.

    The first has the most steps, since it must last, and twelve previews or more; the third is base without a seed, as
    the first is: a seed that a server picks by the time of day, or by that of the generation before (as of `base` for
    `defaults`, of `nulls` for the first), comes twice. Label of a refusal of the third while the first runs:
    queue/third-busy (409, 429 or 503; queue/third is then the retry afterwards).
    """
    settings = target.settings
    plain = Draft({**requests.plain(settings), "show_diffusion_process": True})
    steps = max(PREVIEWS, steps_to_last(pace(target), LASTING))
    bare = plain.without("seed")
    long = bare.with_fields(steps=steps, show_diffusion_stride=steps // PREVIEWS)
    first, streams = begin(target, "queue/first", long)
    if not streams:
        yield first.result()
        return
    left = target.begin("queue/left", plain.with_fields(steps=steps + 1).request())
    left.wait_for_another(MEANWHILE)
    third = target.begin("queue/third", bare.request())
    third.wait_for_another(MEANWHILE)
    left.hang_up()
    answer = third.result()
    yield first.result()
    yield left.result()
    if answer.status in BUSY:
        yield labelled(answer, "queue/third-busy")
        answer = patiently(target, lambda: target.send("queue/third", bare.request()))
    yield answer
    yield target.send("queue/health", requests.HEALTH)


SCENARIO = Scenario("queue", Cost(generations=3), _queue, after=("base",))
