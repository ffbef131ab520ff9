"""Generations whose pictures are compared with one another: the plain run, the defaults, the strength of img2img."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.fields import documented, max_seed
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.strict_json import integer
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.image_compare import alike
from local_dream_conformance.evidence.selectors import picture
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.requests import Body, generate, without
from local_dream_conformance.scenarios.scenario import Scenario
from local_dream_conformance.scenarios.series import Attempt, first_accepted

LOW_STRENGTH = 0.1
DEFAULTS: Body = {name: field.default for name, field in documented().items() if field.default is not None}
DEFAULT_STEPS = int(DEFAULTS["steps"])
LIKELY = (
    ("steps",),
    ("cfg",),
    ("scheduler",),
    ("denoise_strength",),
    ("width", "height"),
    ("negative_prompt",),
    ("show_diffusion_process", "show_diffusion_stride", "use_opencl"),
)
SEED: tuple[str, ...] = ()
"""The suspect that is left where none of the fields is: a seed that was picked, and another one that was reported."""
SUSPECTS = (*LIKELY, *((name,) for name in DEFAULTS if not any(name in group for group in LIKELY)))
"""All fields of DEFAULTS, in groups: three halvings can tell eight apart, SEED among them."""
MOST_BISECTIONS = 3


def _base(target: Target) -> Iterator[Exchange]:
    """One generation: all that is known of an ordinary run, with previews, at the smallest size."""
    yield target.send("base", generate({**requests.plain(target.settings), "show_diffusion_process": True}))


def _picture_size(settings: Settings) -> tuple[int, int]:
    """(width, height) of a picture whose size is left out where that is possible."""
    return settings.size or (DEFAULTS["width"], DEFAULTS["height"])


def _minimal(settings: Settings) -> Body:
    width, height = _picture_size(settings)
    body: Body = {"prompt": requests.prompts(settings)[0]}
    if settings.img2img:
        body["image"] = requests.card64(width, height)
    if settings.size:
        body |= {"width": width, "height": height}
    return body


def _explicit(settings: Settings, seed: int) -> Body:
    return {**DEFAULTS, **_minimal(settings), "seed": seed}


def _reported_seed(exchange: Exchange, settings: Settings) -> int:
    """The seed that a server picked; S where it told none that could be sent."""
    complete = generation(exchange).complete
    seed = integer(complete.payload.get("seed")) if complete else None
    return seed if seed is not None and 0 <= seed <= max_seed() else requests.seed(settings)


def _defaults(target: Target) -> Iterator[Exchange]:
    """Two generations at the default size and step count, which nothing smaller can prove; alike if defaults hold.

    The second sends the seed that the first reported. Where they are not alike, up to three more, as far as the budget
    allows, halve what can be to blame: defaults/bisect-1, -2, -3 (note explicit: the fields that are sent with their
    defaults; none says that the seed alone is sent).
    """
    absent = target.send("defaults/absent", generate(_minimal(target.settings)))
    seed = _reported_seed(absent, target.settings)
    explicit = target.send("defaults/explicit", generate(_explicit(target.settings, seed)))
    yield from (absent, explicit)
    reference, other = generation(absent), generation(explicit)
    if picture(reference) is None or picture(other) is None or alike(reference, other):
        return
    suspects = [SEED, *(fields for fields in SUSPECTS if not (target.settings.size and "width" in fields))]
    for number in range(1, MOST_BISECTIONS + 1):
        if len(suspects) == 1 or not target.affords(Cost(generations=1)):
            return
        half = suspects[: (len(suspects) + 1) // 2]
        names = [name for fields in half for name in fields]
        body = _minimal(target.settings) | {"seed": seed} | {name: DEFAULTS[name] for name in names}
        exchange = target.send(f"defaults/bisect-{number}", generate(body))
        yield replace(exchange, notes=(*exchange.notes, ("explicit", " ".join(names))))
        halved = generation(exchange)
        if picture(halved) is None:
            return
        suspects = suspects[len(half) :] if alike(reference, halved) else half


def _strength(target: Target) -> Iterator[Exchange]:
    """One generation, two of whose twenty steps are run: much nearer to its image than defaults/explicit.

    The image is a JPEG of another size and aspect than the picture's, as clients send them; where that is refused, the
    next attempts tell whether the format or the size is to blame. Labels of refusals: strength/jpeg-unfit, png-unfit,
    jpeg.
    """
    settings = target.settings
    width, height = _picture_size(settings)
    unfit = (width * 3 // 8, height // 4)
    body = {**_explicit(settings, requests.seed(settings)), "denoise_strength": LOW_STRENGTH}
    jpeg_unfit, jpeg = requests.card64_jpeg(*unfit), requests.card64_jpeg(width, height)
    yield from first_accepted(
        target,
        "strength/low",
        [
            Attempt("strength/jpeg-unfit", generate({**body, "image": jpeg_unfit})),
            Attempt("strength/png-unfit", generate({**body, "image": requests.card64(*unfit)})),
            Attempt("strength/jpeg", generate({**body, "image": jpeg})),
            Attempt("", generate(body)),
        ],
    )


def _nulls(target: Target) -> Iterator[Exchange]:
    """One generation: base with null for every field that it does not need."""
    plain = requests.plain(target.settings)
    fields = [*without(DEFAULTS, *plain), "image", "mask"]
    yield target.send("nulls", generate({**plain, **dict.fromkeys(fields)}))


def _repeat(target: Target) -> Iterator[Exchange]:
    """One generation: base again, byte for byte."""
    yield target.send("repeat", generate({**requests.plain(target.settings), "show_diffusion_process": True}))


def _edges(target: Target) -> Iterator[Exchange]:
    """Two generations of a single step: the smallest and the largest seed."""
    plain = {**requests.plain(target.settings), "steps": 1}
    yield target.send("edges/seed-zero", generate({**plain, "seed": 0}))
    yield target.send("edges/seed-max", generate({**plain, "seed": max_seed()}))


def _work(settings: Settings, steps: float) -> float:
    width, height = _picture_size(settings)
    return steps * width * height


def _no_img2img(settings: Settings) -> str | None:
    return None if settings.img2img else "--no-img2img: the target takes no images"


BASE = Scenario("base", Cost(generations=1), _base)
CORE = (
    Scenario("defaults", Cost(generations=2), _defaults, after=("refuse",), work=lambda s: _work(s, 2 * DEFAULT_STEPS)),
    Scenario(
        "strength",
        Cost(generations=1),
        _strength,
        after=("defaults",),
        available=_no_img2img,
        work=lambda s: _work(s, DEFAULT_STEPS * LOW_STRENGTH),
    ),
)
HARDENED = (
    Scenario("nulls", Cost(generations=1), _nulls, after=("base",)),
    Scenario("repeat", Cost(generations=1), _repeat, after=("base",)),
    Scenario("edges", Cost(generations=2), _edges),
)
