"""A server on paper that has every extension, or lacks some, or does something wrong; and a target that asks it.

The target runs the real scenarios without a network: what they send is what is answered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
from PIL import Image

from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import Exchange, Request, Transcript
from local_dream_conformance.core.fields import added_schedulers, synonyms
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.http.target import Target
from local_dream_conformance.scenarios import SCENARIOS
from local_dream_conformance.scenarios.test_images import card
from tests.conformance.in_memory_server import DEFAULTS, InMemoryServer
from tests.conformance.transcripts import (
    JSON_HEADERS,
    Headers,
    Pixels,
    answer,
    coded,
    complete,
    picture,
    progress,
    refusal,
    stream,
    upscale,
)

ALLOWED = "Content-Type, X-Image-Width, X-Image-Height, X-Upscaler-Path, X-Use-OpenCL"
EXPOSED = "X-Output-Width, X-Output-Height, X-Duration-Ms"
MOST_TOKENS = 77
WEIGHTED = re.compile(r"\((.*):([0-9.]+)\)")
MARKS = re.compile(r":\s*[0-9.]+\s*(?=\))|[()\[\]]")


@dataclass
class ExtendedServer:
    """`without` names extensions that it lacks, `wrong` what it does wrong (the words that its methods ask for)."""

    without: tuple[str, ...] = ()
    wrong: str = ""
    preview_shrink: int = 1
    asked: list[tuple[str, Request]] = field(default_factory=list)

    def has(self, extension: str) -> bool:
        return extension not in self.without

    def respond(self, label: str, request: Request) -> Exchange:
        """The answer to a request, with the headers that let pages in."""
        self.asked.append((label, request))
        made = self._respond(label, request)
        return replace(made, headers=(*made.headers, *self._cors(request, made)))

    def _respond(self, label: str, request: Request) -> Exchange:
        if request.method == "OPTIONS":
            if not self.has("cors") or not self.has(request.target.strip("/")):
                return answer(label, 404, to=request)
            return answer(label, 401 if self.wrong == "preflight-401" else 204, to=request)
        if request.target == "/health":
            return answer(label, 200, to=request)
        if request.target.startswith("/no-such-path"):
            return refusal(label, 404, to=request)
        if request.target == "/tokenize":
            return self._tokenize(label, request)
        if request.target == "/upscale":
            return self._upscale(label, request)
        if not self.has("generate"):
            return refusal(label, 405 if self.wrong == "generate-405" else 404, to=request)
        return self._generate(label, request)

    def _cors(self, request: Request, made: Exchange) -> Headers:
        if not self.has("cors") or (self.wrong == "cors-not-on-errors" and (made.status or 0) >= 400):
            return ()
        if self.wrong == "cors-not-on-404" and made.status == 404:
            return ()
        if self.wrong == "cors-not-on-streams" and made.media_type == "text/event-stream":
            return ()
        origin = "https://elsewhere.example" if self.wrong == "other-origin" else "*"
        found = [("Access-Control-Allow-Origin", origin)]
        if request.method == "OPTIONS":
            if self.wrong != "no-allow-headers":
                allowed = "X-Other" if self.wrong == "other-allow-headers" else ALLOWED
                allowed = "content-type" if self.wrong == "allows-content-type-only" else allowed
                found.append(("Access-Control-Allow-Headers", allowed))
            if self.wrong != "no-max-age":
                found.append(("Access-Control-Max-Age", "600"))
        elif request.target == "/upscale" and self.wrong != "exposes-nothing":
            found.append(("Access-Control-Expose-Headers", EXPOSED))
        return tuple(found)

    def _upscale(self, label: str, request: Request) -> Exchange:
        if not self.has("upscale"):
            return refusal(label, 404, to=request)
        width, height = request.header("x-image-width"), request.header("x-image-height")
        if not (width or "").isdigit() or not (height or "").isdigit() or not request.body:
            return refusal(label, to=request)
        return upscale(label, picture(int(width or 0), int(height or 0)), to=request)

    # Tokens: one for each character of a word that is not ASCII, one for each other word, and two markers

    def _tokenize(self, label: str, request: Request) -> Exchange:
        if not self.has("tokenize"):
            return refusal(label, 404, to=request)
        sent = request.json
        if not isinstance(sent, dict) or not isinstance(sent.get("prompt", ""), str):
            kind = "request_error" if self.wrong == "tokenize-request-error" else "tokenize_error"
            return refusal(label, 500 if self.wrong == "tokenize-500" else 400, kind, to=request)
        if "prompt" not in sent and self.wrong != "tokenize-no-prompt":
            return refusal(label, 400, "tokenize_error", to=request)
        return self._counted(label, request, sent.get("prompt", ""))

    def _counted(self, label: str, request: Request, prompt: str) -> Exchange:
        if self.has("prompt_weights") and self.wrong != "weights-counted":
            prompt = MARKS.sub(" ", prompt)
        words = prompt.split()
        count = len(set(words) if self.wrong == "counts-different-words" else words) + 2
        counted = min(count, MOST_TOKENS) if self.wrong == "count-clamped" else count
        found: dict[str, Any] = {"count": counted, "max_length": MOST_TOKENS, "overflow_offset": -1}
        if count > MOST_TOKENS:
            before = " ".join(words[: MOST_TOKENS - 2]) + " "
            units = len(before.encode("utf-16-le")) // 2
            offsets = {"offset-bytes": len(before.encode()), "offset-characters": len(before), "offset-none": -1}
            found["overflow_offset"] = offsets.get(self.wrong, units)
        elif self.wrong == "offset-null":
            found["overflow_offset"] = None
        if self.wrong == "no-offset":
            del found["overflow_offset"]
        if self.wrong == "count-text":
            found["max_length"] = str(MOST_TOKENS)
        if self.wrong == "limit-varies":
            found["max_length"] = MOST_TOKENS + count
        headers = (("Content-Type", "text/html"),) if self.wrong == "tokenize-html" else JSON_HEADERS
        return answer(label, 200, json.dumps(found).encode(), to=request, headers=headers)

    # Pictures

    def _generate(self, label: str, request: Request) -> Exchange:
        sent = request.json
        if not isinstance(sent, dict) or not isinstance(sent.get("prompt"), str):
            return refusal(label, to=request)
        if self.has("ultrafix") and self._is_unfit(sent):
            return refusal(label, self._status(sent, "ultrafix"), to=request)
        odd = "reference_images" in sent and not _are_pictures(sent["reference_images"])
        if self.has("reference_images") and odd and self.wrong != "takes-any-references":
            return refusal(label, 500 if self.wrong == "references-500" else 400, to=request)
        if self._is_odd(sent):
            if self.wrong != "refuses-nothing":
                return refusal(label, to=request)
            sent = {name: value for name, value in sent.items() if name in _PAINTED}
        meant = {**DEFAULTS, **sent}
        if meant["scheduler"] in added_schedulers() and self.wrong in (
            f"falls-back-{meant['scheduler']}",
            "falls-back",
        ):
            meant["scheduler"] = "dpm"
        if self.wrong != "eulera-is-its-own":
            meant["scheduler"] = synonyms().get(meant["scheduler"], meant["scheduler"])
        if self.has("prompt_weights") and (weighted := WEIGHTED.fullmatch(meant["prompt"])):
            plain = float(weighted[2]) == 1 and self.wrong != "weight-one-counts"
            meant["prompt"] = (
                weighted[1] if plain or self.wrong == "weights-ignored" else f"{weighted[1]} {weighted[2]}"
            )
        meant["width"], meant["height"] = self._size(meant)
        pixels = InMemoryServer()._paint({name: value for name, value in meant.items() if name in _PAINTED})
        if self.has("ultrafix") and sent.get("ultrafix") is True:
            pixels = self._refined(pixels)
        if self.has("reference_images") and sent.get("reference_images") and self.wrong != "references-unseen":
            pixels = pixels // 2
        return self._stream(label, request, meant, pixels)

    def _is_unfit(self, sent: Mapping[str, Any]) -> bool:
        """Whether it will not do for ultrafix."""
        if sent.get("ultrafix", False) is False:
            return False
        if self.wrong == "ultrafix-takes-masks" and "mask" in sent:
            return False
        tile = sent.get("tile_size", 512)
        fits = tile in range(8, min(sent["width"], sent["height"]) + 1, 8) or self.wrong == "takes-any-tile"
        return sent["ultrafix"] is not True or "image" not in sent or "mask" in sent or not fits

    def _status(self, sent: Mapping[str, Any], field: str) -> int:
        return 500 if self.wrong == f"{field}-500" and "image" not in sent else 400

    def _refined(self, pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        if self.wrong == "ultrafix-swaps":
            return np.roll(pixels, width // 2, axis=1)
        kept = np.array(card(width, height))
        if self.wrong == "ultrafix-in-one-half":
            kept[:, : width // 2] = pixels[:, : width // 2]
            return kept
        return pixels

    def _is_odd(self, sent: Mapping[str, Any]) -> bool:
        scheduler = sent.get("scheduler", "dpm")
        if scheduler in added_schedulers() and (not self.has("schedulers") or self.wrong == f"refuses-{scheduler}"):
            return True
        formats = [sent.get(name, "raw") for name in ("output_format", "preview_format")]
        if self.has("formats") and not set(formats) <= {"raw", "jpeg", "png"}:
            return True
        size, ratio = sent.get("size", 8), sent.get("aspect_ratio", "1:1")
        if self.has("size") and (not isinstance(size, int) or size < 8 or size % 8):
            return True
        return self.has("aspect_ratio") and ratio in ("wide", "0:1")

    def _size(self, meant: Mapping[str, Any]) -> tuple[int, int]:
        width, height = meant["width"], meant["height"]
        if self.wrong == "fixed-size":
            return 256, 256
        if self.wrong == "ultrafix-one-tile" and meant.get("ultrafix"):
            return 512, 512
        if self.wrong == "reference-gives-the-size" and meant.get("reference_images"):
            return 96, 160
        if "size" in meant and self.has("size"):
            return (meant["size"], height) if self.wrong == "size-for-width" else (meant["size"], meant["size"])
        if "aspect_ratio" in meant and self.has("aspect_ratio") and not self._is_overlooked(meant["aspect_ratio"]):
            return self._shaped(max(width, height), meant["aspect_ratio"])
        return width, height

    def _is_overlooked(self, ratio: str) -> bool:
        across, down = (int(part) for part in ratio.split(":"))
        return self.wrong == "ratio-wide-ignored" and across > down

    def _shaped(self, longer: int, ratio: str) -> tuple[int, int]:
        across, down = (int(part) for part in ratio.split(":"))
        if self.wrong == "ratio-h-w":
            across, down = down, across
        if self.wrong == "ratio-from-shorter":
            longer //= 2
        exact = longer * min(across, down) / max(across, down)
        shorter = round(exact / 8) * 8 if self.wrong == "ratio-rounds" else int(exact // 8 * 8)
        if self.wrong == "ratio-all-portrait":
            return shorter, longer
        return (longer, shorter) if across > down else (shorter, longer)

    def _stream(self, label: str, request: Request, meant: Mapping[str, Any], pixels: Pixels) -> Exchange:
        has = self.has("formats")
        output = meant.get("output_format", "raw") if has and self.wrong != "output-ignored" else "raw"
        preview = meant.get("preview_format", "raw") if has and self.wrong != "preview-ignored" else "raw"
        if self.wrong == "one-format" and "output_format" in meant:
            preview = output
        said = "jpeg" if self.wrong == "other-format-said" else output
        coded_as = "jpeg" if self.wrong == "codes-jpeg-for-png" and output == "png" else output
        shown = _shrunk(pixels, self.preview_shrink if preview != "raw" else 1)
        count = meant["steps"] if meant["show_diffusion_process"] else 0
        image = _coded(_turned(shown, self.wrong) if preview != "raw" else shown, preview) if count else None
        named = {"format": preview} if has and self.wrong != "preview-unsaid" else {}
        steps = meant["steps"]
        events = [
            progress(step + 1, steps, image, **named) if step < count else progress(step + 1, steps)
            for step in range(steps)
        ]
        final = _turned(pixels, self.wrong) if output == "png" else pixels
        last = {"format": said} if has and self.wrong != "output-unsaid" else {}
        if self.wrong == "raw-unsaid" and output == "raw":
            last = {}
        done = complete(pixels, meant.get("seed", 5), image=_coded(final, coded_as), **last)
        return replace(stream(label, [*events, done]), request=request)


def _are_pictures(value: object) -> bool:
    """Whether it is an array of pictures as base64, by how they begin."""
    kinds = ("iVBORw0KGgo", "/9j/")
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) and v.startswith(kinds) for v in value)


_PAINTED = (*DEFAULTS, "prompt", "seed", "image", "mask")


def _coded(pixels: Pixels, format: str) -> str:
    return coded(pixels, format, **({"quality": 90} if format == "jpeg" else {}))


def _turned(pixels: Pixels, wrong: str) -> Pixels:
    ways = {"coded-bgr": pixels[..., ::-1], "coded-upside-down": pixels[::-1]}
    return np.ascontiguousarray(ways.get(wrong, pixels))


def _shrunk(pixels: Pixels, factor: int) -> Pixels:
    size = (pixels.shape[1] // factor, pixels.shape[0] // factor)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX), dtype=np.uint8)


class InMemoryTarget:
    """Asks a server on paper what the scenarios ask."""

    def __init__(self, server: ExtendedServer, settings: Settings) -> None:
        self.server = server
        self.settings = settings
        self.done: dict[str, Transcript] = {}

    def send(self, label: str, request: Request, send_options: object = None, stop_when: object = None) -> Exchange:
        return self.server.respond(label, request)

    def conversation(self, calls: list[tuple[str, Request]]) -> list[Exchange]:
        return [self.send(label, request) for label, request in calls]

    def has_stalled(self, request: Request) -> str:
        return ""

    def affords(self, cost: Cost) -> bool:
        return self.settings.budget.allows(cost)

    spares = affords

    def transcript(self, scenario: str) -> Transcript | None:
        return self.done.get(scenario)


def ask(server: ExtendedServer, settings: Settings, *scenarios: str) -> list[Exchange]:
    """What a server on paper answers to these scenarios, as far as the settings let them run."""
    target = InMemoryTarget(server, settings)
    for name in scenarios:
        if SCENARIOS[name].available(settings) is None:
            exchanges = SCENARIOS[name].run(cast(Target, target))
            target.done[name] = Transcript(name, tuple(exchanges))
    return [exchange for transcript in target.done.values() for exchange in transcript.exchanges]
