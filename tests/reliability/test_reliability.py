"""The command that throws everything, with little of it; its rows, its page and its pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.reliability import endings, neighbours
from tests.reliability.crowds import crowd, hang_ups
from tests.reliability.curve import svg
from tests.reliability.document import Row, Section, document, picture, read, write
from tests.reliability.hostile import from_hypothesis, from_sockets
from tests.reliability.served import COMMANDS, served
from tests.reliability.surfaces import SURFACES

LIGHT = [target for target in COMMANDS if target != "reference"]


@pytest.mark.parametrize("target", LIGHT)
def test_a_little_of_all_breaks_nothing(target: str) -> None:
    with served(target) as server:
        found = from_sockets(server, SURFACES[target], 60) + from_hypothesis(server, SURFACES[target], 60)
        assert not {status for status in found if status.startswith("5")} - {"503"}
        assert found.total() >= 120
        with server.client() as client:
            client.put("/__mock__/reset")
        seen, curve = crowd(target, server, 3, 0.5)
        assert seen.answers.total() > 0
        assert seen.mixed_up == 0
        assert min(curve) > 0
        assert server.tracebacks() == 0
        assert server.stop()[0] == 0


@pytest.mark.parametrize("target", ["mock", "proxy"])
def test_who_leaves_holds_up_nobody(target: str) -> None:
    with served(target) as server:
        assert len(hang_ups(server, 4)) == 4
        assert not neighbours.abandoned(server, 4).broken


@pytest.mark.parametrize("target", LIGHT)
def test_killed_and_started_again(target: str) -> None:
    assert not endings.killed(target).broken


def test_a_full_queue_and_a_client_with_many_requests() -> None:
    assert not neighbours.overload("mock", 5).broken
    fair = neighbours.fairness("mock", 30)
    assert fair.result.startswith("status 200")


def section() -> Section:
    rows = [Row("requests", 5, "200 5"), Row("500s", 5, "1", broken=True)]
    return Section("mock", "soak", rows, [1, 4, 8], 60.0, 3.0, ["--count", "5"], 2.0, 10, "2026-11-28")


def test_the_page() -> None:
    page = document([section()])
    assert "| requests | 5 | 200 5 |\n| ✗ 500s | 5 | 1 |" in page
    assert "load 2, nice 10, with the options `--count 5`." in page
    assert f"]({picture(section())})" in page
    assert section().broken


def test_sections_are_kept_and_the_last_of_a_part_of_a_target_counts(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    assert read(kept) == []
    other = Section("proxy", "crowds", [Row("requests", 1, "200 1")], load=1.0, day="2026-11-28")
    crowds = replace(other, target="mock")
    lines = [other, Section("mock", "soak", day="2026-11-27"), section(), crowds]
    kept.write_text("".join(one.line() for one in lines), encoding="utf-8")
    assert read(kept) == [crowds, section(), other]
    assert document(read(kept)).count("## mock") == 1
    write(read(kept), tmp_path / "page.md")
    assert (tmp_path / picture(section())).exists()
    assert not (tmp_path / picture(other)).exists()


def test_a_curve_begins_at_zero_and_ends_at_its_last_value() -> None:
    drawn = ElementTree.fromstring(svg("memory", [10, 40, 20], 600))
    line = drawn.find("{http://www.w3.org/2000/svg}polyline")
    assert line is not None
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    heights = [y for _, y in points]
    assert heights[1] < heights[2] < heights[0], "the more, the higher"
    words = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert words[0] == "0 MiB"
    assert words[-1] == "600 s"


@pytest.mark.parametrize("values", [[], [0], [5], [1 << 20, 7]])
def test_any_values_make_a_curve(values: list[int]) -> None:
    ElementTree.fromstring(svg("memory", values, 1))
