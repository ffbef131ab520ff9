"""All scenarios, in the order in which they run. SCENARIOS maps a name to its Scenario; docs/scenarios.md shows what
each sends (made by `python -m tests.scenarios_page`).

A scenario that wants a generation with something unusual in it (nulls, a chunked body, unknown fields) sends that first
and, where it is refused, plainer requests after it. A refusal is free; it is kept under the label of what was unusual,
and the scenario's main label always names the exchange that was accepted (or the last one refused). A series (refuse,
range, ...) ends early where three of its requests got no answer at all.

Refusals come before the last generation and the last upscale, so that a budget of as many as a run is planned to cost
leaves room for them; what has killed servers comes last of all.
"""

from __future__ import annotations

from local_dream_conformance.scenarios import (
    concurrency,
    destructive,
    extensions,
    generated,
    generations,
    health,
    hostile,
    refusals,
    upscales,
)
from local_dream_conformance.scenarios.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        *health.SCENARIOS,
        generations.BASE,
        *refusals.SCENARIOS,
        *generations.CORE,
        *concurrency.SCENARIOS,
        *upscales.REFUSED,
        *generations.HARDENED,
        hostile.HOSTILE,
        *generated.SCENARIOS,
        upscales.UPSCALE,
        *extensions.SCENARIOS,
        hostile.HUGE_PROMPT,
        destructive.SCENARIO,
    )
}
