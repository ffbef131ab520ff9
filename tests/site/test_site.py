"""The documentation site: it builds without a warning, and what is made of it is whole."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from local_dream_conformance.core.budget import UNLIMITED
from local_dream_conformance.core.options import RUN_OPTIONS, Option
from local_dream_conformance.core.settings import OPTIONS, Settings
from local_dream_conformance.run.suite import load
from local_dream_mockserver.faults.catalogue import entries
from tests.conformance.report.chromium import asked, chromium
from tests.site import options, wire
from tests.site.exchanges import Pairs
from tests.site.korean import ROOT
from tests.site.pages import FOLDER, MADE, chapters, section
from tests.site.served import serving_folder

SUITE = load()


@pytest.mark.parametrize("chapter", chapters(SUITE), ids=lambda chapter: chapter.name)
def test_a_chapter_has_each_of_its_requirements_as_the_contract_says_it(chapter) -> None:  # type: ignore[no-untyped-def]
    text = (FOLDER / f"{chapter.name}.md").read_text(encoding="utf-8")
    assert MADE in text
    assert chapter.head in text
    for requirement in chapters(SUITE)[chapter]:
        assert f"## {requirement.id} " in text
        assert f"**{requirement.level}**, {requirement.profile}. {requirement.text}" in text


def test_a_chapter_that_is_not_there_is_refused_with_those_that_are() -> None:
    command = [sys.executable, "-m", "tests.site", "health", "stream"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("no chapter health; there are health-and-errors, ")


def test_every_requirement_that_can_be_judged_is_in_one_chapter() -> None:
    everything = [requirement.id for group in SUITE.groups("all").values() for requirement in group]
    assert sorted(everything) == sorted(r.id for found in chapters(SUITE).values() for r in found)


def test_nearly_every_requirement_is_shown_right_and_wrong() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md"))
    parts = [part for part in text.split("\n## ") if (part[:3].isupper() and "**M" in part) or "**SHOULD" in part]
    assert sum("<summary>Wrong:" in part for part in parts) > 0.9 * len(parts)
    assert sum("<summary>Right" in part for part in parts) > 0.9 * len(parts)


def test_the_badge_is_of_a_run_by_the_present_contract() -> None:
    badge = (ROOT / "docs" / "badge.svg").read_text(encoding="utf-8")
    assert f"<title>Local Dream contract {SUITE.contract.version}: core + hardened: conformant</title>" in badge


MADE_AGAIN = ("GEN-EVT-16", "GEN-EVT-23", "GEN-PIC-02", "UPS-ANS-07")
"""Requirements about times, with picked seeds, and with large answers."""


def test_a_chapter_made_again_is_the_same() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md"))
    pairs = Pairs()
    for id in MADE_AGAIN:
        requirement = SUITE.contract.by_id[id]
        assert "\n".join(section(requirement, pairs.of(requirement))) in text, id


@pytest.mark.parametrize(
    ("shown", "timed", "then"),
    [
        ('"generation_time_ms": 312}', False, '"generation_time_ms": ...}'),
        ('"generation_time_ms":312,"first_step_time_ms":7}', True, '"generation_time_ms":40,"first_step_time_ms":5}'),
        ('"generation_time_ms":31,"first_step_time_ms":70}', True, '"generation_time_ms":5,"first_step_time_ms":40}'),
        ('"generation_time_ms":71000}', True, '"generation_time_ms":10000}'),
        ('"generation_time_ms":0}', True, '"generation_time_ms":0}'),
        ("X-Duration-Ms: 0.25", True, "X-Duration-Ms: 0.25"),
        ("generation_time_ms of 0 to 38, the time that", True, "generation_time_ms of 0 to 40, the time that"),
        ("71000", True, "10000"),
        ("71000", False, "71000"),
        ("3 times up to 7 at once, after up to 52 ms", True, "... times up to ... at once, after up to ... ms"),
    ],
)
def test_times_of_a_machine_are_not_shown(shown: str, timed: bool, then: str) -> None:
    assert wire.times(shown, timed) == then


@pytest.mark.parametrize("id", ["HLT-01", "ERR-02", "GEN-EVT-05"])
def test_the_exchanges_are_those_of_today(id: str) -> None:
    pairs = Pairs()
    requirement = SUITE.contract.by_id[id]
    wrong = pairs.wrong(requirement)
    assert wrong is not None
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md"))
    assert f"`local-dream mock --fault {wrong.fault.name}`" in text
    assert wrong.finding.expected in text


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_the_page_of_options_tells_of_each_setting_its_default_and_variable(option: Option) -> None:
    suite = options.page().partition("### Of one run")[0]
    (row,) = [line for line in suite.splitlines() if re.match(rf"\| (?:`|<code>){option.flag}[ `]", line)]
    *_, default, variable, _ = (cell.strip() for cell in row.split("|"))
    assert variable == f"`{option.variable}`"
    (field,) = [field for field in dataclasses.fields(Settings) if field.metadata.get("option") == option]
    if option.is_switch or field.default in (None, (), UNLIMITED):
        assert default == ("off" if option.is_switch else "none")
    else:
        assert option.parse(default.strip("`")) == field.default


@pytest.mark.parametrize("name", options.COMMANDS)
def test_the_page_of_options_has_each_option_of_a_command(name: str) -> None:
    (entry,) = entry_points(group="local_dream.commands", name=name)
    rows = list(options.command_rows(name))
    shown = {flag for row in rows for flag in re.findall(r"--?[a-z][a-z0-9-]*", row[0])}
    wanted = {flag for one in entry.load().params if one.param_type_name == "option" for flag in one.opts}
    assert wanted <= shown
    assert all(sentence and default for _, sentence, default, _ in rows)
    part = options.page().partition(f": `local-dream {name}`")[2].partition("\n## ")[0]
    assert all(row[0].strip("`").replace("|", "&#124;") in part for row in rows)


def test_defaults_and_variables_of_servers_are_on_the_page() -> None:
    rows = {row[0].split()[0].strip("`"): row for row in options.command_rows("serve")}
    assert rows["--port"][2] == "`8081`"
    assert rows["--max-body"][2] == f"`{64 * 2**20}`"
    assert rows["--token"][3] == "`LOCAL_DREAM_TOKEN`"
    assert rows["--warmup"][2] == "off"


def test_made_pages_hold_all_options_and_faults(site: Path) -> None:
    text = (site / "options" / "index.html").read_text(encoding="utf-8")
    assert all(option.flag in text for option in (*OPTIONS, *RUN_OPTIONS))
    faults = (site / "faults" / "index.html").read_text(encoding="utf-8")
    assert all(f">{name}<" in faults for name in entries())


OUTSIDE = re.compile(
    r"""(?:\bsrc|\bsrcset|<link[^>]*rel="?(?!canonical|alternate|next|prev)[a-z ]+"?[^>]*href)=["']?(?:https?:)?//"""
    r"""|url\(["']?(?:https?:)?//|@import\s+["'](?:https?:)?//"""
)
"""What a browser fetches from elsewhere as soon as it shows a page. A link that a reader follows is none."""
FETCHED_BY_THE_THEME = "mermaid"
"""A class for which the theme's script fetches a library from elsewhere."""


def test_no_page_needs_another_server(site: Path) -> None:
    for path in (path for kind in ("html", "css", "svg") for path in site.rglob(f"*.{kind}")):
        text = path.read_text(encoding="utf-8")
        assert not OUTSIDE.search(text), (path, OUTSIDE.search(text))
        assert not re.search(rf'class="?[^">]*\b{FETCHED_BY_THE_THEME}\b', text), path


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://example.org/a.js">',
        "<img src=//example.org/a.png>",
        '<link rel="stylesheet" href="http://example.org/a.css">',
        "a { background: url('https://example.org/a.png') }",
        '@import "https://example.org/a.css"',
    ],
)
def test_what_comes_from_elsewhere_is_seen(text: str) -> None:
    assert OUTSIDE.search(text)


def test_a_browser_asks_nobody_else(site: Path, tmp_path: Path) -> None:
    with serving_folder(site) as url, chromium(tmp_path) as window:
        asked(window)
        for page in ("", "architecture/", "write-a-server/stream/", "ko/"):
            window.get(f"{url}/{page}")
            WebDriverWait(window, 20).until(lambda window: window.find_elements(By.CSS_SELECTOR, "article h1"), page)
        addresses = asked(window)
    assert len(addresses) > 10
    assert [address for address in addresses if not address.startswith((url, "data:", "chrome"))] == []


def test_what_is_copied_of_a_console_is_its_commands(site: Path, tmp_path: Path) -> None:
    with serving_folder(site) as url, chromium(tmp_path) as window:
        window.get(f"{url}/mock-server/")
        WebDriverWait(window, 20).until(lambda window: window.find_elements(By.CSS_SELECTOR, "pre button"))
        copied: str = window.execute_script(
            """
            const texts = [];
            document.execCommand = () => texts.push(document.querySelector("body > textarea").value);
            document.querySelector("pre button").click();
            return texts[0];
            """
        )
    assert copied.strip() == "local-dream mock --port 0 --pace-step 0.5"
