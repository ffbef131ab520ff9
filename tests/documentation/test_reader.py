"""The reader of pages finds what does not work: a page that is wrong cannot pass."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documentation.blocks import Command, blocks
from tests.documentation.not_run import reason
from tests.documentation.reader import Failed, Reader, unseen

PAGE = """\
1. In a list:

    ```console
    $ echo one \\
        two
    one two
    $ echo three   # said

    node1$ echo four
    four
    ```

```bash
echo five
```
"""


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    folder = tmp_path / "fresh"
    folder.mkdir()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with Reader(folder, os.environ | {"PATH": path}, tmp_path) as reader:
        yield reader


def test_commands_are_found_with_what_they_show() -> None:
    listed, plain = blocks("page.md", PAGE)
    one, three, four = listed.commands()
    assert (one.text, one.output, one.line) == ("echo one \\\n    two", ("one two",), 4)
    assert (three.output, four.text, four.output) == ((), "echo four", ("four",))
    assert (three.machine, four.machine) == ("", "node1")
    assert [command.text for command in plain.commands()] == ["echo five"]


def test_a_block_without_a_prompt_is_told() -> None:
    (block,) = blocks("page.md", "```console\nlocal-dream mock\n```\n")
    with pytest.raises(ValueError, match=r"page\.md:2"):
        list(block.commands())


@pytest.mark.parametrize("text", ["exit 3", "no-such-program", "false | cat", "local-dream mock --no-such-option"])
def test_a_command_that_fails_is_told(reader: Reader, text: str) -> None:
    with pytest.raises(Failed, match=r"page\.md:7"):
        reader.type(Command("page.md", 7, text))


def test_an_output_that_does_not_come_is_told(reader: Reader) -> None:
    reader.type(Command("page.md", 7, "echo seed 8, 2.25 s", ("seed 3626764237, 2.1 s",)))
    with pytest.raises(Failed, match="does not say"):
        reader.type(Command("page.md", 7, "echo seen 8, 2.25 s", ("seed 3626764237, 2.1 s",)))


def test_a_server_stays_for_the_commands_after_it_and_ends_with_the_page(reader: Reader) -> None:
    reader.type(Command("page.md", 1, "local-dream mock &"))
    curl = Command("page.md", 2, "curl -fsS http://127.0.0.1:8081/health -o answer")
    reader.type(curl)
    reader.type(Command("page.md", 3, "local-dream mock --control", ("ready http://127.0.0.1:8081 synthetic cpu",)))
    reader.type(Command("page.md", 4, "curl -fsS http://127.0.0.1:8081/__mock__/"))
    (server,) = reader._servers
    reader.__exit__(None, None, None)
    assert server.process.poll() is not None


def test_a_page_of_a_server_author_has_a_server(reader: Reader) -> None:
    reader.type(Command("page.md", 1, "curl -fsS http://127.0.0.1:8081/health"))


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ("A  URL (core, 2026-01-02T03:04:05+00:00)", "A  URL (core, 2027-11-12T13:14:15+00:00)"),
        ("ready http://127.0.0.1:8081 ...", "ready http://127.0.0.1:40123 synthetic cpu"),
        ("GEN-TYP-03  fail", "GEN-TYP-03     fail"),
    ],
)
def test_what_differs_from_run_to_run_may_differ(shown: str, said: str) -> None:
    assert unseen((shown,), f"first\n{said}\nlast") == ""


@pytest.mark.parametrize(
    ("shown", "said"), [("GEN-TYP-03 fail", "GEN-TYP-04 fail"), ("512x512, seed 1", "512x768, seed 1"), ("a", "b a")]
)
def test_what_does_not_differ_must_come(shown: str, said: str) -> None:
    assert unseen((shown,), said) == shown


def test_lines_must_come_in_their_order() -> None:
    assert unseen(("one", "two"), "two\none") == "two"


def test_a_new_command_is_run_unless_the_table_has_it() -> None:
    assert reason(Command("docs/phone.md", 1, "adb devices"))
    assert not reason(Command("docs/phone.md", 1, "local-dream check http://127.0.0.1:8081"))
    assert not reason(Command("docs/new.md", 1, "docker run image"))
