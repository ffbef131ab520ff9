"""An event on its way out, in a form in which it can still be made wrong."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from local_dream_mockserver.server.engine import Rgb
from local_dream_mockserver.server.events import Event
from local_dream_mockserver.server.image_output import file_of


@dataclass(frozen=True, slots=True)
class Message:
    """One event. `kind` is what it really is; `name` (the `event:` line) and `payload` (the data) may lie."""

    kind: str
    name: str
    payload: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> Message:
        return cls(event.type, event.type, event.payload())

    @classmethod
    def error(cls, message: str) -> Message:
        """An error event."""
        return cls("error", "error", {"type": "error", "message": message})

    def with_(self, **values: Any) -> Message:
        """The same with values of the payload added or replaced."""
        return replace(self, payload={**self.payload, **values})

    def without(self, *names: str) -> Message:
        """The same without some values of the payload."""
        return replace(self, payload={name: value for name, value in self.payload.items() if name not in names})

    def picture(self, size: tuple[int, int]) -> Rgb | None:
        """The picture in it, shape (height, width, 3), or None. `size` is (width, height), for events that lack it."""
        text = self.payload.get("image")
        if not isinstance(text, str):
            return None
        data = base64.b64decode(text)
        if self._format == "raw":
            return np.frombuffer(data, dtype=np.uint8).reshape(size[1], size[0], 3)
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert("RGB"))

    @property
    def _format(self) -> str:
        return str(self.payload.get("format", "raw"))

    def redrawn(self, size: tuple[int, int], change: Callable[[Rgb], Rgb]) -> Message:
        """The same with another picture; `width` and `height` in the payload stay as they are."""
        rgb = self.picture(size)
        if rgb is None:
            return self
        data = file_of(np.ascontiguousarray(change(rgb)), self._format)
        return self.with_(image=base64.b64encode(data).decode("ascii"))

    def encoded(self) -> bytes:
        """As `local_dream_mockserver.server.sse.encode`; NaN is written where a payload holds it."""
        data = json.dumps(self.payload, separators=(",", ":"))
        return f"event: {self.name}\ndata: {data}\n\n".encode("ascii")
