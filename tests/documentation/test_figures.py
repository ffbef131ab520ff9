"""Figures in the text of pages that follow from the contract. Those in consoles are compared with what is printed."""

from __future__ import annotations

import re

import pytest

from local_dream_conformance import load_contract
from tests.documentation.blocks import ROOT

CORE = [one for one in load_contract().requirements if one.profile == "core" and not one.unjudged]
BEYOND_SSE = sum(not one.id.startswith("GEN-SSE") for one in CORE)


@pytest.mark.parametrize("page", ["docs/reports.md", "docs/ko/reports.md"])
def test_what_a_selection_leaves_out(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(r"left out by -k 'GEN-SSE': (\d+) requirements|\"(\d+) deselected\"", text)
    assert [int(first or second) for first, second in found] == [BEYOND_SSE] * 2


@pytest.mark.parametrize("page", ["docs/waivers.md", "docs/ko/waivers.md"])
def test_what_two_results_have_in_common(page: str) -> None:
    (better, same) = re.findall(r"^(\d+) better, (\d+) the same$", (ROOT / page).read_text(encoding="utf-8"), re.M)[0]
    assert int(better) + int(same) == len(CORE)
