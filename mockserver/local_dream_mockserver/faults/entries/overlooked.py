"""Faults and quirks that a glance at a picture, an event or a file does not show: something is a little off, or used in
part."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from functools import partial

import numpy as np
from PIL import ExifTags, Image, ImageFilter

from local_dream_mockserver.faults.catalogue import Layer
from local_dream_mockserver.faults.effects import events, pictures, requests, upscale
from local_dream_mockserver.faults.effects.declare import several, where
from local_dream_mockserver.faults.effects.events import COMPLETE, PROGRESS
from local_dream_mockserver.faults.effects.requests import Body
from local_dream_mockserver.faults.entries.painting import array_of, in_cells
from local_dream_mockserver.faults.png_bytes import PNG, with_bytes_swapped
from local_dream_mockserver.server.engine import GenerationRequest, Mask, Rgb
from local_dream_mockserver.server.image_input import decode_base64, read_image, read_mask
from local_dream_mockserver.server.upscale import UpscaleAnswer

SOFT = ImageFilter.GaussianBlur(5)

# Seed and prompts

several(pictures.asked)(
    "seed-cut-to-31-bits (GEN-PIC-09): The highest bit of the seed has no effect.",
    lambda request: replace(request, seed=request.seed & 0x7FFFFFFF),
    "seed-cut-to-16-bits (GEN-PIC-09): The upper half of the seed has no effect.",
    lambda request: replace(request, seed=request.seed & 0xFFFF),
    "seed-as-float (GEN-PIC-09): The seed passes through a float of 32 bits.",
    lambda request: replace(request, seed=min(int(np.float32(request.seed)), 2**32 - 1)),
    "seed-without-its-sign (GEN-PIC-09): The seed is read as a signed number, and its sign has no effect.",
    lambda request: replace(request, seed=min(request.seed, 2**32 - request.seed)),
    "prompt-cut (GEN-PIC-10): Only the first 100 characters of the prompt have an effect.",
    lambda request: replace(request, prompt=request.prompt[:100]),
    "prompt-words-sorted (GEN-PIC-10): The order of the words in the prompt has no effect.",
    lambda request: replace(request, prompt=" ".join(sorted(request.prompt.split()))),
    "prompt-of-one-line (GEN-PIC-10): Only the first line of the prompt has an effect.",
    lambda request: replace(request, prompt=request.prompt.partition("\n")[0]),
    "prompt-words-once (GEN-PIC-10): A word of the prompt that comes again has no effect.",
    lambda request: replace(request, prompt=" ".join(dict.fromkeys(request.prompt.split()))),
    "negative-prompt-ignored (GEN-PIC-17): The negative prompt has no effect.",
    lambda request: replace(request, negative_prompt=""),
    "cfg-ignored (GEN-PIC-20): The cfg has no effect.",
    lambda request: replace(request, cfg=7.5),
    "cfg-rounded (GEN-PIC-20): The cfg is rounded to an integer.",
    lambda request: replace(request, cfg=float(round(request.cfg))),
    "scheduler-ignored (GEN-PIC-21): The scheduler has no effect.",
    lambda request: replace(request, scheduler="dpm"),
    "steps-always-four (GEN-PIC-22): Four steps are made, whatever their number in the request.",
    lambda request: replace(request, steps=4),
)


# Strength and mask

several(pictures.asked, given="image")(
    "image-with-one-seed (GEN-PIC-09): With an image the seed has no effect.",
    lambda request: replace(request, seed=7),
    "image-without-prompt (GEN-PIC-10): With an image the prompt has no effect.",
    lambda request: replace(request, prompt="a picture"),
    "image-without-negative-prompt (GEN-PIC-17): With an image the negative prompt has no effect.",
    lambda request: replace(request, negative_prompt=""),
    "image-with-one-cfg (GEN-PIC-20): With an image the cfg has no effect.",
    lambda request: replace(request, cfg=7.5),
    "image-with-one-scheduler (GEN-PIC-21): With an image the scheduler has no effect.",
    lambda request: replace(request, scheduler="dpm"),
    "strength-zero-is-none (GEN-PIC-15): A denoise_strength of 0 is taken for none, and the default used.",
    lambda request: request if request.denoise_strength else replace(request, denoise_strength=0.6),
    "strength-half-at-least (GEN-PIC-15): A denoise_strength below a half is taken for a half.",
    lambda request: replace(request, denoise_strength=max(0.5, request.denoise_strength)),
    "strength-rounded (GEN-PIC-16): The denoise_strength is rounded to 0 or 1.",
    lambda request: replace(request, denoise_strength=float(round(request.denoise_strength))),
    "strength-zero-takes-a-step (quirk): A denoise_strength of 0 still takes one of the steps.",
    lambda request: replace(request, denoise_strength=max(1 / request.steps, request.denoise_strength)),
)


@requests.accepted("GEN-REQ-27", layer=Layer.PICTURE)
def deep_image_by_its_lower_bytes(request: GenerationRequest, values: Body) -> GenerationRequest:
    """Of an image of 16 bits a channel the lower ones are read."""
    data = b"" if request.image is None else decode_base64("image", values["image"])
    if not data.startswith(PNG) or data[24] != 16:
        return request
    turned = base64.b64encode(with_bytes_swapped(data)).decode()
    return replace(request, image=read_image("image", turned, (request.width, request.height), 2**26))


@requests.accepted("GEN-DEF-04", "GEN-DEF-05", layer=Layer.PICTURE)
def size_left_out_is_that_of_the_image(request: GenerationRequest, values: Body) -> GenerationRequest:
    """Without a size a picture is as large as its image."""
    if request.image is None or values.get("width") is not None or values.get("height") is not None:
        return request
    with Image.open(io.BytesIO(decode_base64("image", values["image"]))) as file:
        width, height = (max(8, side // 8 * 8) for side in file.size)
    if (width, height) == (request.width, request.height):
        return request
    image = read_image("image", values["image"], (width, height), 2**26)
    mask = None if request.mask is None else read_mask("mask", values["mask"], (width, height), 2**26)
    return replace(request, width=width, height=height, image=image, mask=mask)


@pictures.picture("GEN-PIC-15")
def right_half_lower(rgb: Rgb) -> Rgb:
    """The right half of pictures of 256 rows and more stands 16 rows lower than the left."""
    if rgb.shape[0] < 256:
        return rgb
    shown, middle = rgb.copy(), rgb.shape[1] // 2
    shown[16:, middle:] = rgb[:-16, middle:]
    return shown


def boxed(mask: Mask) -> Mask:
    """All white in the smallest box around what is white."""
    rows, columns = (np.flatnonzero((mask > 127).any(axis=axis)) for axis in (1, 0))
    box = np.zeros_like(mask)
    if rows.size:
        box[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = 255
    return box


several(pictures.asked, given="mask")(
    "mask-boxed (GEN-PIC-12): All in the box around the white parts of the mask is repainted.",
    lambda request: replace(request, mask=boxed(array_of(request.mask))),
    "mask-upside-down (GEN-PIC-12): The mask is read upside down.",
    lambda request: replace(request, mask=array_of(request.mask)[::-1].copy()),
    "mask-leaks (GEN-PIC-12): Black parts of the mask are repainted by a quarter.",
    lambda request: replace(request, mask=(64 + array_of(request.mask) * 0.75).astype(np.uint8)),
    "mask-with-soft-edges (quirk): The edges of the mask are blurred, into its black parts too.",
    lambda request: replace(request, mask=np.asarray(Image.fromarray(array_of(request.mask)).filter(SOFT))),
)


# Pictures and previews, and what complete says


@pictures.picture(kinds=PROGRESS, quirk=True)
def preview_approximate(rgb: Rgb) -> Rgb:
    """Previews are coarse, pale and of a wrong tint, as without the decoder."""
    cells = np.asarray(in_cells(Image.fromarray(rgb))).astype(np.float32)
    mixed = cells @ np.array([[0.6, 0.1, 0.1], [0.2, 0.6, 0.1], [0.1, 0.2, 0.5]], np.float32)
    tinted: Rgb = np.clip(mixed * 0.8 + np.array([40, 20, 10], np.float32), 0, 255).astype(np.uint8)
    return tinted


several(pictures.picture, kinds=PROGRESS)(
    "preview-bgr (GEN-PIC-18): Red and blue of previews are swapped.",
    lambda rgb: rgb[:, :, ::-1],
    "preview-upside-down (GEN-PIC-18): Previews are upside down.",
    lambda rgb: rgb[::-1],
    "preview-mirrored (GEN-PIC-18): Previews are mirrored.",
    lambda rgb: rgb[:, ::-1],
    "preview-black (GEN-PIC-18): Previews are black.",
    lambda rgb: np.zeros_like(rgb),
    "preview-of-noise (GEN-PIC-19): Previews are noise, whatever the picture.",
    lambda rgb: np.random.default_rng(1).integers(0, 256, rgb.shape, np.uint8),
    "levels-of-television (GEN-PIC-15): Pictures come in the levels 16 to 235.",
    where(lambda rgb: np.rint(rgb * (219 / 255) + 16).astype(np.uint8), kinds=COMPLETE),
)
several(events.event, kinds=COMPLETE)(
    "time-in-seconds (GEN-EVT-22): The generation_time_ms is in seconds.",
    lambda message: message.with_(generation_time_ms=message.payload["generation_time_ms"] // 1000),
    "times-in-whole-seconds (quirk): The times in complete are whole seconds, rounded down.",
    lambda message: message.with_(
        generation_time_ms=message.payload["generation_time_ms"] // 1000 * 1000, first_step_time_ms=0
    ),
)


# The enlarged picture


@upscale.enlarged("UPS-ANS-07")
def upscale_turned_by_metadata(answer: UpscaleAnswer) -> UpscaleAnswer:
    """The JPEG says that it is to be shown turned by 90 degrees."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    data = b"Exif\0\0" + exif.tobytes().removeprefix(b"Exif\0\0")
    head = b"\xff\xe1" + (len(data) + 2).to_bytes(2, "big") + data
    return replace(answer, jpeg=answer.jpeg[:2] + head + answer.jpeg[2:])


several(upscale.pixels)(
    "upscale-tiles-show (UPS-ANS-08): Black lines show between tiles of 64 pixels.",
    lambda rgb: rgb * (np.arange(rgb.shape[1]) % 256 != 255)[:, np.newaxis],
    "upscale-half-a-pixel-off (UPS-ANS-08): The picture is shifted by half a pixel of what was sent.",
    lambda rgb: np.roll(rgb, 2, axis=1),
    "upscale-brighter (UPS-ANS-08): The picture is a tenth brighter.",
    lambda rgb: np.clip(rgb * 1.1, 0, 255).astype(np.uint8),
    "upscale-sharpened (quirk): The picture is sharpened, and its contrast a little higher.",
    lambda rgb: np.asarray(Image.fromarray(rgb).filter(ImageFilter.UnsharpMask(2, 60, 0)).point(lambda v: v * 1.02)),
)


# What is kept from one request to the next, and what shows that should not

several(requests.accepted, layer=Layer.PICTURE)(
    "picked-seed-unused (GEN-DEF-13): Without a seed in the request another one is used than is reported.",
    lambda request, values: (
        request if values.get("seed") is not None else replace(request, prompt=request.prompt + ".")
    ),
    "picture-depends-on-previews (GEN-PIC-23): With previews the picture is another one.",
    lambda request, values: replace(request, prompt=request.prompt + ".") if request.previews else request,
    "steps-six-at-most (GEN-EVT-24): More than six steps are six.",
    lambda request, values: replace(request, steps=min(request.steps, 6)) if request.steps > 6 else request,
)


def of_before(field: str, last: Body, request: GenerationRequest, values: Body) -> GenerationRequest:
    """The request with the field's value of the last one that had it, where it has none."""
    if isinstance(values.get(field), str):
        last[field] = values[field]
    return replace(request, **{field: last[field]}) if field in last else request


def pictures_of_before(
    names: tuple[str, ...], last: dict[str, GenerationRequest], request: GenerationRequest
) -> GenerationRequest:
    """The request with these pictures of the last one that had them, in the same size, where it has none."""
    if getattr(request, names[0]) is not None:
        last["seen"] = request
        return request
    seen = last.get("seen")
    if seen is None or (seen.width, seen.height) != (request.width, request.height):
        return request
    return replace(request, **{name: getattr(seen, name) for name in names})


def remembered(without: str, made: dict[object, GenerationRequest], request: GenerationRequest) -> GenerationRequest:
    """The first request that differs from this one in no more than the picture `without`."""
    key = replace(request, image=None, mask=None, previews=False)
    parts = [getattr(request, name) for name in ("image", "mask") if name != without]
    bytes_of = tuple(None if part is None else part.tobytes() for part in parts)
    return made.setdefault((repr(key), request.image is None, bytes_of), request)


several(requests.accepted, layer=Layer.PICTURE, state=dict)(
    "image-kept (GEN-PIC-07): An image that is left out is that of the request before, where that had the same size.",
    partial(pictures_of_before, ("image", "denoise_strength")),
    "mask-kept (GEN-PIC-07): A mask that is left out is that of the request before, where that had the same size.",
    lambda last, request: request if request.image is None else pictures_of_before(("mask",), last, request),
    "pictures-cached-without-image (GEN-PIC-24): A request that differs from an earlier one in its image alone gets the"
    " picture of that.",
    partial(remembered, "image"),
    "pictures-cached-without-mask (GEN-PIC-25): A request that differs from an earlier one in its mask alone gets the"
    " picture of that.",
    partial(remembered, "mask"),
    "negative-prompt-kept (GEN-PIC-07): A negative_prompt that is left out is that of the request before.",
    partial(of_before, "negative_prompt"),
    "scheduler-kept (GEN-PIC-07): A scheduler that is left out is that of the request before.",
    partial(of_before, "scheduler"),
)
several(upscale.enlarged, state=dict)(
    "upscale-cached-by-size (UPS-ANS-07): A picture gets the enlargement of the first one of its size.",
    lambda cache, answer, request: cache.setdefault((request.width, request.height), answer),
)
