"""The progress of a generation as it comes: a bar on a terminal, and previews as files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from local_dream_conformance.client.output import save
from local_dream_conformance.core import strict_json
from local_dream_conformance.core.strict_json import integer
from local_dream_conformance.evidence import images
from local_dream_conformance.evidence.images import BadPicture
from local_dream_conformance.http import sse

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar


class Progress:
    """Hears the body of an answer of /generate. `size` is that of raw previews, width and height; `previews` a folder
    for them. `saved` are those that were written, and `notes` what was wrong with others."""

    def __init__(self, size: tuple[int, int], previews: Path | None) -> None:
        self.saved: list[Path] = []
        self.notes: list[str] = []
        self._size = size
        self._previews = previews
        self._decoder = sse.Decoder()
        self._bar: ProgressBar[int] | None = None

    def hear(self, piece: bytes) -> None:
        for event in self._decoder.feed(piece):
            payload = strict_json.parse(event.data).value
            if event.name == "progress" and isinstance(payload, dict):
                step, total = integer(payload.get("step")), integer(payload.get("total_steps"))
                if step is not None and total is not None:
                    self._show(step, total)
                if self._previews is not None and payload.get("image") is not None:
                    self._keep(self._previews, payload, event.index + 1 if step is None else step)

    def close(self) -> None:
        """Ends the line of the bar."""
        if self._bar is not None:
            self._bar.render_finish()

    def _show(self, step: int, total: int) -> None:
        if self._bar is None:
            if not sys.stderr.isatty():
                return
            self._bar = click.progressbar(length=total, label="painting", show_pos=True, file=sys.stderr)
        self._bar.length = total
        self._bar.update(min(step, total) - self._bar.pos)

    def _keep(self, folder: Path, payload: dict[str, object], step: int) -> None:
        try:
            picture = images.of_payload(payload, self._size)
            path = folder / f"step-{step:04}.png"
            save(path, picture)
            self.saved.append(path)
        except BadPicture as error:
            self.notes.append(f"the preview of step {step} is not saved: {error}")
        except OSError as error:
            self.notes.append(f"the preview of step {step} is not saved: {error.strerror}")
