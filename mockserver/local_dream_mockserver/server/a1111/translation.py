"""A request in AUTOMATIC1111's words, in those of /generate."""

from __future__ import annotations

from typing import Any

from local_dream_mockserver.server.a1111.samplers import DEFAULT, scheduler_of
from local_dream_mockserver.server.engine import Description
from local_dream_mockserver.server.errors import APIError, Code

DEFAULT_STEPS = 50
DEFAULT_STRENGTH = 0.75
MULTIPLE = 8
FIELDS = ("width", "height", "steps")
"""Those that are the same there and here."""


def translated(sent: dict[str, Any], image: str | None, description: Description) -> dict[str, Any]:
    """The body of POST /generate. `image` is the picture to start from. Raises APIError.

    Fields that have no meaning here (`restore_faces`, `enable_hr`, scripts, ...) are ignored.
    """
    prompt = sent.get("prompt") or ""
    made: dict[str, Any] = {
        "prompt": prompt if prompt != "" else " ",  # there, nothing to show is a prompt too
        "negative_prompt": sent.get("negative_prompt") or "",
        "cfg": _given(sent, "cfg_scale", 7.0),
        "scheduler": _scheduler(sent, description),
        **{name: sent[name] for name in FIELDS if sent.get(name) is not None},
    }
    made.setdefault("steps", DEFAULT_STEPS)
    for side in ("width", "height"):  # there, any size is rounded down
        if isinstance(made.get(side), int):
            made[side] = made[side] // MULTIPLE * MULTIPLE
    seed = _given(sent, "seed", -1)
    if seed != -1:
        made["seed"] = seed
    if image is not None:
        made |= {"image": image, "denoise_strength": _given(sent, "denoising_strength", DEFAULT_STRENGTH)}
        if sent.get("mask"):
            made["mask"] = sent["mask"]
    return made


def first_image(sent: dict[str, Any]) -> str:
    """The picture of POST /sdapi/v1/img2img. Raises APIError (404, as there)."""
    images = sent.get("init_images")
    if not isinstance(images, list) or not images or not isinstance(images[0], str):
        raise APIError(404, "Init image not found", code=Code.NO_SUCH_THING, field="init_images")
    return images[0]


def inverts_mask(sent: dict[str, Any]) -> bool:
    """Whether what the mask leaves black is to be painted. Raises APIError (422)."""
    wanted = _given(sent, "inpainting_mask_invert", 0)
    if wanted not in (0, 1):
        message = "inpainting_mask_invert: send 0 (paint what is white) or 1 (paint what is black)"
        raise APIError(422, message, code=Code.OUT_OF_RANGE, field="inpainting_mask_invert")
    return bool(wanted)


def count_of(sent: dict[str, Any], most: int) -> int:
    """How many pictures are wanted: `batch_size` times `n_iter`. Raises APIError (422)."""
    numbers = [_given(sent, name, 1) for name in ("batch_size", "n_iter")]
    if not all(type(number) is int and number >= 1 for number in numbers) or numbers[0] * numbers[1] > most:
        message = f"batch_size, n_iter: together they must make 1 to {most} pictures"
        raise APIError(422, message, code=Code.OVER_LIMIT, field="batch_size, n_iter")
    return int(numbers[0] * numbers[1])


def _scheduler(sent: dict[str, Any], description: Description) -> str:
    sampler = sent.get("sampler_name") or sent.get("sampler_index") or DEFAULT
    found = scheduler_of(str(sampler), str(sent.get("scheduler") or ""), description.schedulers)
    if found is None:
        raise APIError(404, "Sampler not found", code=Code.NO_SUCH_THING, field="sampler_name")
    return found


def _given(sent: dict[str, Any], name: str, otherwise: Any) -> Any:
    return otherwise if sent.get(name) is None else sent[name]
