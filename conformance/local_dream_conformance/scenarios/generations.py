"""Generations whose pictures are compared with one another: the plain run, the strength of img2img, bounds and fields.

Each carries valid forms beside (`forms`), so chosen that they leave what is compared as it is: two runs that must give
the same picture have the same prompt and seed, and their images the same pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.fields import max_seed
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence.generation import GenerationStream, generation
from local_dream_conformance.evidence.image_compare import alike
from local_dream_conformance.evidence.selectors import picture
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.drafts import Draft
from local_dream_conformance.scenarios.forms import Change, changes, forms_of, spelt
from local_dream_conformance.scenarios.narrowing import GENERATION, Planned, failed, probe_label, served
from local_dream_conformance.scenarios.picture_files import PictureFile
from local_dream_conformance.scenarios.requests import without
from local_dream_conformance.scenarios.scenario import Scenario, no_img2img
from local_dream_conformance.scenarios.series import labelled
from local_dream_conformance.scenarios.test_images import card, exposed, mask

LOW_STRENGTH = 0.1
"""The strength of `strength/low` where a server does not take 0."""
SOME_STRENGTH = 0.4
"""A strength of which a server that rounds it leaves nothing, and of which two of five steps are left: in a single one
some fields do not show."""
OTHER_CFG = 7.9
"""A cfg that is no other than the default for a server that cuts or rounds it."""
WIDTH_ALONE = 256
"""Half the default: its picture is higher than wide."""
OF_THE_EDGE = ("cfg-high", "negative-scripts", "prompt-quotes", "prompt-lines", "height-alone")
"""Forms of edges/seed-max that say something of its picture, beside its image, which is grey."""
MANY_AT_ZERO = "strength-zero-of-many-steps"
"""The form with the most steps that every server takes."""


def _base(target: Target) -> Iterator[Exchange]:
    """One generation: all that is known of an ordinary run, with previews, at the smallest size.

    Its forms are those of transport alone: other generations are compared with it.
    """
    yield from served(target, "base", Planned(_base_draft(target.settings), spelt("base")))


def _base_draft(settings: Settings) -> Draft:
    return Draft({**requests.plain(settings), "show_diffusion_process": True})


def _strength(target: Target) -> Iterator[Exchange]:
    """One generation of little work: with strength 0 it gives back its image.

    The image is a progressive JPEG of another size and aspect than the picture's, as cameras make them, and the width
    is sent alone. Where a server does not take strength 0, it is asked for 0.1. Where the generation before this one
    made fewer steps than were asked for, since the strength left some out, 250 steps are asked for: at strength 0 that
    is no work. A server that does not take both together is asked for strength 0 alone.
    """
    settings = target.settings
    width, height = requests.picture_size(settings)
    fields = {**requests.DEFAULTS, "prompt": requests.prompts(settings)[0], "seed": requests.seed(settings)}
    fields |= {"width": width, "height": height, "denoise_strength": LOW_STRENGTH}
    plain = Draft(fields, image=PictureFile(exposed(card(width, height))))
    # What recorded releases refuse comes first: where it is in the half that is tried first, finding it costs nothing.
    zero = MANY_AT_ZERO if _strength_saves_steps(target) else "strength-zero"
    forms = changes("mask-null-with-image", zero, "image-jpeg", "image-progressive", "image-exif")
    unfit = exposed(card(width * 3 // 8, height // 4))
    forms["image-unfit"] = lambda draft: draft.imaged(pixels=unfit)
    if not settings.size:
        forms["width-alone"] = lambda draft: draft.without("height").with_fields(width=WIDTH_ALONE)
    forms |= changes("previews-with-image", "stride-beyond-steps")
    forms |= changes("seed-zero", "cfg-one", "scheduler-euler-a", "opencl-true")
    forms |= {**changes("prompt-path", "prompt-lines", "prompt-long", "json-exponents"), **spelt("strength/low")}
    *before, low = served(target, "strength/low", Planned(plain, forms))
    yield from before
    left_out = zero == MANY_AT_ZERO and zero not in forms_of(low)
    if not left_out or failed(low) or not target.spares(GENERATION):
        yield low
        return
    planned = Planned(plain, changes("strength-zero"))
    alone = planned.send(target, "strength/low", planned.names)
    number = probe_label("strength/low", len(before) + 1)
    yield from [labelled(alone, number), low] if failed(alone) else [labelled(low, number), alone]


def _strength_saves_steps(target: Target) -> bool:
    """Whether the last generation with an image had fewer steps than were asked for."""
    shown = target.transcript("defaults")
    if target.settings.steps or not shown or not shown.exchanges:
        return False
    stream = generation(shown.exchanges[-1])
    totals = [event.total_steps for event in stream.progress if event.total_steps is not None]
    return stream.complete is not None and bool(totals) and max(totals) < requests.DEFAULT_STEPS


def _nulls(target: Target) -> Iterator[Exchange]:
    """One generation: base with null for every field that it does not need, previews among them.

    Where it has no picture, or another one than base, up to two more tell why, as far as the budget allows: base once
    more (nulls/again) and, if that gives the picture of base, without previews and without nulls (nulls/left-out).
    """
    plain = requests.plain(target.settings)
    fields = [*without(requests.DEFAULTS, *plain), "image", "mask"]
    exchange = target.send("nulls", requests.generate({**plain, **dict.fromkeys(fields)}))
    yield exchange
    base = target.transcript("base")
    shown = generation(base.exchanges[-1]) if base and base.exchanges else None
    if shown is None or picture(shown) is None or _alike(shown, exchange) or not target.spares(GENERATION):
        return
    if picture(generation(exchange)) is not None:
        again = target.send("nulls/again", _base_draft(target.settings).request())
        yield again
        if not _alike(shown, again) or not target.spares(GENERATION):
            return
    yield target.send("nulls/left-out", requests.generate(plain))


def _alike(shown: GenerationStream, exchange: Exchange) -> bool:
    other = generation(exchange)
    return picture(other) is not None and alike(shown, other)


def _negative(target: Target) -> Iterator[Exchange]:
    """One generation: base with a negative prompt. Without an image, since some models are guided in early steps alone,
    which a strength leaves out."""
    plain = Draft({**requests.plain(target.settings), "negative_prompt": requests.NEGATIVE})
    forms = {**changes("json-raw"), **spelt("negative")}
    yield from served(target, "negative", Planned(plain, forms))


def _fields(target: Target) -> Iterator[Exchange]:
    """Three generations: base with a cfg that is the same once it is rounded, with a step more, and with euler_a. The
    last is that of edges/seed-max where that came to a picture from an image: what a server forgets it often forgets
    there. It comes last, so that a scheduler that a server keeps shows in `nulls`."""
    settings = target.settings
    plain = Draft(requests.plain(settings))
    drafts = {
        "cfg": plain.with_fields(cfg=OTHER_CFG),
        "steps": plain.with_fields(steps=requests.steps(settings) + 1),
        "scheduler": (_beside_the_edge(target) or plain).with_fields(scheduler="euler_a"),
    }
    for name, draft in drafts.items():
        label = f"fields/{name}"
        yield from served(target, label, Planned(draft, spelt(label)))


def _edges(target: Target) -> Iterator[Exchange]:
    """Two generations: the largest seed, at a strength that rounds to 0 and with kinds of files that are rarer; and
    the same with the seed beside it. Without images, or where that failed, the second is overlap/second with the seed
    beside its own.
    """
    settings = target.settings
    *before, largest = served(target, "edges/seed-max", _edge(settings))
    yield from (*before, largest)
    forms: dict[str, Change] = {}
    plain = _as_the_edge(settings, largest)
    if plain is not None:
        plain = plain.with_fields(seed=max_seed() ^ 1)
    else:
        plain = Draft({**requests.plain(settings), "seed": requests.next_seed(settings)})
        beside = requests.other_seed(settings) ^ 1
        forms["seed-beyond-31-bits"] = lambda draft: draft.with_fields(seed=beside)
    yield from served(target, "edges/seed-next", Planned(plain, {**forms, **spelt("edges/seed-next")}))


def _edge(settings: Settings) -> Planned[Draft]:
    plain = Draft({**requests.plain(settings), "seed": max_seed()})
    forms = changes(*(name for name in OF_THE_EDGE if not (name == "height-alone" and settings.size)))
    forms |= {**changes("opencl-true"), **spelt("edges/seed-max")}
    if settings.img2img:
        width, height = requests.size(settings)
        plain = replace(
            plain.with_fields(denoise_strength=SOME_STRENGTH, steps=settings.steps or requests.FEWEST_STEPS + 1),
            image=PictureFile(card(width, height)),
            mask=PictureFile(mask(width, height)),
        )
        forms |= changes("image-grey-alpha", "image-16-bit", "image-exif", "body-of-8-megabytes")
        forms |= changes("mask-palette", "mask-interlaced", "previews-with-image")
    return Planned(plain, forms)


def _beside_the_edge(target: Target) -> Draft | None:
    """What edges/seed-max asks for, where it is known to come to a picture from an image, in the plain spelling."""
    edges = target.transcript("edges")
    shown = [one for one in edges.exchanges if one.label == "edges/seed-max"] if edges else []
    return _as_the_edge(target.settings, shown[0]) if shown else None


def _as_the_edge(settings: Settings, shown: Exchange) -> Draft | None:
    if not settings.img2img or picture(generation(shown)) is None:
        return None
    planned = _edge(settings)
    told = {*OF_THE_EDGE, "image-grey-alpha"}
    return planned.draft(tuple(name for name in forms_of(shown) if name in told))


BASE = Scenario("base", Cost(generations=1), _base)
STRENGTH = Scenario(
    "strength",
    Cost(generations=1),
    _strength,
    after=("defaults",),
    available=no_img2img,
    work=lambda s: requests.work(s, 1),
)
HARDENED = (
    Scenario("negative", Cost(generations=1), _negative, after=("base",)),
    Scenario("edges", Cost(generations=2), _edges, after=("base",)),
    Scenario("fields", Cost(generations=3), _fields, after=("base",)),
)
NULLS = Scenario("nulls", Cost(generations=1), _nulls, after=("base",))
"""The last of them, so that what a server keeps of the others shows in a request that says nothing of it."""
