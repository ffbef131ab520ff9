"""All scenarios, in the order in which they run. SCENARIOS maps a name to its Scenario; docs/scenarios.md shows what
each sends (made by `python -m tests.scenarios_page`).

A planned generation (or upscale) carries many valid forms at once (`forms`): where it fails, requests with fewer of
them follow until the one is named that the target does not take (`narrowing`). Their labels are LABEL-forms-0, -1, ...
(or SCENARIO/forms-0 where the label is the scenario's), and the main label always names the exchange that was accepted
(or the plain one, refused). A series (refuse, range, ...) ends early where three of its requests got no answer at all.

Refusals come before the last generation and the last upscale, so that a budget of as many as a run is planned to cost
leaves room for them; what has killed servers comes last of all.
"""

from __future__ import annotations

from local_dream_conformance.scenarios import (
    chain,
    concurrency,
    control,
    defaults,
    destructive,
    extensions,
    generated,
    generations,
    health,
    hostile,
    queue,
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
        defaults.SCENARIO,
        generations.STRENGTH,
        *concurrency.SCENARIOS,
        *upscales.REFUSED,
        *generations.HARDENED,
        chain.SCENARIO,
        generations.NULLS,
        queue.SCENARIO,
        hostile.HOSTILE,
        *generated.SCENARIOS,
        upscales.UPSCALE,
        *extensions.SCENARIOS,
        control.CONTROL,
        hostile.HUGE_PROMPT,
        destructive.SCENARIO,
    )
}
