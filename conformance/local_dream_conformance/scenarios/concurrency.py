"""Clients that hang up, and clients that overlap."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import BUSY, BUSY_UNTIL, End, Exchange
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.hang_up import hang_up
from local_dream_conformance.http.connection import SendOptions
from local_dream_conformance.http.running import Running
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.behind import behind
from local_dream_conformance.scenarios.drafts import Draft
from local_dream_conformance.scenarios.forms import Change, changes, spelt
from local_dream_conformance.scenarios.lasting import LONG_ENOUGH, begin, first_of, pace, steps_to_last
from local_dream_conformance.scenarios.narrowing import (
    GENERATION,
    Names,
    Planned,
    failed,
    narrow,
    noted,
    probe_label,
    serving,
)
from local_dream_conformance.scenarios.picture_files import PictureFile
from local_dream_conformance.scenarios.requests import Body
from local_dream_conformance.scenarios.scenario import Scenario
from local_dream_conformance.scenarios.series import labelled, patiently, pause, refused
from local_dream_conformance.scenarios.test_images import card, mask

LONG_AGAIN = 3 * LONG_ENOUGH
"""The same where it was over too soon: a machine whose load changes that much may change it again."""
EIGHTHS = (184, 104)
"""A picture size whose sides are multiples of 8 and of nothing greater, of more pixels than SMALLEST has: on a server
whose requests share their state, what is asked for next must not outgrow what is left of one that was abandoned."""
LARGE, TINY = (2048, 1536), (9, 7)
"""Sizes of what is to be fitted: a small photograph, and a drawing of a few cells."""
REFUSAL = SendOptions(refusal=True)
UNKNOWN_FIELDS: Body = {
    "use_cfg": True,
    "init_image": "x",
    "x-unknown": {"nested": [1, None]},
    "Steps": "many",
    "SEED": [],
}
"""Names that clients use and the contract does not know, and such as differ from known ones in their letters' case."""


def _begun(
    target: Target, label: str, planned: Planned[Draft], short: Planned[Draft]
) -> tuple[Running, bool, Names, list[Exchange]]:
    """Begins a generation in its forms. Where it fails, it is narrowed, and begun again in those that work.

    `short` is what is sent to narrow it. Answers with the call, whether it still streams, its
    forms, and the exchanges before it.
    """
    running, streams = begin(target, label, planned.draft(planned.names))
    if streams or not failed(running.result()):
        return running, streams, planned.names, []
    first = noted(running.result(), planned.names)
    found = narrow(target, label, first, short)
    if found.gone:
        return running, False, planned.names, found.exchanges
    good = found.good or ()
    running, streams = begin(target, label, planned.draft(good))
    return running, streams, good, [labelled(first, probe_label(label, 0)), *found.exchanges]


def _hang_up(target: Target) -> Iterator[Exchange]:
    """Two generations: one abandoned in mid-stream, and the one that follows at once and must be served.

    While the first streams, a request is refused, and one more event of the stream is waited for.

    The first is an inpainting at strength 1, so that all its steps are made. From a server that is fast enough it has
    previews, and what comes before the hang-up is left unread, until the server has to wait. The second has everything
    that makes a request unusual: a seed of the server's choice, euler_a, Expect: 100-continue. Both have the same
    size, since servers have died of another one while they worked on what was left of the first. Label of a refusal of
    the second while the server still works on the first: hang-up/next-busy (409, 429 or 503). Of one that fails and is
    taken when it is sent again: hang-up/next-failed. Where the second begins so late that the first seems to have run
    on, both are sent once more (hang-up/abandoned-again, hang-up/next-again): what a server does once, for its first
    request of a kind, is over then. So they are where the first had so little left that nothing can be told, with as
    many steps as its own speed asks for: `base` was slower, on a machine that did something else meanwhile.
    """
    settings = target.settings
    plain = Draft(requests.plain(settings))
    per_step = pace(target)
    steps = steps_to_last(per_step)
    late = behind(settings, EIGHTHS, per_step, steps)
    long = plain.with_fields(steps=steps)
    long = late.asked(long) if late else long
    forms = _abandoned_forms(settings)
    short = Planned(plain, forms, reserve=Cost(generations=2))
    planned = Planned(long, forms)
    deaths = target.deaths
    running, streams, names, probes = _begun(target, "hang-up/abandoned", planned, short)
    yield from probes
    meanwhile: list[Exchange] = []
    patience = max(LONG_ENOUGH / 4, 2 * (per_step or 0))
    if streams:
        meanwhile.append(target.send("hang-up/health-meanwhile", requests.HEALTH))
        meanwhile.append(target.send("hang-up/refused-meanwhile", requests.refused(settings), REFUSAL))
        running.wait_for_another(patience)
        if late:
            running.leave_unread(late.seconds)
        running.hang_up()
    abandoned = noted(running.result(), names)
    yield abandoned
    yield from meanwhile
    following = abandoned
    for exchange in _next(target, names):
        yield exchange
        following = exchange
    again = _again(target, abandoned, following, long.fields["steps"]) if following.label == "hang-up/next" else None
    if again and target.deaths == deaths and target.spares(Cost(generations=2)):
        draft = planned.draft(names)
        running, streams = begin(target, "hang-up/abandoned-again", draft.with_fields(steps=again))
        if streams:
            running.wait_for_another(patience)
            running.hang_up()
        yield noted(running.result(), names)
        inpainting = _inpainting(settings, names)
        yield inpainting.send(target, "hang-up/next-again", inpainting.names)
    yield target.send("hang-up/health", requests.HEALTH)


def _again(target: Target, abandoned: Exchange, following: Exchange, steps: int) -> int | None:
    """With how many steps a generation is to be abandoned once more: as many where the next one began as if it had run
    on, more where it had too little left to tell; None where it told enough. A busy target is told apart."""
    seen = hang_up(abandoned, following, first_of(target.transcript("base")))
    if seen is None or seen.busy_until is not None:
        return None
    if seen.tells:
        return None if seen.in_time else steps
    more = steps_to_last(seen.pace, LONG_AGAIN)
    return more if more > steps else None


def _abandoned_forms(settings: Settings) -> dict[str, Change]:
    """What a generation can be sent in whose picture nobody sees."""
    forms = changes("prompt-longest", "negative-short", "cfg-integer", "seed-max")
    forms |= spelt("hang-up/abandoned")
    forms |= _size_forms(settings)
    if settings.img2img:
        forms["image-grey"] = lambda draft: _with_image(draft).imaged(colour="grey")
        forms["image-large"] = lambda draft: _with_image(draft).imaged(pixels=card(*LARGE))
        forms["mask-rgba"] = lambda draft: _with_mask(draft).masked(colour="rgba")
        forms["mask-16-bit"] = lambda draft: (draft if draft.mask else _with_mask(draft)).masked(depth=16)
        forms["mask-tiny"] = lambda draft: (draft if draft.mask else _with_mask(draft)).masked(pixels=mask(*TINY))
        forms["strength-one"] = lambda draft: _with_image(draft).with_fields(denoise_strength=1.0)
    return forms


def _size_forms(settings: Settings) -> dict[str, Change]:
    """Other picture sizes, where the target makes them: upright, and of odd sides; or both."""
    if settings.size:
        return {}
    return {
        "size-odd-eighths": lambda draft: _resized(draft, *EIGHTHS),
        "size-tall": lambda draft: _resized(draft, draft.fields["height"], draft.fields["width"]),
    }


def _size_of(draft: Draft) -> tuple[int, int]:
    return draft.fields["width"], draft.fields["height"]


def _with_image(draft: Draft) -> Draft:
    return draft if draft.image else replace(draft, image=PictureFile(card(*_size_of(draft))))


def _with_mask(draft: Draft) -> Draft:
    return replace(_with_image(draft), mask=PictureFile(mask(*_size_of(draft))))


def _next(target: Target, before: Names) -> Iterator[Exchange]:
    """In the size that the abandoned one had, whose forms were `before`.

    A busy target is asked again as it says; the note busy-until is when it last said so, on the run's clock. Where it
    fails, the same is asked once more: hang-up/next-failed is then the first answer, if the second is a picture.
    """
    label = "hang-up/next"
    planned = _inpainting(target.settings, before)
    patience = time.monotonic() + target.settings.idle_timeout
    busy: Exchange | None = None
    while True:
        exchange = planned.send(target, label, planned.names)
        if exchange.status not in BUSY or time.monotonic() >= patience:
            break
        if busy is None:
            yield labelled(exchange, "hang-up/next-busy")
        busy = exchange
        pause(exchange)
    until = () if busy is None else ((BUSY_UNTIL, f"{busy.started + busy.ended_at:.3f}"),)
    exchange = replace(exchange, notes=(*exchange.notes, *until))
    if failed(exchange) and exchange.end is not End.UNREACHABLE and target.spares(GENERATION):
        again = planned.send(target, label, planned.names)
        if not failed(again):  # it was not the request
            yield labelled(exchange, "hang-up/next-failed")
            yield again
            return
    if not failed(exchange):
        yield exchange
        return
    yield from serving(target, label, exchange, narrow(target, label, exchange, planned), planned)


def _inpainting(settings: Settings, before: Names) -> Planned[Draft]:
    """A seed of the server's choice, euler_a and, where the target takes images, image, mask and strength 0.9 or 1."""
    plain = Draft(requests.without(requests.plain(settings), "seed"))
    forms = {name: change for name, change in _size_forms(settings).items() if name in before}
    forms |= changes("expect", "scheduler-euler-a", "cfg-zero", "prompt-character", "negative-long")
    forms |= spelt("hang-up/next")
    if not settings.steps:
        forms |= changes("steps-one")
    if settings.img2img:
        plain = _with_mask(plain.with_fields(denoise_strength=0.9))
        forms |= changes("strength-integer", "previews-every-second", "image-camera", "mask-grey", "mask-jpeg")
        forms["mask-unfit"] = _with_half_a_mask
    return Planned(plain, forms)


def _with_half_a_mask(draft: Draft) -> Draft:
    width, height = _size_of(draft)
    return draft.masked(pixels=mask(width // 2, height // 2))


def _resized(draft: Draft, width: int, height: int) -> Draft:
    """The draft for another picture size, its image and mask too."""
    draft = draft.with_fields(width=width, height=height)
    return draft.imaged(pixels=card(width, height)).masked(pixels=mask(width, height))


def _overlap(target: Target) -> Iterator[Exchange]:
    """Two generations at once; one after the other where the server refuses the second while the first runs.

    The first differs from `base` in the end of its prompt (and in its stride), the second in the highest bit of its
    seed (and has no previews), so that the same runs show what prompt and seed do. The first is sent with a chunked
    body, of two parts that are a second apart, the second with unknown fields, nulls and stride 0. Label of a refusal
    of the second while the first streams: overlap/second-busy (409, 429 or 503; the second is then the retry
    afterwards). Of one that ends in an error event, and is served once the first is over: overlap/second-failed.
    """
    settings = target.settings
    plain = requests.plain(settings)
    stride = {"show_diffusion_process": True, "show_diffusion_stride": 2}
    other_prompt = Draft({**plain, "prompt": requests.prompts(settings)[1], **stride})
    forms = {**changes("chunked", "body-in-parts"), **spelt("overlap/first")}
    planned = Planned(other_prompt, forms, reserve=Cost(generations=2))
    first, _, names, probes = _begun(target, "overlap/first", planned, planned)
    second = list(_second(target, first))
    yield from probes
    yield noted(first.result(), names)
    yield from second
    yield target.send("overlap/health", requests.HEALTH)


def _second(target: Target, first: Running) -> Iterator[Exchange]:
    label = "overlap/second"
    plain = Draft({**requests.plain(target.settings), "seed": requests.next_seed(target.settings)})
    forms = changes("mask-null", "image-null", "stride-zero", "negative-empty")
    forms["unknown-fields"] = lambda draft: draft.with_fields(**UNKNOWN_FIELDS)
    forms["seed-beyond-31-bits"] = lambda draft: draft.with_fields(seed=requests.other_seed(target.settings))
    forms |= spelt(label)
    planned = Planned(plain, forms)
    exchange = planned.send(target, label, planned.names)
    if exchange.status in BUSY:
        yield labelled(exchange, "overlap/second-busy")
        first.result()
        exchange = patiently(target, lambda: planned.send(target, label, planned.names))
    if not failed(exchange):
        yield exchange
        return
    if not refused(exchange) and generation(exchange).error is not None and target.spares(GENERATION):
        first.result()
        again = planned.send(target, label, planned.names)
        if not failed(again):  # alone it is served: what failed was to overlap
            yield labelled(exchange, "overlap/second-failed")
            yield again
            return
    plainly = planned.send(target, label, ()) if refused(exchange) and target.spares(GENERATION) else exchange
    first.result()  # a busy server would refuse the probes
    if not failed(plainly):  # it overlaps the first one: that is what it is for
        yield labelled(exchange, probe_label(label, 0))
        yield from narrow(target, label, exchange, planned).exchanges
        yield plainly
        return
    if plainly is not exchange:
        yield labelled(plainly, "overlap/second-plain")
    yield from serving(target, label, exchange, narrow(target, label, exchange, planned), planned)


SCENARIOS = (
    Scenario("hang-up", Cost(generations=2), _hang_up, after=("base",)),
    Scenario("overlap", Cost(generations=2), _overlap, after=("base",)),
)
