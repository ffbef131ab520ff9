"""The scenario of the defaults: one generation that leaves everything out, one that sends what that must mean, and the
search for the default that is another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.fields import max_seed
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.strict_json import integer
from local_dream_conformance.evidence.generation import generation
from local_dream_conformance.evidence.image_compare import alike
from local_dream_conformance.evidence.selectors import fields, picture
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import requests
from local_dream_conformance.scenarios.drafts import Draft
from local_dream_conformance.scenarios.forms import Change, applied, changes, forms_of, spelt
from local_dream_conformance.scenarios.narrowing import GENERATION, Planned, served
from local_dream_conformance.scenarios.picture_files import PictureFile
from local_dream_conformance.scenarios.requests import DEFAULTS, without
from local_dream_conformance.scenarios.scenario import Scenario
from local_dream_conformance.scenarios.test_images import band, card, posterised

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
"""All fields of DEFAULTS, in groups: with SEED and the files of the image four halvings tell them apart."""
MOST_BISECTIONS = 4
FILES = ("image-", "mask-")
"""With what the names of forms begin that say how a picture is written."""
SAME_PICTURE = changes("prompt-quotes", "prompt-brackets", "prompt-scripts")
"""Forms that both runs of `defaults` have, since the picture depends on them."""
OF_A_PAGE = {**changes("json-raw", "image-comment"), **spelt("defaults/absent")}
"""How pages send, in defaults/absent."""


def _minimal(settings: Settings) -> Draft:
    """The prompt and, so that the strength shows, an image: nothing else that can be left out."""
    width, height = requests.picture_size(settings)
    draft = Draft({"prompt": requests.prompts(settings)[0]})
    if settings.img2img:
        draft = replace(draft, image=PictureFile(posterised(card(width, height))))
    return draft.with_fields(width=width, height=height) if settings.size else draft


def _reported_seed(exchange: Exchange, settings: Settings) -> int:
    """The seed that a server picked; S where it told none that could be sent."""
    complete = generation(exchange).complete
    seed = integer(complete.payload.get("seed")) if complete else None
    return seed if seed is not None and 0 <= seed <= max_seed() else requests.seed(settings)


def _sent(fields: tuple[str, ...]) -> Change:
    """The form in which some fields are sent with their defaults."""

    def change(draft: Draft) -> Draft:
        return draft.with_fields(**{name: DEFAULTS[name] for name in fields if name not in draft.fields})

    return change


def _explicit_forms(settings: Settings) -> dict[str, Change]:
    """Every default as a form of its own, with width and height together; then those of transport and file."""
    found: dict[str, Change] = {}
    for name in DEFAULTS:
        if name not in ("width", "height"):
            found[f"sent-{name}"] = _sent((name,))
        elif not settings.size:
            found["sent-size"] = _sent(("width", "height"))
    found |= {**changes("json-escapes"), **spelt("defaults/explicit")}
    if settings.img2img:
        found |= changes("image-rgba", "image-16-bit", "image-interlaced", "body-of-a-megabyte", "mask-one-bit")
    return found


def _defaults(target: Target) -> Iterator[Exchange]:
    """Two generations at the default size and step count, which nothing smaller can prove; alike if defaults hold.

    Their image has three quarters of that size, so that a size that is taken from it shows.
    The second sends the seed that the first reported. Where they are not alike, up to four more, as far as the budget
    allows, halve what can be to blame: defaults/bisect-1 to -4 (note explicit: the fields that are sent with their
    defaults; `image` among them says that image and mask were those of the explicit run, the same pixels in other
    files; none, that the seed alone is sent).
    """
    settings = target.settings
    minimal = _minimal(settings)
    shared = SAME_PICTURE
    if settings.img2img:
        region = band(*requests.picture_size(settings))
        width, height = requests.picture_size(settings)
        small = posterised(card(width * 3 // 4, height * 3 // 4))
        shared = {
            **shared,
            "image-unfit": lambda draft: draft.imaged(pixels=small),
            "mask-rgb": lambda draft: replace(draft, mask=PictureFile(region)),
        }
    of_a_page = {**OF_A_PAGE, **changes("image-palette")} if settings.img2img else without(OF_A_PAGE, "image-comment")
    planned = Planned(minimal, {**shared, **of_a_page}, reserve=GENERATION)
    *probes, absent = served(target, "defaults/absent", planned)
    yield from (*probes, absent)
    kept = {name: change for name, change in shared.items() if name in forms_of(absent) or not probes}
    same = applied(minimal, kept).with_fields(seed=_reported_seed(absent, settings))
    same = same.written(raw="json-raw" in forms_of(absent))
    # As it was sent: some ways of spelling the JSON need a text beyond ASCII, and add it where there is none.
    same = same.with_fields(prompt=fields(absent.request).get("prompt", same.fields["prompt"]))
    explicit_forms = _explicit_forms(settings)
    if same.fields["prompt"].isascii():
        del explicit_forms["json-escapes"]
    *probes, explicit = served(target, "defaults/explicit", Planned(same, explicit_forms))
    yield from (*probes, explicit)
    yield from _bisections(target, same, explicit_forms, absent, explicit)


def _bisections(
    target: Target, same: Draft, explicit_forms: Mapping[str, Change], absent: Exchange, explicit: Exchange
) -> Iterator[Exchange]:
    reference, other = generation(absent), generation(explicit)
    if picture(reference) is None or picture(other) is None or alike(reference, other):
        return
    suspects = [SEED, *(fields for fields in SUSPECTS if not (target.settings.size and "width" in fields))]
    if same.image:
        suspects.append(("image",))
    for number in range(1, MOST_BISECTIONS + 1):
        if len(suspects) == 1 or not target.spares(GENERATION):
            return
        half = suspects[: (len(suspects) + 1) // 2]
        names = [name for fields in half for name in fields]
        draft = same.with_fields(**{name: DEFAULTS[name] for name in names if name != "image"})
        files = [name for name in forms_of(explicit if "image" in names else absent) if name.startswith(FILES)]
        known = {**explicit_forms, **OF_A_PAGE, **changes("image-palette")}
        draft = applied(draft, {name: known[name] for name in files if name in known})
        exchange = target.send(f"defaults/bisect-{number}", draft.request())
        yield replace(exchange, notes=(*exchange.notes, ("explicit", " ".join(names))))
        halved = generation(exchange)
        if picture(halved) is None:
            return
        suspects = suspects[len(half) :] if alike(reference, halved) else half


SCENARIO = Scenario(
    "defaults",
    Cost(generations=2),
    _defaults,
    after=("refuse",),
    work=lambda settings: requests.work(settings, 2 * requests.DEFAULT_STEPS),
)
