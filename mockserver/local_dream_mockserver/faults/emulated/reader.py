"""How the recorded releases read a body of /generate: as their JSON library converts values, in their order, with their
words for what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from PIL import Image

from local_dream_mockserver.faults.effects.requests import AnyAnswer, in_stream
from local_dream_mockserver.faults.emulated.conversions import flag_of, float_of, int_of, stoi, text_of, unsigned_of
from local_dream_mockserver.faults.emulated.decoding import Undecodable, decoded
from local_dream_mockserver.faults.emulated.json_library import JsonFailure, dumped, parsed
from local_dream_mockserver.faults.emulated.version import DPM, Mode, Version
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError

FORMATS = ("jpeg", "png")
SDXL_SIDE = 1024
SMALLEST_REFINED = 512
LARGEST_REFINED = 8192
MOST_PICTURE_PIXELS = 2**26


class Refusal(APIError):
    """An error answer, written as the library writes it."""

    def __init__(self, status: int, message: str | bytes, kind: str = "") -> None:
        super().__init__(status, message if isinstance(message, str) else message.decode(errors="replace"))
        self._kind = kind
        self._body = self._written(message if isinstance(message, bytes) else message.encode())

    @property
    def kind(self) -> str:
        return self._kind or super().kind

    def _written(self, message: bytes) -> bytes:
        """Raises AnyAnswer where the message cannot be written: an exception that nobody catches."""
        try:
            return dumped({"error": {"message": message, "type": self.kind}})
        except JsonFailure as failure:
            raise uncaught(failure) from None

    def body(self) -> bytes:
        return self._body


def uncaught(failure: JsonFailure) -> APIError:
    """The HTTP library's answer to an exception."""
    what = failure.message.replace(b"\r", b"\\r").replace(b"\n", b"\\n")
    return AnyAnswer(500, b"", {"EXCEPTION_WHAT": what.decode("latin-1")})


def invalid(message: str | bytes) -> Refusal:
    """What the releases say of std::invalid_argument."""
    return Refusal(400, b"Invalid Arg: " + (message if isinstance(message, bytes) else message.encode()))


def failed(message: str | bytes) -> Refusal:
    """What they say of every other exception."""
    return Refusal(500, b"Server Err: " + (message if isinstance(message, bytes) else message.encode()))


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a release takes a request for. Sizes and steps as they are, however little sense they make."""

    prompt: str
    negative_prompt: str = ""
    steps: int = 20
    cfg: float = 7.5
    scheduler: str = DPM
    use_opencl: bool = False
    previews: bool = False
    stride: int = 1
    seed: int | None = None
    width: int = 512
    height: int = 512
    strength: float = 0.6
    preview_format: str = "raw"
    output_format: str = "raw"
    image: Image.Image | None = None
    mask: Image.Image | None = None
    refines: bool = False
    """Whether the picture is refined tile by tile."""
    from_picture: bool = False
    """Whether the work begins with a picture: that of the request, or the canvas of an aspect ratio."""

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height

    def previews_at(self, step: int) -> bool:
        """Whether the denoising step (from 1) shows a preview. As the phones' processors divide: by 0 there is no rest
        but 0."""
        return self.previews and (step == 1 if self.stride == 0 else (step - 1) % abs(self.stride) == 0)


def wanted_of(body: bytes, version: Version, mode: Mode) -> Wanted:
    """Raises APIError."""
    try:
        document = parsed(body)
        if not isinstance(document, dict) or "prompt" not in document:
            raise invalid("Missing 'prompt'")
        return _Fields(document, version, mode).wanted()
    except JsonFailure as failure:
        if failure.parse:
            raise Refusal(400, b"Invalid JSON: " + failure.message) from None
        raise failed(failure.message) from None


class _Fields:
    """The fields of one request, read in the order of the releases: the first that will not do is what is told."""

    def __init__(self, document: Mapping[str, Any], version: Version, mode: Mode) -> None:
        self.sent = document
        self.version = version
        self.mode = mode

    def wanted(self) -> Wanted:
        """Raises APIError or JsonFailure."""
        sent = self.sent
        read: dict[str, Any] = {"prompt": text_of(sent["prompt"])}
        self._into(read, "negative_prompt", text_of)
        self._into(read, "steps", int_of)
        self._into(read, "cfg", float_of)
        self._into(read, "scheduler", text_of)
        self._into(read, "use_opencl", flag_of)
        self._into(read, "show_diffusion_process", flag_of, "previews")
        self._into(read, "show_diffusion_stride", int_of, "stride")
        self._into(read, "seed", unsigned_of)
        self._into(read, "width", int_of)
        self._into(read, "height", int_of)
        if "size" in sent:
            read["width"] = read["height"] = int_of(sent["size"])
        refines = self.version.ultrafix and "ultrafix" in sent and flag_of(sent["ultrafix"])
        if refines:
            self._check_refining(Wanted(**read))
            read |= {"previews": False, "refines": True}
        if self.mode is Mode.SDXL and not refines:
            read["width"] = read["height"] = SDXL_SIDE
        self._into(read, "denoise_strength", float_of, "strength")
        if self.version.formats:
            self._into(read, "preview_format", format_of)
            self._into(read, "output_format", format_of)
        if not refines:
            self._shape(read)
        self._picture(read)
        return Wanted(**read)

    def _into(self, read: dict[str, Any], name: str, convert: Callable[[Any], Any], as_name: str = "") -> None:
        if name in self.sent:
            read[as_name or name] = convert(self.sent[name])

    def _check_refining(self, wanted: Wanted) -> None:
        """Raises Refusal."""
        sdxl = self.mode is Mode.SDXL
        if self.mode is Mode.MNN:
            raise invalid("ultrafix not supported by this backend")
        if "image" not in self.sent:
            raise invalid("ultrafix requires 'image'")
        if "mask" in self.sent:
            raise invalid("ultrafix does not support 'mask'")
        tile = SDXL_SIDE if sdxl else int_of(self.sent.get("tile_size", SMALLEST_REFINED))
        if tile <= 0 or tile % 8:
            raise invalid("Invalid ultrafix tile_size")
        if wanted.width % 8 or wanted.height % 8:
            raise invalid("ultrafix size must be a multiple of 8")
        least = max(tile, SDXL_SIDE if sdxl else SMALLEST_REFINED)
        if min(wanted.size) < least:
            raise invalid(f"ultrafix image shorter edge must be >= {least}")
        if max(wanted.size) > LARGEST_REFINED:
            raise invalid(f"ultrafix image too large (max {LARGEST_REFINED})")

    def _shape(self, read: dict[str, Any]) -> None:
        """SDXL reaches another shape by painting a part of its canvas."""
        if self.mode is not Mode.SDXL or not self.version.aspect_ratio or "aspect_ratio" not in self.sent:
            return
        shape = shape_of(text_of(self.sent["aspect_ratio"]))
        if shape is not None:
            read["width"], read["height"] = shape
            read["from_picture"] = True
            if "image" not in self.sent:
                read["strength"] = 1.0

    def _picture(self, read: dict[str, Any]) -> None:
        sent, separate = self.sent, self.version.separate_mask
        size = read.get("width", Wanted.width), read.get("height", Wanted.height)
        if "image" in sent:
            text = text_of(sent["image"])
            with_mask = not separate and "mask" in sent
            read["image"] = _decoded("img" if separate else "img/mask", lambda: text, size, "Img size mismatch")
            read["from_picture"] = True
            if with_mask:
                read["mask"] = _decoded("img/mask", lambda: text_of(sent["mask"]), size, "Mask decode empty")
        if separate and "mask" in sent:
            if not read.get("from_picture", False):
                raise invalid("Err proc mask: mask requires image")
            read["mask"] = _decoded("mask", lambda: text_of(sent["mask"]), size, "Mask decode empty")


def _decoded(what: str, text: Callable[[], str], size: tuple[int, int], empty: str) -> Image.Image | None:
    """Raises Refusal. None where the picture has no pixels, which is no fault of an image, but one of a mask."""
    try:
        image = decoded(text(), MOST_PICTURE_PIXELS)
    except JsonFailure as failure:
        raise invalid(f"Err proc {what}: ".encode() + failure.message) from None
    except Undecodable as problem:
        raise invalid(f"Err proc {what}: {problem}") from None
    if min(size) < 0:
        raise invalid(f"Err proc {what}: vector::_M_default_append")
    is_mask = empty.startswith("Mask")
    if is_mask and (image is None or min(size) < 8):
        raise invalid(f"Err proc {what}: {empty}")
    if not is_mask and image is None and 0 not in size:
        raise invalid(f"Err proc {what}: {empty}")
    return image if 0 not in size else None


def shape_of(ratio: str) -> tuple[int, int] | None:
    """The size that SDXL paints for a ratio such as 16:9; None where it is square or no ratio."""
    first, colon, second = ratio.partition(":")
    try:
        wide, high = stoi(first.encode()), stoi(second.encode())
    except (ValueError, OverflowError):  # the release lets every exception pass here
        return None
    if not colon or min(wide, high) <= 0 or wide == high:
        return None
    short = max(8, int(SDXL_SIDE * min(wide, high) / max(wide, high)) // 8 * 8)
    return (SDXL_SIDE, short) if wide > high else (short, SDXL_SIDE)


def format_of(value: Any) -> str:
    """Every other format means raw."""
    text = text_of(value)
    return text if text in FORMATS else "raw"


def in_the_stream(message: str) -> APIError:
    """A failure once the stream has begun."""
    return in_stream({"message": message, "type": "error"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReleaseRequest(GenerationRequest):
    """A request with what the release takes it for."""

    wanted: Wanted

    @classmethod
    def of(cls, request: GenerationRequest, wanted: Wanted) -> ReleaseRequest:
        return cls(**{field.name: getattr(request, field.name) for field in fields(request)}, wanted=wanted)

    def plain(self) -> GenerationRequest:
        """As engines know it, with a preview at every step."""
        values = {field.name: getattr(self, field.name) for field in fields(GenerationRequest)}
        return GenerationRequest(**values | {"preview_stride": 1})
