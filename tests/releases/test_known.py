"""What is known of the releases, against their personalities: with its list each is conformant, and the list is exactly
what the suite finds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local_dream_conformance.core.contract import Level
from local_dream_conformance.result import known
from local_dream_conformance.run import suite
from local_dream_mockserver.faults.app import create_faulty_app
from local_dream_mockserver.faults.emulated.releases import personalities
from local_dream_mockserver.faults.selection import Selection
from local_dream_mockserver.mock.synthetic import Pacing
from local_dream_mockserver.server.config import ServerSettings
from tests.mockserver.live_server import running
from tests.releases.overlap import OverlappingEngine

RELEASES = {"2.4": "local-dream-2.4.3", "2.7": "local-dream-2.7", "2.8": "local-dream-2.8.1"}
JUDGED = ("2.4", "2.4-mnn", "2.4-upscaler", "2.7", "2.7-mnn", "2.7-upscaler", "2.8")
"""SDXL takes half a minute; the other modes of 2.8 are those of 2.7."""


def list_of(name: str) -> str:
    """What `--known` is given for a personality."""
    release, _, mode = name.partition("-")
    return f"{RELEASES[release]}/{mode or 'qnn'}"


def survived(name: str) -> set[str]:
    """What is known of a release, but for what only its death shows."""
    release, _, mode = list_of(name).partition("/")
    deadly = {entry["id"] for entry in known.deviations(release) if entry.get("kills")}
    assert deadly <= known.load(release).keys()
    return set(known.load(f"{release}/{mode}")) - deadly


def judged(tmp_path: Path, name: str, *options: str, deadly: bool = False) -> tuple[int, dict[str, Any]]:
    """The exit code of `local-dream check`, and its report. `deadly`: with the bugs that kill."""
    personality = personalities()[name]
    alteration = personality.make(destructive=deadly)
    settings = ServerSettings(without=frozenset(personality.without))
    engine = OverlappingEngine(Pacing(first=0.02, step=0.04))
    engine.follow(alteration)
    app = create_faulty_app(engine, settings, Selection([alteration]))
    report = tmp_path / "report.json"
    command = [str(Path(sys.executable).with_name("local-dream")), "check"]
    with running(app, http=alteration.http) as url:
        given = ["--upscaler-path", "default", "--json-report", str(report), *options]
        done = subprocess.run([*command, url, *given], capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert report.exists(), done.stdout + done.stderr
    return done.returncode, json.loads(report.read_text(encoding="utf-8"))


def ids(report: dict[str, Any], *verdicts: str) -> set[str]:
    return {one["id"] for one in report["requirements"] if one["verdict"] in verdicts}


@pytest.mark.parametrize("name", JUDGED)
def test_a_release_breaks_what_is_known_of_it_and_nothing_else(name: str, tmp_path: Path) -> None:
    options: tuple[str, ...] = ("--profile", "all", "--strict", "--destructive", "--known", list_of(name))
    if "EXT-UFX-07" in survived(name):
        options += ("--extension", "ultrafix")
    code, report = judged(tmp_path, name, *options)
    assert (code, ids(report, "fail", "warn", "error")) == (0, set())
    assert ids(report, "waived") == survived(name)


@pytest.mark.parametrize("name", RELEASES)
@pytest.mark.parametrize("profile", ["core", "hardened", "all"])
def test_with_its_list_a_release_is_conformant_in_every_profile(name: str, profile: str, tmp_path: Path) -> None:
    """And no request kills it, although it has the bugs that kill."""
    code, report = judged(tmp_path, name, "--profile", profile, "--strict", "--known", RELEASES[name], deadly=True)
    assert (code, ids(report, "fail", "warn", "error")) == (0, set())
    assert "SRV-05" in ids(report, "pass")


@pytest.mark.parametrize("name", RELEASES)
def test_with_destructive_requests_a_release_dies(name: str, tmp_path: Path) -> None:
    options = ("--profile", "hardened", "--known", RELEASES[name], "--destructive")
    code, report = judged(tmp_path, name, *options, deadly=True)
    assert (code, ids(report, "fail", "warn", "error")) == (0, set())
    assert "SRV-05" in ids(report, "waived")


@pytest.mark.parametrize("name", RELEASES)
def test_the_death_of_a_release_is_not_conformant_without_its_list(name: str, tmp_path: Path) -> None:
    code, report = judged(tmp_path, name, "--profile", "core", "--destructive", "-k", "SRV-05", deadly=True)
    assert (code, ids(report, "fail")) == (1, {"SRV-05"})


@pytest.mark.parametrize("name", sorted(personalities()))
def test_personalities_say_of_themselves_what_is_known(name: str) -> None:
    personality = personalities()[name]
    assert {*personality.breaks, *personality.discouraged} == survived(name)
    by_id = suite.load().contract.by_id
    assert {by_id[id].level for id in personality.breaks} == {Level.MUST}
    assert {by_id[id].level for id in personality.discouraged} == {Level.SHOULD}
