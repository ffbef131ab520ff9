"""A request for /generate before it is written: fields, pictures, headers, and how its JSON is spelt."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

from local_dream_conformance.core.exchange import Request
from local_dream_conformance.http.connection import SendOptions
from local_dream_conformance.scenarios.picture_files import PictureFile
from local_dream_conformance.scenarios.requests import JSON, Body

Headers = tuple[tuple[str, str], ...]
FRACTION = re.compile(r'("(?:cfg|denoise_strength)": *)([0-9]+)\.([0-9])(?![0-9])')
"""A field with a fraction, as JSON: no text of a field has a quote before it that is not escaped."""


@dataclass(frozen=True)
class Writing:
    """How the JSON of a body is spelt: all of it means the same.

    `raw`: characters beyond ASCII as UTF-8, not as escapes. `compact`: without blanks. `indented`: over many lines.
    `slashes`: / with a backslash, as Android's own JSON writer does. `reverse`: the last field first. `padded`: white
    space before and after the object. `exponents`: fractions as 75e-1.
    """

    raw: bool = False
    compact: bool = False
    indented: bool = False
    slashes: bool = False
    reverse: bool = False
    padded: bool = False
    exponents: bool = False

    def bytes(self, fields: Body) -> bytes:
        """The body."""
        ordered = dict(reversed(fields.items())) if self.reverse else fields
        separators = (",", ":") if self.compact else None
        text = json.dumps(
            ordered, ensure_ascii=not self.raw, separators=separators, indent=2 if self.indented else None
        )
        text = text.replace("/", "\\/") if self.slashes else text
        text = FRACTION.sub(lambda found: f"{found[1]}{int(found[2] + found[3])}e-1", text) if self.exponents else text
        return f"\r\n\t {text} \n".encode() if self.padded else text.encode()


@dataclass(frozen=True)
class Draft:
    """A request in the making. `fields` are those without a picture; `image` and `mask` are left out where None."""

    fields: Body
    image: PictureFile | None = None
    mask: PictureFile | None = None
    headers: Headers = JSON
    writing: Writing = field(default_factory=Writing)
    send_options: SendOptions = field(default_factory=SendOptions)

    def request(self) -> Request:
        """POST /generate."""
        pictures = {"image": self.image, "mask": self.mask}
        sent = self.fields | {name: picture.base64() for name, picture in pictures.items() if picture}
        return Request("POST", "/generate", self.headers, self.writing.bytes(sent))

    def with_fields(self, **fields: Any) -> Draft:
        """The draft with some fields set; what was there keeps its place."""
        return replace(self, fields={**self.fields, **fields})

    def without(self, *names: str) -> Draft:
        """The draft without some fields."""
        return replace(self, fields={name: value for name, value in self.fields.items() if name not in names})

    def prompted(self, more: str) -> Draft:
        """The draft with more at the end of its prompt."""
        return self.with_fields(prompt=self.fields["prompt"] + more)

    def typed(self, content_type: str | None) -> Draft:
        """The draft with another Content-Type, or none."""
        others = tuple(pair for pair in self.headers if pair[0].lower() != "content-type")
        return replace(self, headers=others if content_type is None else (("Content-Type", content_type), *others))

    def headed(self, *headers: tuple[str, str]) -> Draft:
        """The draft with more headers."""
        return replace(self, headers=(*self.headers, *headers))

    def written(self, **ways: bool) -> Draft:
        """The draft with its JSON spelt in another way."""
        return replace(self, writing=replace(self.writing, **ways))

    def imaged(self, **ways: Any) -> Draft:
        """The draft with its image as another kind of file; without an image as it is."""
        return self if self.image is None else replace(self, image=replace(self.image, **ways))

    def masked(self, **ways: Any) -> Draft:
        """The draft with its mask as another kind of file; without a mask as it is."""
        return self if self.mask is None else replace(self, mask=replace(self.mask, **ways))

    def sent(self, **ways: Any) -> Draft:
        """The draft sent in another way."""
        return replace(self, send_options=replace(self.send_options, **ways))
