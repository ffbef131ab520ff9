"""The requests that scenarios send: small, seeded by the run's seed, and the same in every run with the same
settings."""

from __future__ import annotations

import json
import random
from base64 import b64encode
from typing import Any

from local_dream_conformance.core.exchange import Request
from local_dream_conformance.core.fields import documented
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.scenarios.test_images import card, jpeg, mask, png

HEALTH = Request("GET", "/health")
JSON = (("Content-Type", "application/json"),)
SMALLEST = (128, 64)  # both sides differ, so that swapped sides show; both are multiples of 64, as older servers want
FEWEST_STEPS = 4  # enough for a stride of 2 to leave previews out
MANNER = (
    "a wide landscape photograph, sharp focus, soft natural light, rich colours, calm atmosphere, early morning, "
    "no people, and in it there is "
)
"""With what every prompt begins: a server that reads only so much sees no difference between two of them."""
SUBJECTS = (
    ("a red house by a blue lake under a black sky", "a black house by a red lake under a blue sky"),
    ("two white cats on a red sofa by a blue wall", "two blue cats on a white sofa by a red wall"),
    ("a white lighthouse on a black rock at a red sunset", "a black lighthouse on a red rock at a white sunset"),
    ("a bowl of red fruit on a black table in a green room", "a bowl of green fruit on a red table in a black room"),
    ("a snowy mountain behind a green forest and a red barn", "a red mountain behind a snowy forest and a green barn"),
)
"""What is to be seen: the same words in another order, since that is all that a server may overlook."""

NEGATIVE = "people, text, a green meadow, blue and red things, a bright sky"
"""What takes something away from every prompt."""

Body = dict[str, Any]
DEFAULTS: Body = {name: field.default for name, field in documented().items() if field.default is not None}
"""The fields that have a default, with it."""
DEFAULT_STEPS = int(DEFAULTS["steps"])


def prompts(settings: Settings) -> tuple[str, str]:
    """Prompts A and B: as long as one another, with the same words, and alike for 130 characters."""
    one, other = random.Random(settings.seed).choice(SUBJECTS)
    return MANNER + one, MANNER + other


def seed(settings: Settings) -> int:
    """Seed S, within what every server can hold (31 bits)."""
    return random.Random(settings.seed).randrange(1, 2**31)


def other_seed(settings: Settings) -> int:
    """S with its highest bit (of 32) turned: a server that holds fewer bits takes it for S."""
    return seed(settings) ^ 1 << 31


def next_seed(settings: Settings) -> int:
    """The seed beside S: a server that holds it in a float of 32 bits, or drops its lowest bit, takes it for S."""
    return seed(settings) ^ 1


def size(settings: Settings) -> tuple[int, int]:
    """The picture size s: (width, height)."""
    return settings.size or SMALLEST


def picture_size(settings: Settings) -> tuple[int, int]:
    """(width, height) of a picture whose size is left out where that is possible."""
    return settings.size or (DEFAULTS["width"], DEFAULTS["height"])


def work(settings: Settings, steps: float) -> float:
    """Denoising steps times pixels of a picture of that size."""
    width, height = picture_size(settings)
    return steps * width * height


def steps(settings: Settings) -> int:
    """The step count n."""
    return settings.steps or FEWEST_STEPS


def plain(settings: Settings) -> Body:
    """Prompt A, seed S, n steps, size s: the smallest request whose every value is known. The fields that the target is
    said to ask for (--field) are in it too."""
    width, height = size(settings)
    return {
        "prompt": prompts(settings)[0],
        "seed": seed(settings),
        "steps": steps(settings),
        "width": width,
        "height": height,
        **dict(settings.fields),
    }


def without(body: Body, *fields: str) -> Body:
    """The body without some fields."""
    return {name: value for name, value in body.items() if name not in fields}


def generate(body: Body) -> Request:
    """POST /generate with a JSON object."""
    return generate_raw(json.dumps(body).encode())


def generate_raw(body: bytes) -> Request:
    """POST /generate with any bytes, said to be JSON."""
    return Request("POST", "/generate", JSON, body)


def refused(settings: Settings) -> Request:
    """A request that every server refuses without work, or with little: it has no prompt."""
    return generate({**without(plain(settings), "prompt"), "steps": 1})


def absent(settings: Settings) -> Request:
    """GET of a path that no server has."""
    return Request("GET", f"/no-such-path-{random.Random(settings.seed).getrandbits(64):016x}")


def card64(width: int, height: int) -> str:
    """The test card as the base64 of a PNG."""
    return b64encode(png(card(width, height))).decode("ascii")


def card64_jpeg(width: int, height: int) -> str:
    """The test card as the base64 of a JPEG."""
    return b64encode(jpeg(card(width, height))).decode("ascii")


def mask64(width: int, height: int) -> str:
    """The mask as the base64 of a PNG: white is to be repainted."""
    return b64encode(png(mask(width, height))).decode("ascii")


def upscale(width: object, height: object, path: str | None, body: bytes, opencl: str | None = None) -> Request:
    """POST /upscale. A width, height or path of None leaves its header out."""
    headers = [("Content-Type", "application/octet-stream")]
    for name, value in (
        ("X-Image-Width", width),
        ("X-Image-Height", height),
        ("X-Upscaler-Path", path),
        ("X-Use-OpenCL", opencl),
    ):
        if value is not None:
            headers.append((name, str(value)))
    return Request("POST", "/upscale", tuple(headers), body)


def upscale_card(width: int, height: int, path: str, opencl: str | None = None) -> Request:
    """POST /upscale of the test card."""
    return upscale(width, height, path, card(width, height).tobytes(), opencl)
