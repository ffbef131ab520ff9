"""The page in a real browser, as somebody uses it: what to press, what to read, what the server got."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from local_dream_mockserver.mock.pace import QUICK
from local_dream_mockserver.mock.request_log import Request, RequestLog
from local_dream_mockserver.mock.scripted_app import create_scripted_app
from local_dream_mockserver.mock.state import MockState
from local_dream_mockserver.mock.synthetic import SyntheticEngine
from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.engine import Engine
from tests.conformance.report.chromium import complaints
from tests.mockserver.live_server import PATIENCE, running

Pixels = NDArray[np.uint8]
AXE = Path(__file__).parent / "axe" / "axe.min.js"
SMALL = {"width": "64", "height": "64", "steps": "3"}


@dataclass
class Served:
    """A server with the page: what it was asked, and what it may be ordered to do wrong."""

    url: str
    orders: MockState
    journal: RequestLog

    @property
    def asked(self) -> list[Request]:
        """The POSTs that came."""
        return [one for one in self.journal.requests if one.method == "POST"]

    def last(self) -> Any:
        """The JSON of the last POST."""
        return self.asked[-1].json


@contextmanager
def served(engine: Engine | None = None, **settings: Any) -> Iterator[Served]:
    """A mock with the page, whose seeds are repeatable."""
    orders, journal = MockState(), RequestLog()
    chosen = ServerSettings(**{"seed": 0, "page": True} | settings)
    app = create_scripted_app(engine or SyntheticEngine(QUICK), chosen, orders, journal, control=False)
    with running(app) as url:
        yield Served(url, orders, journal)


@dataclass
class Studio:
    """The page. `window` is at it."""

    window: webdriver.Chrome
    patience: float = PATIENCE
    """Seconds after which what is waited for does not come any more."""

    def open(self, url: str, *, steps: str = "3", edge: str = "64") -> Studio:
        """Loads it, and asks for small pictures."""
        self.window.get(url)
        self.until(lambda: self.window.execute_script("return document.body.dataset.ready") == "yes")
        for name, value in (("steps", steps), ("width", edge), ("height", edge)):
            self.set(name, value)
        return self

    def __getitem__(self, id: str) -> WebElement:
        return self.window.find_element(By.ID, id)

    def all(self, selector: str) -> list[WebElement]:
        return self.window.find_elements(By.CSS_SELECTOR, selector)

    def until(self, condition: Callable[[], object]) -> None:
        """Looks until it is true."""
        end = time.monotonic() + self.patience
        while not condition():
            assert time.monotonic() < end, f"stage {self.state}, problem {self.problem!r}, {complaints(self.window)}"
            time.sleep(0.02)

    def saved(self, file: Path) -> Path:
        """A file that the browser has saved whole: until then it has an empty one in its place."""
        self.until(lambda: file.is_file() and file.stat().st_size and not list(file.parent.glob("*.crdownload")))
        return file

    def set(self, field: str, value: str) -> None:
        """Types into the control of a field."""
        control = self[f"f-{field}"]
        control.send_keys(Keys.CONTROL, "a")
        control.send_keys(value or Keys.DELETE)

    def press(self, id: str) -> None:
        """By keyboard, which reaches what is scrolled away too."""
        self[id].send_keys(Keys.ENTER)

    @property
    def state(self) -> str:
        return self["stage"].get_attribute("data-state") or ""

    @property
    def busy(self) -> bool:
        return "busy" in (self.window.find_element(By.TAG_NAME, "body").get_attribute("class") or "")

    @property
    def problem(self) -> str:
        """What the page says went wrong, "" where nothing did."""
        return self["problem"].text.strip()

    def settle(self) -> None:
        """Waits until nothing is under way."""
        self.until(lambda: not self.busy)

    def paint(self, prompt: str) -> None:
        """Generates, to the end."""
        self.set("prompt", prompt)
        self["generate"].send_keys(Keys.ENTER)
        self.settle()

    def picture(self, canvas: str = "picture") -> Pixels:
        """The pixels of a canvas."""
        url = self.window.execute_script("return document.getElementById(arguments[0]).toDataURL('image/png')", canvas)
        return pixels_of(base64.b64decode(url.partition(",")[2]))

    def fact(self, name: str) -> str:
        return self[f"fact-{name}"].text

    def take_source(self, picture: Pixels, name: str = "source.png") -> None:
        """Drops a picture on the page."""
        self.window.execute_script(
            """
            const [base64, name] = arguments;
            const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([bytes], name, { type: "image/png" }));
            for (const kind of ["dragenter", "dragover", "drop"]) {
              document.body.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
            }
            """,
            base64.b64encode(png_of(picture)).decode(),
            name,
        )

    def system(self, scheme: str) -> None:
        """Light or dark, as the system would have it; "" as it is."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.window.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    @contextmanager
    def width(self, pixels: int) -> Iterator[None]:
        metrics = {"width": pixels, "height": 844, "deviceScaleFactor": 1, "mobile": pixels < 600}
        self.window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        try:
            yield
        finally:
            self.window.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def barriers(self) -> list[str]:
        """What axe finds on the page as it is now."""
        if not self.window.execute_script("return Boolean(window.axe)"):
            self.window.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
        found: list[str] = self.window.execute_async_script(
            """
            const done = arguments[0];
            axe.run(document, {}).then(({ violations }) => done(violations.flatMap(({ id, nodes }) =>
              nodes.map((node) => `${id}: ${node.target.join(" ")}: ${node.failureSummary}`))));
            """
        )
        return found


def pixels_of(data: bytes) -> Pixels:
    """A PNG's or JPEG's pixels, shape (height, width, 3)."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def png_of(picture: Pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def picture_of(stream: str) -> tuple[Pixels, dict[str, Any]]:
    """The picture in a whole stream, and the data of complete."""
    event = next(json.loads(line[6:]) for line in stream.splitlines() if line.startswith('data: {"type":"complete"'))
    rgb = np.frombuffer(base64.b64decode(event["image"]), np.uint8)
    return rgb.reshape(event["height"], event["width"], 3), event


def gradient(width: int = 96, height: int = 64) -> Pixels:
    """A picture that is nowhere the same."""
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([across, down, 255 - across], axis=-1).astype(np.uint8)
