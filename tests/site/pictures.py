"""`python -m tests.site.pictures`: the pictures of the documentation, made anew with the weights that ship (minutes).

docs/pictures.jpg has the prompts of the README, docs/page.png the page after them, docs/page-stream.png a stream of the
mock with the faults that docs/page.md names, docs/report.png a finding of the suite on a mock that reads images upside
down. `python -m tests.site.pictures mock` makes the last two, which need no weights.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from local_dream_conformance.run.server_process import SERVERS, ServerProcess
from tests.conformance.report.chromium import chromium
from tests.mockserver.page.studio import Studio
from tests.site.korean import ROOT

DOCS = ROOT / "docs"
SEED, EDGE, STEPS = "7", "512", "20"
TILE = 320
"""Pixels of a side of a picture in the sheet of three columns."""
ON_THE_PAGE = "two yellow boats"
"""How the prompt begins whose picture the page shows."""


def prompts() -> list[str]:
    """What stands under the sheet in the README: each in stars, in the order of the sheet."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (under,) = re.findall(r"\(docs/pictures\.jpg\)\n\n(.*?) \(seed", text, re.DOTALL)
    return [" ".join(prompt.split()) for prompt in re.findall(r"\*([^*]+)\*", under)]


def draw(window: webdriver.Chrome, url: str) -> None:
    """Paints all prompts on the page: the sheet, and the page with the one that is to be seen."""
    studio = Studio(window, 600.0).open(url, steps=STEPS, edge=EDGE)
    studio.set("seed", SEED)
    tiles = {}
    for prompt in sorted(prompts(), key=lambda prompt: prompt.startswith(ON_THE_PAGE)):
        studio.paint(prompt)
        assert (studio.state, studio.problem) == ("done", "")
        tiles[prompt] = Image.fromarray(studio.picture())
    sheet = Image.new("RGB", (3 * TILE, 2 * TILE))
    for number, prompt in enumerate(prompts()):
        tile = tiles[prompt].resize((TILE, TILE), Image.Resampling.LANCZOS)
        sheet.paste(tile, (number % 3 * TILE, number // 3 * TILE))
    sheet.save(DOCS / "pictures.jpg", quality=88)
    resize(window, 1280, 790)
    window.execute_script("window.scrollTo(0, 0); document.activeElement.blur()")
    shoot(window, DOCS / "page.png")


@contextmanager
def mock(*faults: str) -> Iterator[str]:
    """The address of a mock with these faults."""
    command = [sys.executable, "-m", "local_dream_mockserver", "--port", "0"]
    for fault in faults:
        command += ["--fault", fault]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[1]
    finally:
        process.terminate()
        process.wait()


def faults_of_the_page() -> list[str]:
    """Those of the command under the picture of the stream."""
    (command,) = re.findall(r"^\$ local-dream mock (--fault .*)$", (DOCS / "page.md").read_text(encoding="utf-8"), re.M)
    return re.findall(r"--fault (\S+)", command)


def stream(window: webdriver.Chrome) -> None:
    """A stream as it came, in the dark, with what the page's judge says of it."""
    with mock(*faults_of_the_page()) as url:
        studio = Studio(window, 60.0).open(url, steps="4", edge=EDGE)
        studio["f-show_diffusion_process"].send_keys(Keys.SPACE)
        studio.system("dark")
        studio.paint("a red house by the sea")
        studio["tab-stream"].click()
        resize(window, 1280, 820)
        window.execute_script(
            """
            document.querySelector(".stream").style.maxHeight = "none"; // on the page the list scrolls
            const bench = document.getElementById("bench-title").closest("section");
            document.activeElement.blur();
            window.scrollTo({ top: bench.getBoundingClientRect().top + window.scrollY - 16, behavior: "instant" });
            """
        )
        studio.until(lambda: studio["stream-summary"].is_displayed())
        shoot(window, DOCS / "page-stream.png")
        studio.system("light")


def report(window: webdriver.Chrome, folder: Path) -> None:
    """A finding with its pictures."""
    with mock("image-upside-down") as url:
        subprocess.run(
            [sys.executable, "-m", "pytest", "--target", url, "--size", "256x256", f"--html-report={folder}/r.html"],
            cwd=folder,
            check=False,
            stdout=subprocess.DEVNULL,
        )
    window.get((folder / "r.html").as_uri())
    resize(window, 1080, 1180)
    window.find_element(By.ID, "search").send_keys("GEN-PIC-12")
    WebDriverWait(window, 60).until(lambda window: window.find_element(By.ID, "shown").text.startswith("1 of"))
    window.execute_script('document.getElementById("GEN-PIC-12").open = true; document.activeElement.blur()')
    WebDriverWait(window, 60).until(
        lambda window: window.execute_script(
            """
            const named = [...document.querySelectorAll("h2")].find((one) => one.textContent.trim() === "Requirements");
            const away = named.getBoundingClientRect().top - 48;
            window.scrollBy({ top: away, behavior: "instant" });
            return Math.abs(away) < 1;
            """
        )
    )
    shoot(window, DOCS / "report.png")


def resize(window: webdriver.Chrome, width: int, height: int) -> None:
    """Gives the page this size, in pixels, without bars."""
    window.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def shoot(window: webdriver.Chrome, path: Path) -> None:
    """What the window shows."""
    window.save_screenshot(str(path))
    with Image.open(path) as image:
        image.convert("RGB").save(path, optimize=True)


def main() -> None:
    """All of them."""
    with tempfile.TemporaryDirectory() as name, chromium(Path(name) / "profile") as window:
        resize(window, 1280, 790)
        if "mock" not in sys.argv[1:]:
            server = ServerProcess("reference", SERVERS["reference"])
            try:
                draw(window, server.url)
            finally:
                server.stop()
        stream(window)
        report(window, Path(name))


if __name__ == "__main__":
    main()
