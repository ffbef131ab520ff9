"""Clients that hang up, and clients that overlap."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import BUSY, BUSY_UNTIL, Exchange
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.http.connection import SendOptions
from local_dream_conformance.http.target import Running, Target
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.requests import Body, generate
from local_dream_conformance.scenarios.scenario import Scenario
from local_dream_conformance.scenarios.series import Attempt, labelled, pause, refused

LONG_ENOUGH = 2.0
"""Seconds that a run should last which is to be abandoned: questions are asked while it streams."""
STEPS_TO_ABANDON = (8, 100)
REFUSAL = SendOptions(refusal=True)
UNKNOWN_FIELDS: Body = {"use_cfg": True, "init_image": "x", "x-unknown": {"nested": [1, None]}}


def _steps_to_abandon(target: Target) -> int:
    """As many steps as take LONG_ENOUGH at the speed that `base` had, within bounds."""
    fewest, most = STEPS_TO_ABANDON
    base = target.transcript("base")
    if not base or not base.exchanges:
        return fewest
    stream, steps = generation(base.exchanges[0]), requests.steps(target.settings)
    reports = [event for event in stream.progress if event.step is not None]
    done = (reports[-1].step or 0) - (reports[0].step or 0) if reports else 0
    if done > 0:
        per_step = (reports[-1].at - reports[0].at) / done
    elif stream.complete is not None:  # a single report, as from servers that report now and then
        per_step = stream.complete.at / steps
    else:
        return fewest
    return max(fewest, min(most, math.ceil(LONG_ENOUGH / max(per_step, 0.001))))


def _begin(target: Target, label: str, attempts: list[Attempt], refusals: list[Exchange]) -> tuple[Running, bool]:
    """Begins the first attempt that is not refused. The flag says whether it still streams."""
    while True:
        attempt = attempts.pop(0)
        running = target.begin(label, attempt.request, attempt.send_options)
        if running.wait_for_event():
            return running, True
        if not attempts or not refused(running.result()):
            return running, False
        refusals.append(labelled(running.result(), attempt.refusal))


def _hang_up(target: Target) -> Iterator[Exchange]:
    """Two generations: one abandoned in mid-stream, and the one that follows at once and must be served.

    The first carries image and mask as null, the second is an inpainting sent with Expect: 100-continue; where a server
    refuses that, the refusal is kept, and plainer requests follow. Labels of refusals: hang-up/null-image-mask,
    null-mask, null-image (with these fields null), next-busy (409, 429 or 503) and next-expect (with Expect).
    """
    settings = target.settings
    body = {**requests.plain(settings), "steps": _steps_to_abandon(target)}
    attempts = [
        Attempt("hang-up/null-image-mask", generate({**body, "image": None, "mask": None})),
        Attempt("hang-up/null-mask", generate({**body, "mask": None})),
        Attempt("hang-up/null-image", generate({**body, "image": None})),
        Attempt("", generate(body)),
    ]
    refusals: list[Exchange] = []
    running, streams = _begin(target, "hang-up/abandoned", attempts, refusals)
    yield from refusals
    meanwhile: list[Exchange] = []
    if streams:
        meanwhile.append(target.send("hang-up/health-meanwhile", requests.HEALTH))
        meanwhile.append(target.send("hang-up/refused-meanwhile", requests.refused(settings), REFUSAL))
        running.hang_up()
    yield running.result()
    yield from meanwhile
    yield from _next(target)
    yield target.send("hang-up/health", requests.HEALTH)


def _next(target: Target) -> Iterator[Exchange]:
    """A busy target is asked again as it says; the note busy-until is when it last said so, on the run's clock."""
    request = generate(_inpainting(target.settings))
    send_options = SendOptions(expect=True)
    patience = time.monotonic() + target.settings.idle_timeout
    busy: Exchange | None = None
    while True:
        exchange = target.send("hang-up/next", request, send_options)
        if exchange.status in BUSY and time.monotonic() < patience:
            if busy is None:
                yield labelled(exchange, "hang-up/next-busy")
            busy = exchange
            pause(exchange)
        elif refused(exchange) and send_options.expect:
            yield labelled(exchange, "hang-up/next-expect")
            send_options = SendOptions()
        else:
            until = () if busy is None else ((BUSY_UNTIL, f"{busy.started + busy.ended_at:.3f}"),)
            yield replace(exchange, notes=(*exchange.notes, *until))
            return


def _inpainting(settings: Settings) -> Body:
    """A seed of the server's choice, euler_a and, where the target takes images, image, mask and strength 0.9."""
    width, height = requests.size(settings)
    body = {**requests.plain(settings), "scheduler": "euler_a"}
    del body["seed"]
    if settings.img2img:
        body["image"] = requests.card64(width, height)
        body["mask"] = requests.mask64(width, height)
        body["denoise_strength"] = 0.9
    return body


def _overlap(target: Target) -> Iterator[Exchange]:
    """Two generations at once; one after the other where the server refuses the second while the first runs.

    The first differs from `base` in its prompt (and in its stride), the second in its seed (and has no previews), so
    that the same runs show what prompt and seed do. The first is sent with a chunked body, the second with unknown
    fields and with stride 0; where a server refuses that, the refusal is kept, and plainer requests follow. Labels of
    refusals: overlap/first-chunked; second-oddities, second-unknown-fields, second-stride-zero (with both, with one);
    second-busy (409, 429 or 503 while the first streamed: the second is then the retry afterwards).
    """
    settings = target.settings
    plain = requests.plain(settings)
    other_prompt = generate(
        {
            **plain,
            "prompt": requests.prompts(settings)[1],
            "show_diffusion_process": True,
            "show_diffusion_stride": 2,
        }
    )
    attempts = [Attempt("overlap/first-chunked", other_prompt, SendOptions(chunked=True)), Attempt("", other_prompt)]
    refusals: list[Exchange] = []
    first, _ = _begin(target, "overlap/first", attempts, refusals)
    second = list(_second(target, first))
    yield from refusals
    yield first.result()
    yield from second
    yield target.send("overlap/health", requests.HEALTH)


def _second(target: Target, first: Running) -> Iterator[Exchange]:
    body = requests.without(requests.plain(target.settings), "seed")
    stride = {"show_diffusion_process": False, "show_diffusion_stride": 0}
    attempts = [
        Attempt("overlap/second-oddities", generate({**body, **UNKNOWN_FIELDS, **stride})),
        Attempt("overlap/second-unknown-fields", generate({**body, **UNKNOWN_FIELDS})),
        Attempt("overlap/second-stride-zero", generate({**body, **stride})),
        Attempt("", generate(body)),
    ]
    patience = 0.0
    kept_busy = False
    while True:
        exchange = target.send("overlap/second", attempts[0].request)
        if exchange.status in BUSY and not kept_busy:
            kept_busy = True
            yield labelled(exchange, "overlap/second-busy")
            first.result()
            patience = time.monotonic() + target.settings.idle_timeout
        elif exchange.status in BUSY and exchange.header("retry-after") and time.monotonic() < patience:
            pause(exchange)
        elif refused(exchange) and len(attempts) > 1:
            yield labelled(exchange, attempts.pop(0).refusal)
        else:
            yield exchange
            return


SCENARIOS = (
    Scenario("hang-up", Cost(generations=2), _hang_up, after=("base",)),
    Scenario("overlap", Cost(generations=2), _overlap, after=("base",)),
)
