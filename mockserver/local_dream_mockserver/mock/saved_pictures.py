"""A folder in which the pictures stay that the mock gets and makes, each as it took it."""

from __future__ import annotations

import re
import threading
from pathlib import Path

from PIL import Image

from local_dream_mockserver.server.engine import Mask, Rgb

NAMED = re.compile(r"([0-9]{4,})-")


class SavedPictures:
    """`NUMBER-NAME.png`, with one number for what belongs together. What is in the folder already stays: its highest
    number is counted on from. From any thread."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lock = threading.Lock()
        self._last = max((int(found[1]) for path in folder.iterdir() if (found := NAMED.match(path.name))), default=0)

    def keep(self, **pictures: Rgb | Mask | None) -> None:
        """Writes the pictures that there are, each under the name of its argument. Raises OSError."""
        with self._lock:
            self._last += 1
            number = self._last
        for name, picture in pictures.items():
            if picture is not None:
                Image.fromarray(picture).save(self.folder / f"{number:04}-{name}.png", "PNG")
