"""The Korean pages: all there, of the present English text, with the same commands, names and messages."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from local_dream_mockserver.faults.catalogue import Fault, Quirk, entries
from tests.conformance.report.chromium import asked, chromium
from tests.site import korean
from tests.site.korean import PAGES, ROOT
from tests.site.served import serving_folder

LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)#\s:]+\.md)")
NAMES = re.compile(r"--(fault|quirk) ([a-z][a-z0-9-]*)")


def test_every_page_of_the_list_is_there_and_no_other() -> None:
    there = {path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("README.*.md"), *ROOT.glob("docs/ko/**/*.md"))}
    wanted = set(PAGES.values())
    missing, unknown = wanted - there, there - wanted
    assert not missing, f"no Korean page: {missing}"
    assert not unknown, f"not in PAGES of tests/site/korean.py: {unknown}"


@pytest.mark.parametrize("english", PAGES)
def test_a_translation_is_of_the_present_text(english: str) -> None:
    page = PAGES[english]
    wanted = korean.name(english)
    assert korean.named(page) == wanted, (
        f"{english} has changed since it was translated: bring {page} up to date, then write into it what "
        f"`python -m tests.site.korean {english}` prints ({wanted})"
    )


@pytest.mark.parametrize("english", PAGES)
def test_a_translation_has_the_same_commands(english: str) -> None:
    assert korean.blocks(PAGES[english]) == korean.blocks(english)


@pytest.mark.parametrize("english", PAGES)
def test_a_translation_has_the_same_names_and_messages(english: str) -> None:
    ours = {span for span in korean.spans(PAGES[english]) if span.isascii()}
    assert ours == {span for span in korean.spans(english) if span.isascii()}


@pytest.mark.parametrize("english", PAGES)
def test_a_translation_has_the_same_parts(english: str) -> None:
    """A new line of the hash alone does not do: what was added to the English page is there."""
    assert korean.parts(PAGES[english]) == korean.parts(english)


def test_the_readmes_and_the_first_pages_lead_to_each_other() -> None:
    for english, link in (("README.md", "README.md"), ("docs/index.md", "../index.md")):
        page = PAGES[english]
        assert f"[한국어]({page.removeprefix('docs/')})" in korean.text(english)
        assert f"[English]({link})" in korean.text(page)


@pytest.mark.parametrize("english", PAGES)
def test_a_korean_page_leads_to_korean_pages_where_there_are_any(english: str) -> None:
    page = PAGES[english]
    for words, link in LINK.findall(korean.text(page)):
        there = os.path.normpath(Path(page).parent / link)
        assert words == "English" or there not in PAGES, f"{page}: {link} is there in Korean: {PAGES[there]}"


@pytest.mark.parametrize("english", PAGES)
def test_the_faults_and_quirks_that_a_page_names_are_there(english: str) -> None:
    for kind, name in NAMES.findall(korean.text(english)):
        assert isinstance(entries().get(name), Fault if kind == "fault" else Quirk), f"{english}: no {kind} {name}"


def test_korean_words_are_found_in_the_site(site: Path, tmp_path: Path) -> None:
    """The search has what it needs for Korean with it: the browser asks for nothing elsewhere."""
    with serving_folder(site) as url, chromium(tmp_path) as window:
        asked(window)
        window.get(f"{url}/ko/?q={quote('업스케일')}")
        found = WebDriverWait(window, 60).until(
            lambda window: window.find_elements(By.CSS_SELECTOR, ".md-search-result__item a")
        )
        links = [link.get_attribute("href") or "" for link in found]
        addresses = asked(window)
    assert any(link.startswith(f"{url}/ko/write-a-client/") for link in links)
    assert [address for address in addresses if not address.startswith((url, "data:", "chrome"))] == []
    assert '<html lang="ko"' in (site / "ko/index.html").read_text(encoding="utf-8")
