"""`local-dream generate` with the mock on a real port, as a person uses it."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from PIL import Image

from local_dream_conformance.client.generate import generate
from local_dream_conformance.core.fields import documented, of_extensions
from local_dream_mockserver import Mock
from tests.conformance.client.commands import PATIENCE, code, run
from tests.conformance.run.screen import run_code
from tests.ports import free_port

SMALL = ("--width", "16", "--height", "8", "--steps", "3")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.png"


def ask(url: str, out: Path, *options: str, prompt: str = "a red house") -> Result:
    return CliRunner().invoke(generate, [url, prompt, "-o", str(out), *options])


def opened(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_a_picture_of_a_prompt(local_dream_mock: Mock, out: Path) -> None:
    done = run("generate", local_dream_mock.url, "a red house", "-o", str(out), *SMALL, "--seed", "7")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{out}: 16x8, seed 7, ")
    assert opened(out).shape == (8, 16, 3)
    [request] = local_dream_mock.requests
    assert request.json == {"prompt": "a red house", "width": 16, "height": 8, "steps": 3, "seed": 7}
    assert local_dream_mock.breaches == []


def test_what_is_left_out_is_not_sent_and_the_seed_is_told(local_dream_mock: Mock, out: Path) -> None:
    done = ask(local_dream_mock.url, out)
    assert done.exit_code == 0, done.output
    assert local_dream_mock.requests[0].json == {"prompt": "a red house"}
    seed = int(done.output.partition("seed ")[2].partition(",")[0])
    again = out.with_name("again.png")
    assert ask(local_dream_mock.url, again, "--seed", str(seed)).exit_code == 0
    assert np.array_equal(opened(out), opened(again))


VALUES = {"integer": ("16", 16), "number": ("0.5", 0.5), "string": ("a text", "a text"), "boolean": ("", True)}
FIELDS = [one for one in (*documented().values(), *of_extensions().values()) if one.name not in ("prompt", "mask")]


@pytest.mark.parametrize("name", [field.name for field in FIELDS])
def test_every_field_of_the_contract_is_an_option(name: str, local_dream_mock: Mock, out: Path, tmp_path: Path) -> None:
    field = next(one for one in FIELDS if one.name == name)
    text, value = VALUES.get(field.type, ("", None))
    flag = "--" + name.replace("_", "-")
    (tmp_path / "in.png").write_bytes(b"any bytes")
    if field.is_picture:
        text, value = str(tmp_path / "in.png"), base64.b64encode(b"any bytes").decode()
    elif "enum" in field.schema:
        text = value = field.schema["enum"][0]
    elif "pattern" in field.schema:
        text = value = field.schema["examples"][0]
    if field.type == "array":
        ask(local_dream_mock.url, out, flag, str(tmp_path / "in.png"), flag, str(tmp_path / "in.png"))
        value = [base64.b64encode(b"any bytes").decode()] * 2
    else:
        ask(local_dream_mock.url, out, flag, *([text] if text else []))
    assert local_dream_mock.requests[0].json == {"prompt": "a red house", name: value}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--steps", "0"), "minimum 1"),
        (("--steps", "many"), "'many' is no integer"),
        (("--steps", "null"), "'null' is no integer"),
        (("--steps", "true"), "'true' is no integer"),
        (("--width", "63"), "multipleOf 8"),
        (("--scheduler", "dmp"), "one of dpm, euler_a, dpm_karras"),
        (("--denoise-strength", "2"), "maximum 1"),
        (("--aspect-ratio", "wide"), "pattern"),
        (("--field", "steps"), "give NAME=JSON"),
        (("--field", "model=sd15"), "a text needs quotes"),
        (("--image", "nothing.png"), "No such file"),
        (("--header", "token"), "give NAME:VALUE"),
        (("--idle-timeout", "never"), "give a number of seconds"),
    ],
)
def test_values_beyond_the_contract_are_told_before_anything_is_sent(
    local_dream_mock: Mock, out: Path, options: tuple[str, ...], words: str
) -> None:
    done = ask(local_dream_mock.url, out, *options)
    assert done.exit_code == 2
    assert words in done.output
    assert local_dream_mock.requests == []


def test_any_field_is_sent_as_it_is_and_the_refusal_told_as_the_server_said_it(
    local_dream_mock: Mock, out: Path
) -> None:
    done = ask(local_dream_mock.url, out, "--steps", "4", "--field", "steps=0", "--field", 'model="x"')
    assert done.exit_code == 1
    assert "Error: the server refused (400): steps: 0 is out of range" in done.output
    assert local_dream_mock.requests[0].json == {"prompt": "a red house", "steps": 0, "model": "x"}
    assert not out.exists()


def test_image_and_mask(local_dream_mock: Mock, out: Path, tmp_path: Path) -> None:
    Image.new("RGB", (16, 8), "teal").save(tmp_path / "in.png")
    Image.new("L", (16, 8), 0).save(tmp_path / "mask.png")
    files = ("--image", str(tmp_path / "in.png"), "--mask", str(tmp_path / "mask.png"))
    assert ask(local_dream_mock.url, out, *SMALL, *files).exit_code == 0
    assert np.array_equal(opened(out), opened(tmp_path / "in.png"))


def test_previews_go_into_a_folder(local_dream_mock: Mock, out: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "previews"
    done = ask(local_dream_mock.url, out, *SMALL, "--previews", str(folder), "--show-diffusion-stride", "2")
    assert done.output.endswith(f"; 2 previews in {folder}\n")
    assert sorted(path.name for path in folder.iterdir()) == ["step-0001.png", "step-0003.png"]
    assert np.array_equal(opened(folder / "step-0003.png"), opened(out))
    again = ask(local_dream_mock.url, out.with_name("b.png"), "--previews", str(folder))
    assert (again.exit_code, "is not empty" in again.output) == (2, True)


def test_a_preview_that_is_none_is_noted(local_dream_mock: Mock, out: Path, tmp_path: Path) -> None:
    local_dream_mock.script([local_dream_mock.faulty("preview-short-of-a-row@after:progress:1")])
    done = ask(local_dream_mock.url, out, *SMALL, "--previews", str(tmp_path / "previews"))
    assert done.exit_code == 0
    assert "note: the preview of step 1 is not saved: " in done.output


@pytest.mark.parametrize(("suffix", "format"), [(".png", "PNG"), (".jpg", "JPEG"), (".webp", "WEBP"), (".JPG", "JPEG")])
def test_the_name_says_what_kind_of_file(local_dream_mock: Mock, tmp_path: Path, suffix: str, format: str) -> None:
    assert ask(local_dream_mock.url, tmp_path / f"x{suffix}", *SMALL).exit_code == 0
    with Image.open(tmp_path / f"x{suffix}") as image:
        assert (image.format, image.size) == (format, (16, 8))


def test_the_bytes_of_the_server_are_kept_where_they_are_such_a_file(local_dream_mock: Mock, tmp_path: Path) -> None:
    out = tmp_path / "x.jpg"
    assert ask(local_dream_mock.url, out, *SMALL, "--output-format", "jpeg", "--seed", "1").exit_code == 0
    ask(local_dream_mock.url, tmp_path / "x.png", *SMALL, "--output-format", "jpeg", "--seed", "1")
    assert np.array_equal(opened(out), opened(tmp_path / "x.png"))


def test_nothing_is_overwritten_unless_it_is_meant_to_be(local_dream_mock: Mock, out: Path) -> None:
    out.write_text("mine")
    done = ask(local_dream_mock.url, out, *SMALL)
    assert (done.exit_code, "is there already; --force overwrites it" in done.output) == (2, True)
    assert (out.read_text(), local_dream_mock.requests) == ("mine", [])
    assert ask(local_dream_mock.url, out, *SMALL, "--force").exit_code == 0
    assert opened(out).shape == (8, 16, 3)


@pytest.mark.parametrize(("name", "words"), [("out", "what kind of file"), ("no/out.png", "its folder is not there")])
def test_files_that_cannot_be_written(local_dream_mock: Mock, tmp_path: Path, name: str, words: str) -> None:
    done = ask(local_dream_mock.url, tmp_path / name)
    assert (done.exit_code, words in done.output, local_dream_mock.requests) == (2, True, [])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            {"busy": {"retry_after": 9}},
            "the server is busy (503): busy with other requests; try again later; it asks",
        ),
        ({"server_error": "no memory"}, "the server failed (500): no memory"),
        ({"error_event": "the engine died"}, "the server failed: the engine died"),
        ({"faulty": "terminal-missing"}, "the stream ended after 3 progress events without a picture"),
        (
            {"faulty": "reset@after:progress:2"},
            "the stream ended after 2 progress events without a picture (Conn",
        ),
        ({"faulty": "cut-off@after:progress:1"}, "the stream ended after 1 progress events without a picture (closed"),
        ({"faulty": "event-line-missing"}, "the stream ended after 0 progress events without a picture"),
    ],
)
def test_failures_are_told_as_the_server_said_them(
    local_dream_mock: Mock, out: Path, answer: dict[str, object], words: str
) -> None:
    local_dream_mock.script([answer])
    done = ask(local_dream_mock.url, out, *SMALL)
    assert (done.exit_code, out.exists()) == (1, False)
    assert done.output.startswith(f"Error: {words}")


def test_a_token_is_sent_and_not_shown(local_dream_mock: Mock, out: Path) -> None:
    local_dream_mock.script([local_dream_mock.refusal("not for secret-token")])
    environment = {**os.environ, "LOCAL_DREAM_HEADER": "Authorization: Bearer secret-token"}
    done = run("generate", local_dream_mock.url, "x", "-o", str(out), **environment)
    assert local_dream_mock.requests[0].headers["authorization"] == "Bearer secret-token"
    assert done.stderr == "Error: the server refused (400): not for ***\n"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:PORT", "nothing answers at http://127.0.0.1:PORT"),
        ("http://no-such-host.invalid", "the host name cannot be resolved"),
    ],
)
def test_where_no_server_is(out: Path, url: str, words: str) -> None:
    port = str(free_port())
    done = ask(url.replace("PORT", port), out)
    assert done.exit_code == 6
    assert words.replace("PORT", port) in done.output


def test_an_address_without_its_scheme(out: Path) -> None:
    done = ask("127.0.0.1:8081", out)
    assert (done.exit_code, "did you mean http://127.0.0.1:8081?" in done.output) == (2, True)


def test_another_kind_of_server(local_dream_mock: Mock, out: Path) -> None:
    done = ask(f"{local_dream_mock.url}/elsewhere", out)
    assert (done.exit_code, done.output) == (1, "Error: the server refused (404): there is no /elsewhere/generate\n")


def test_ctrl_c_hangs_up(local_dream_mock: Mock, out: Path) -> None:
    local_dream_mock.script([local_dream_mock.paced(hold=2)])
    command = [sys.executable, "-c", code("generate"), local_dream_mock.url, "x", "-o", str(out), *SMALL]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that starts the tests in the background has its children ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        request = local_dream_mock.wait_for_events(2, seconds=PATIENCE)
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=PATIENCE)
    assert request.wait().hung_up is not None
    assert (process.returncode, told) == (130, ("", "\ncancelled: the server has been hung up on\n"))
    assert not out.exists()


def test_a_bar_on_a_terminal(local_dream_mock: Mock, out: Path) -> None:
    screen = run_code(80, code("generate"), local_dream_mock.url, "x", "-o", str(out), *SMALL)
    shown = "\n".join(screen.lines)
    assert "3/3" in shown
    assert f"{out}: 16x8, seed " in shown.replace("\n", "")
