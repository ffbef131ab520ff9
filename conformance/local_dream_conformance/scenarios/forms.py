"""Valid forms of requests: one way each in which a value, a picture, a header or the JSON may be spelt.

The contract allows all of them, so that a server has to take each. The planned generations and upscales carry them,
beside what they are sent for, and cost nothing more; where one of these fails, `narrowing` finds out which form it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.fields import documented, max_seed
from local_dream_conformance.scenarios.drafts import Draft
from local_dream_conformance.scenarios.spelling import spelling

Change = Callable[[Draft], Draft]
NOTE = "forms"
"""The note on an exchange that names the forms in its request."""

QUOTES = ' "in oil", it\'s C:\\temp\\n \\u0041'
BRACKETS = (
    ' (best:1.3), ((sharp)), [dull], {old|new} <lora:x:0.8> 100% #1 & $5 ~ `q` ; -- https://a.example/?b=c :) [a ("'
)
LINES = "\nsecond line,\r\n\tthird\n\n"
SCRIPTS = " 호숫가의 붉은 집 \u0628\u064a\u062a e\u0301 \u00df 家 \U0001f3e0 \U0001f469\u200d\U0001f680 \u2014 \u201cq"
WORDS = " on a hill under old trees beside the quiet water in the last light of the day"
LONG = WORDS * 5
"""More than the 77 tokens that the usual text encoder reads."""
MANY_STEPS = 250
"""Steps that every server takes. Where the strength leaves all of them out they cost nothing."""
LONGEST = 2000
"""Characters of a prompt that every server takes."""
LONGEST_NEGATIVE = ("blurred" + WORDS * LONGEST)[:LONGEST]
PAUSE = 1.0
"""Seconds between two parts of a body that every server waits: 8 MB take longer than that on most networks."""
PAGE_HEADERS = (
    ("Accept", "text/event-stream, */*;q=0.8"),
    ("Accept-Language", "de-DE,de;q=0.9,en-US;q=0.8"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("Connection", "keep-alive"),
    ("Cache-Control", "no-cache"),
    ("Pragma", "no-cache"),
    ("Sec-Fetch-Dest", "empty"),
    ("Sec-Fetch-Mode", "cors"),
    ("Sec-Fetch-Site", "same-origin"),
    ("DNT", "1"),
)
BROWSER_CODINGS = "gzip, deflate, br, zstd"
APP_HEADERS = (("Accept", "*/*"), ("User-Agent", "okhttp/4.12.0"), ("Connection", "Keep-Alive"))


@dataclass(frozen=True)
class Form:
    """`id` is the requirement that a server breaks which does not take the form; `says` names it in a finding."""

    id: str
    says: str


ANY_VALUE, TYPED, PLAIN_TEXT, TEXTS, PICTURES = "GEN-REQ-23", "GEN-REQ-24", "GEN-REQ-25", "GEN-REQ-26", "GEN-REQ-27"
MASKS, SPELT, HEADED, LARGE = "GEN-REQ-28", "GEN-REQ-29", "ROB-11", "ROB-12"
UPSCALED, UPSCALE_HEADED = "UPS-REQ-17", "UPS-REQ-18"

OF_DEFAULT = {"scheduler": "GEN-REQ-20"}
"""Fields whose default is named by a requirement of its own."""

FORMS: Mapping[str, Form] = {
    "content-type-charset": Form(TYPED, "Content-Type: application/json; charset=utf-8"),
    "content-type-case": Form(TYPED, "Content-Type: Application/JSON;charset=UTF-8"),
    "content-type-absent": Form(TYPED, "no Content-Type"),
    "content-type-text": Form(PLAIN_TEXT, "Content-Type: text/plain;charset=UTF-8"),
    "headers-of-a-page": Form(HEADED, "the headers of a browser"),
    "headers-of-an-app": Form(HEADED, "the headers of okhttp"),
    "accept-stream": Form(HEADED, "Accept: text/event-stream"),
    "accept-encoding": Form(HEADED, f"Accept-Encoding: {BROWSER_CODINGS}"),
    "header-names-lower": Form(HEADED, "header names in lower case"),
    "header-names-upper": Form(HEADED, "header names in upper case"),
    "chunked": Form("ROB-05", "a body in chunked transfer coding"),
    "expect": Form("ROB-06", "Expect: 100-continue"),
    "chunk-torn": Form("ROB-05", "a chunk that ends within a character"),
    "json-raw": Form(SPELT, "characters beyond ASCII as raw UTF-8"),
    "json-escapes": Form(SPELT, "characters beyond ASCII as \\u escapes"),
    "json-compact": Form(SPELT, "JSON without blanks"),
    "json-indented": Form(SPELT, "JSON over many lines"),
    "json-slashes": Form(SPELT, "JSON with / written as \\/"),
    "json-reverse": Form(SPELT, "the fields in another order"),
    "json-exponents": Form(SPELT, "fractions with an exponent: cfg as 75e-1"),
    "json-padded": Form(SPELT, "white space before and after the JSON"),
    "prompt-quotes": Form(TEXTS, "a prompt with quotes and backslashes"),
    "prompt-brackets": Form(TEXTS, "a prompt with brackets and signs"),
    "prompt-path": Form(TEXTS, "a prompt with a slash within its first words"),
    "prompt-character": Form(TEXTS, "a prompt of one character: /"),
    "prompt-lines": Form(TEXTS, "a prompt with line ends and tabs"),
    "prompt-scripts": Form(TEXTS, "a prompt in other scripts, with emoji"),
    "prompt-long": Form(TEXTS, "a prompt of more than 77 tokens"),
    "prompt-longest": Form(TEXTS, f"a prompt of {LONGEST} characters"),
    "negative-long": Form(TEXTS, f"a negative_prompt of {LONGEST} characters"),
    "negative-empty": Form(TEXTS, 'negative_prompt: ""'),
    "negative-short": Form(TEXTS, "a negative_prompt of one word"),
    "negative-scripts": Form(TEXTS, "a negative_prompt with quotes, line ends and other scripts"),
    "cfg-integer": Form(ANY_VALUE, "cfg: 7, an integer"),
    "cfg-one": Form(ANY_VALUE, "cfg: 1.0"),
    "cfg-zero": Form(ANY_VALUE, "cfg: 0"),
    "cfg-high": Form(ANY_VALUE, "cfg: 30.5"),
    "strength-zero": Form(ANY_VALUE, "denoise_strength: 0"),
    "strength-zero-of-many-steps": Form(ANY_VALUE, f"denoise_strength: 0 and steps: {MANY_STEPS}"),
    "strength-one": Form(ANY_VALUE, "denoise_strength: 1.0"),
    "strength-integer": Form(ANY_VALUE, "denoise_strength: 1, an integer"),
    "steps-one": Form(ANY_VALUE, "steps: 1"),
    "seed-zero": Form(ANY_VALUE, "seed: 0"),
    "seed-beyond-31-bits": Form(ANY_VALUE, "a seed beyond 31 bits"),
    "seed-max": Form(ANY_VALUE, f"seed: {max_seed()}"),
    "size-tall": Form(ANY_VALUE, "a height greater than the width"),
    "size-odd-eighths": Form(ANY_VALUE, "sides of 104 and 184 pixels"),
    "width-alone": Form("GEN-REQ-23", "width without height"),
    "height-alone": Form("GEN-REQ-23", "height without width"),
    "scheduler-euler-a": Form("GEN-REQ-20", "scheduler: euler_a"),
    "opencl-true": Form(ANY_VALUE, "use_opencl: true"),
    "previews-with-image": Form(ANY_VALUE, "show_diffusion_process: true and an image"),
    "previews-every-second": Form(ANY_VALUE, "show_diffusion_stride: 2"),
    "stride-beyond-steps": Form(ANY_VALUE, "show_diffusion_stride: 1000, beyond the steps"),
    "stride-zero": Form("GEN-REQ-21", "show_diffusion_stride: 0 and no previews"),
    "unknown-fields": Form("GEN-REQ-08", "fields that nobody knows"),
    "image-null": Form("GEN-REQ-09", "image: null"),
    "mask-null": Form("GEN-REQ-10", "mask: null"),
    "mask-null-with-image": Form("GEN-REQ-10", "mask: null and an image"),
    "image-jpeg": Form("GEN-REQ-17", "image as JPEG"),
    "image-progressive": Form(PICTURES, "image as progressive JPEG"),
    "image-exif": Form(PICTURES, "image with EXIF data"),
    "image-camera": Form(PICTURES, "image as JPEG of a camera, which begins with EXIF data"),
    "image-palette": Form(PICTURES, "image as PNG with a palette"),
    "image-comment": Form(PICTURES, "image with 200 kB of comments"),
    "image-rgba": Form(PICTURES, "image as PNG with alpha (RGBA)"),
    "image-grey": Form(PICTURES, "image as grey PNG"),
    "image-grey-alpha": Form(PICTURES, "image as grey PNG with alpha"),
    "image-16-bit": Form(PICTURES, "image as PNG of 16 bits a channel"),
    "image-interlaced": Form(PICTURES, "image as interlaced PNG"),
    "image-unfit": Form("GEN-REQ-18", "an image of another size than the picture"),
    "image-large": Form("GEN-REQ-18", "an image of 2048x1536 pixels"),
    "mask-rgb": Form(MASKS, "mask as RGB PNG"),
    "mask-rgba": Form(MASKS, "mask as PNG with alpha (RGBA)"),
    "mask-grey": Form(MASKS, "mask as a grey picture"),
    "mask-jpeg": Form(MASKS, "mask as JPEG"),
    "mask-unfit": Form(MASKS, "a mask of another size than the picture"),
    "mask-tiny": Form(MASKS, "a mask of 9x7 pixels"),
    "mask-black": Form(MASKS, "a mask without white"),
    "mask-transparent": Form(MASKS, "mask as PNG with alpha (RGBA) whose black parts are transparent"),
    "mask-one-bit": Form(MASKS, "mask as PNG of 1 bit"),
    "mask-palette": Form(MASKS, "mask as PNG with a palette"),
    "mask-16-bit": Form(MASKS, "mask as PNG of 16 bits a channel"),
    "mask-interlaced": Form(MASKS, "mask as interlaced PNG"),
    "body-of-a-megabyte": Form(LARGE, "a body of more than a megabyte"),
    "body-in-parts": Form(LARGE, f"a body of two parts, {PAUSE:g} s apart"),
    "body-of-8-megabytes": Form(LARGE, "a body of 8 MB"),
    **{
        f"sent-{name}": Form(OF_DEFAULT.get(name, ANY_VALUE), f"{name}: {field.default!r}, the default")
        for name, field in documented().items()
        if field.default is not None and name not in ("width", "height")
    },
    "sent-size": Form(ANY_VALUE, "width and height equal, as by default"),
    "opencl-flag": Form("UPS-REQ-08", "X-Use-OpenCL"),
    "upscale-chunked": Form(UPSCALE_HEADED, "a body in chunked transfer coding"),
    "upscale-type-absent": Form(UPSCALE_HEADED, "no Content-Type"),
    "upscale-names-lower": Form(UPSCALE_HEADED, "header names in lower case"),
    "upscale-names-upper": Form(UPSCALE_HEADED, "header names in upper case"),
    "upscale-headers-of-an-app": Form(UPSCALE_HEADED, "the headers of okhttp"),
    "upscale-odd": Form(UPSCALED, "odd sides"),
    "upscale-tall": Form(UPSCALED, "a picture higher than wide"),
    "upscale-wide": Form(UPSCALED, "a picture 512 pixels wide"),
    "upscale-square": Form(UPSCALED, "a square picture"),
    "upscale-thin": Form(UPSCALED, "a picture one pixel high"),
}
"""Every form, by its name."""

PARTS: Mapping[str, tuple[str, ...]] = {"chunk-torn": ("chunked", "json-raw")}
"""Forms without which one cannot be sent, so that it fails where they do."""

CHANGES: Mapping[str, Change] = {
    "content-type-charset": lambda draft: draft.typed("application/json; charset=utf-8"),
    "content-type-case": lambda draft: draft.typed("Application/JSON;charset=UTF-8"),
    "content-type-absent": lambda draft: draft.typed(None),
    "content-type-text": lambda draft: draft.typed("text/plain;charset=UTF-8"),
    "headers-of-a-page": lambda draft: draft.headed(*PAGE_HEADERS),
    "headers-of-an-app": lambda draft: draft.headed(*APP_HEADERS),
    "accept-stream": lambda draft: draft.headed(("Accept", "text/event-stream")),
    "accept-encoding": lambda draft: draft.headed(("Accept-Encoding", BROWSER_CODINGS)),
    "header-names-lower": lambda draft: draft.sent(spelling="lower"),
    "header-names-upper": lambda draft: draft.sent(spelling="upper"),
    "chunked": lambda draft: draft.sent(chunked=True),
    "expect": lambda draft: draft.sent(expect=True),
    "chunk-torn": lambda draft: _beyond_ascii(draft).written(raw=True).sent(chunked=True, torn=True),
    "json-raw": lambda draft: _beyond_ascii(draft).written(raw=True),
    "json-escapes": lambda draft: _beyond_ascii(draft).written(raw=False),
    "json-compact": lambda draft: draft.written(compact=True),
    "json-indented": lambda draft: draft.written(indented=True),
    "json-slashes": lambda draft: draft.written(slashes=True),
    "json-reverse": lambda draft: draft.written(reverse=True),
    "json-exponents": lambda draft: draft.written(exponents=True),
    "json-padded": lambda draft: draft.written(padded=True),
    "prompt-quotes": lambda draft: draft.prompted(QUOTES),
    "prompt-brackets": lambda draft: draft.prompted(BRACKETS),
    "prompt-path": lambda draft: draft.with_fields(prompt=f"day/night, {draft.fields['prompt']}"),
    "prompt-character": lambda draft: draft.with_fields(prompt="/"),
    "prompt-lines": lambda draft: draft.prompted(LINES + "end"),
    "prompt-scripts": lambda draft: draft.prompted(SCRIPTS),
    "prompt-long": lambda draft: draft.prompted(LONG),
    "prompt-longest": lambda draft: draft.prompted(_up_to(LONGEST, draft.fields["prompt"])),
    "negative-long": lambda draft: draft.with_fields(negative_prompt=LONGEST_NEGATIVE),
    "negative-empty": lambda draft: draft.with_fields(negative_prompt=""),
    "negative-short": lambda draft: draft.with_fields(negative_prompt="blurred"),
    "negative-scripts": lambda draft: draft.with_fields(negative_prompt="blurred" + QUOTES + LINES + SCRIPTS),
    "cfg-integer": lambda draft: draft.with_fields(cfg=7),
    "cfg-one": lambda draft: draft.with_fields(cfg=1.0),
    "cfg-zero": lambda draft: draft.with_fields(cfg=0),
    "cfg-high": lambda draft: draft.with_fields(cfg=30.5),
    "strength-zero": lambda draft: draft.with_fields(denoise_strength=0),
    "strength-zero-of-many-steps": lambda draft: draft.with_fields(denoise_strength=0, steps=MANY_STEPS),
    "strength-one": lambda draft: draft.with_fields(denoise_strength=1.0),
    "strength-integer": lambda draft: draft.with_fields(denoise_strength=1),
    "steps-one": lambda draft: draft.with_fields(steps=1),
    "seed-zero": lambda draft: draft.with_fields(seed=0),
    "seed-beyond-31-bits": lambda draft: draft.with_fields(seed=2**31 + draft.fields["seed"] % 2**31),
    "seed-max": lambda draft: draft.with_fields(seed=max_seed()),
    "scheduler-euler-a": lambda draft: draft.with_fields(scheduler="euler_a"),
    "opencl-true": lambda draft: draft.with_fields(use_opencl=True),
    "previews-with-image": lambda draft: draft.with_fields(show_diffusion_process=True),
    "previews-every-second": lambda draft: draft.with_fields(show_diffusion_process=True, show_diffusion_stride=2),
    "stride-beyond-steps": lambda draft: draft.with_fields(show_diffusion_process=True, show_diffusion_stride=1000),
    "stride-zero": lambda draft: draft.with_fields(show_diffusion_process=False, show_diffusion_stride=0),
    "height-alone": lambda draft: draft.without("width"),
    "image-null": lambda draft: draft.with_fields(image=None),
    "mask-null": lambda draft: draft.with_fields(mask=None),
    "mask-null-with-image": lambda draft: draft.with_fields(mask=None),
    "image-jpeg": lambda draft: draft.imaged(jpeg=True),
    "image-progressive": lambda draft: draft.imaged(jpeg=True, progressive=True),
    "image-exif": lambda draft: draft.imaged(exif=True),
    "image-camera": lambda draft: draft.imaged(jpeg=True, camera=True),
    "image-palette": lambda draft: draft.imaged(colour="palette"),
    "image-comment": lambda draft: draft.imaged(comment=True),
    "image-rgba": lambda draft: draft.imaged(colour="rgba"),
    "image-grey": lambda draft: draft.imaged(colour="grey"),
    "image-grey-alpha": lambda draft: draft.imaged(colour="grey-alpha"),
    "image-16-bit": lambda draft: draft.imaged(depth=16),
    "image-interlaced": lambda draft: draft.imaged(interlaced=True),
    "mask-rgb": lambda draft: draft.masked(colour="rgb"),
    "mask-rgba": lambda draft: draft.masked(colour="rgba"),
    "mask-grey": lambda draft: draft.masked(colour="grey"),
    "mask-jpeg": lambda draft: draft.masked(jpeg=True),
    "mask-one-bit": lambda draft: draft.masked(colour="grey", depth=1),
    "mask-palette": lambda draft: draft.masked(colour="palette"),
    "mask-interlaced": lambda draft: draft.masked(interlaced=True),
    "body-in-parts": lambda draft: draft.sent(pause=PAUSE),
    "body-of-a-megabyte": lambda draft: draft.imaged(extra=900_000),
    "body-of-8-megabytes": lambda draft: draft.imaged(extra=5_950_000),
}
"""How each form is made; those of one scenario only stand there."""


def changes(*names: str) -> dict[str, Change]:
    """Forms with what makes them, in this order."""
    return {name: CHANGES[name] for name in names}


def spelt(label: str) -> dict[str, Change]:
    """The forms in which a generation is spelt, whatever it asks for."""
    return changes(*spelling(label))


def applied(draft: Draft, chosen: Mapping[str, Change]) -> Draft:
    """The draft in these forms."""
    for change in chosen.values():
        draft = change(draft)
    return draft


def forms_of(exchange: Exchange) -> tuple[str, ...]:
    """The names of the forms in an exchange's request, as far as the suite noted them."""
    return tuple(name for name in dict(exchange.notes).get(NOTE, "").split() if name in FORMS)


def _beyond_ascii(draft: Draft) -> Draft:
    """The draft with a text that is not all ASCII, so that it shows how that is spelt."""
    if not all(value.isascii() for value in draft.fields.values() if isinstance(value, str)):
        return draft
    name = "negative_prompt" if draft.fields.get("negative_prompt") else "prompt"
    return draft.with_fields(**{name: f"{draft.fields[name]} caf\u00e9 \U0001f3e0"})


def _up_to(length: int, prompt: str) -> str:
    """What a prompt lacks to its length in characters."""
    lacking = length - len(prompt)
    words = WORDS + SCRIPTS
    return (words * (lacking // len(words) + 1))[:lacking]
