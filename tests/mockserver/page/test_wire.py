"""What the page says to authors: the request as commands, the stream as it came, errors as the server said them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from local_dream_mockserver.faults.catalogue import Fault, Quirk
from local_dream_mockserver.mock.answers import busy, error_event, refusal, server_error
from tests.mockserver.live_server import PATIENCE
from tests.mockserver.page.studio import Served, Studio, gradient, picture_of


def show_stream(studio: Studio) -> None:
    studio["tab-request"].send_keys(Keys.ARROW_RIGHT)
    assert studio["panel-stream"].is_displayed()


def lines(studio: Studio) -> list[tuple[str, str]]:
    """Name and judgement of each line of the stream."""
    found = studio.all("#stream-list > li")
    return [
        (line.get_attribute("data-name") or "", line.find_element(By.CSS_SELECTOR, ".fine, .findings").text)
        for line in found
    ]


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("prompt", ["a red house", """it's "5 > 3" & $HOME `ls` \\n 고양이"""])
def test_the_curl_command_asks_for_the_same(studio: Studio, server: Served, tmp_path: Path, prompt: str) -> None:
    studio.set("seed", "7")
    studio.paint(prompt)
    asked = server.last()
    studio.until(lambda: '"seed":7' in studio["snippet"].text)
    told = run(["sh", "-c", studio["snippet"].text], tmp_path)
    assert server.asked[-1].json == asked
    assert server.asked[-1].breaches == ()
    assert told.count("event: progress") == 3
    assert "event: complete" in told
    assert max(map(len, told.splitlines())) <= 160


@pytest.mark.parametrize("source", [False, True])
def test_the_python_program_makes_the_same_picture(
    studio: Studio, server: Served, downloads: Path, source: bool
) -> None:
    if source:
        studio.take_source(gradient(64, 64))
        studio.until(lambda: studio["source-canvas"].is_displayed())
    studio.set("seed", "7")
    studio.paint("a 'red' house")
    asked = server.last()
    studio.window.find_element(By.CSS_SELECTOR, "[name=language][value=python]").send_keys(Keys.SPACE)
    studio.until(lambda: '"seed": 7' in studio["snippet"].text)
    assert studio["request-file"].is_displayed() == source
    if source:
        studio.press("request-download")
        studio.saved(downloads / "request.json")
    told = run([sys.executable, "-c", studio["snippet"].text], downloads)
    steps = 2 if source else 3  # of a picture, about steps * denoise_strength are left to do
    assert told.splitlines() == [*(f"step {n + 1} of {steps}" for n in range(steps)), "picture.ppm, seed 7"]
    assert server.last() == asked
    head, _, rgb = (downloads / "picture.ppm").read_bytes().partition(b" 255\n")
    assert head == b"P6 64 64"
    assert np.array_equal(np.frombuffer(rgb, np.uint8).reshape(64, 64, 3), studio.picture())


def test_the_token_itself_is_in_no_command(studio: Studio) -> None:
    studio.press("server-button")
    studio["server-token"].send_keys("s3cret", Keys.ENTER)
    studio.until(lambda: "LOCAL_DREAM_TOKEN" in studio["snippet"].text)
    assert "s3cret" not in studio.window.page_source


def test_defaults_are_sent_where_one_wants_that(studio: Studio, server: Served) -> None:
    studio["all-fields"].send_keys(Keys.SPACE)
    studio.paint("x")
    assert server.last() == {
        "prompt": "x",
        "negative_prompt": "",
        "steps": 3,
        "cfg": 7.5,
        "width": 64,
        "height": 64,
        "scheduler": "dpm",
        "show_diffusion_process": True,
        "show_diffusion_stride": 1,
        "use_opencl": False,
    }
    assert server.asked[-1].breaches == ()


def test_the_stream_is_kept_byte_for_byte_and_holds_the_contract(
    studio: Studio, server: Served, downloads: Path
) -> None:
    show_stream(studio)
    studio.set("seed", "7")
    studio.paint("a red house")
    assert [name for name, _ in lines(studio)] == ["head", *["progress"] * 3, "complete", "end"]
    assert {verdict for _, verdict in lines(studio)} == {"✓ as the contract says"}
    assert studio["stream-summary"].text.startswith("The stream has ended · 4 events · ")
    assert studio["stream-summary"].text.endswith(" · holds the contract")
    studio.press("stream-download")
    file = studio.saved(downloads / "events.txt")
    assert np.array_equal(picture_of(file.read_text("utf-8"))[0], studio.picture())
    again = httpx.post(f"{server.url}/generate", json=server.last(), timeout=PATIENCE).text
    assert without_times(file.read_text("utf-8")) == without_times(again)


def without_times(stream: str) -> list[str]:
    return [line.partition(',"generation_time_ms"')[0] for line in stream.splitlines()]


@pytest.mark.parametrize(
    ("fault", "name", "id"),
    [
        ("step-goes-back@progress:3", "progress", "GEN-EVT-04"),
        ("event-line-missing", "event", "GEN-SSE-06"),
        ("terminal-missing", "end", "GEN-EVT-12"),
    ],
)
def test_what_breaks_the_contract_is_named_at_its_event(
    studio: Studio, server: Served, fault: str, name: str, id: str
) -> None:
    server.orders.order(Fault, [fault], more=False)
    show_stream(studio)
    studio.paint("x")
    assert any(line == name and id in verdict for line, verdict in lines(studio)), lines(studio)
    assert id in studio["stream-summary"].text
    assert studio["stream-summary"].get_attribute("data-tone") == "bad"
    assert studio["stream-badge"].text
    sentence = studio.all(".findings .sentence")[0].text
    assert "MUST" in sentence
    assert "`" not in sentence


def test_what_is_odd_but_allowed_is_no_breach(studio: Studio, server: Served) -> None:
    server.orders.order(Quirk, ["comments", "done-at-the-end"], more=False)
    show_stream(studio)
    studio.paint("x")
    assert studio["stream-summary"].text.endswith("holds the contract")


@pytest.mark.parametrize(
    ("answer", "title", "words"),
    [
        (refusal("steps: <b>far</b> too many", 400), "Status 400", "steps: <b>far</b> too many"),
        (server_error("out of memory"), "Status 500", "out of memory"),
        (busy(9), "Status 503", "(Retry-After: 9)"),
        (error_event("the engine is tired", after=2), "The server gave up", "the engine is tired"),
    ],
)
def test_errors_are_told_as_the_server_said_them(
    studio: Studio, server: Served, answer: object, title: str, words: str
) -> None:
    studio.paint("before")
    before = studio.picture()
    server.orders.script([answer], more=False)  # type: ignore[list-item]
    studio.paint("x")
    assert studio.problem.startswith(title)
    assert studio.problem.endswith(words)
    assert studio["problem"].aria_role == "alert"
    assert np.array_equal(studio.picture(), before)
    studio.press("problem-close")
    assert studio.problem == ""
    studio.paint("x")
    assert (studio.state, studio.problem) == ("done", "")


def test_an_error_without_the_envelope_is_judged(studio: Studio, server: Served) -> None:
    server.orders.order(Fault, ["errors-as-text"], more=False)
    show_stream(studio)
    studio.set("steps", "1001")  # more than the mock makes
    studio.paint("x")
    [(name, verdict)] = lines(studio)
    assert name == "refused"
    assert verdict.startswith("ERR-01 MUST")


def test_a_stream_without_an_end_is_told(studio: Studio, server: Served) -> None:
    server.orders.order(Fault, ["terminal-missing"], more=False)
    studio.paint("x")
    assert studio.problem.startswith("No picture came")


def test_a_picture_that_is_none_is_told(studio: Studio, server: Served) -> None:
    server.orders.order(Fault, ["raw-short-of-a-row"], more=False)
    studio.paint("x")
    assert studio.problem.startswith("Not a picture")
