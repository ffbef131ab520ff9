"""The folder that the processes of a run share."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_dream_conformance.core.exchange import End, Exchange, Request, Transcript
from local_dream_conformance.recordings import archive
from local_dream_conformance.recordings.run_folder import RunFolder


def transcript(scenario: str, started: float) -> Transcript:
    exchange = Exchange(scenario, Request("GET", "/health"), started, End.COMPLETE, 0.5, 200)
    return Transcript(scenario, (exchange,))


def test_each_process_reads_a_transcript_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, reader = RunFolder(tmp_path), RunFolder(tmp_path)
    loaded: list[str] = []
    load = archive.load

    def counted(folder: Path, scenario: str) -> Transcript:
        loaded.append(scenario)
        return load(folder, scenario)

    monkeypatch.setattr(archive, "load", counted)
    writer.keep(transcript("late", 2.0))
    assert reader.transcripts() == (transcript("late", 2.0),)
    writer.keep(transcript("early", 1.0))
    for folder in (reader, writer):
        for _ in range(3):
            assert [one.scenario for one in folder.transcripts()] == ["early", "late"]
            assert set(folder.exchanges()) == {"early", "late"}
            assert folder.transcript("late") == transcript("late", 2.0)
            assert folder.transcript("absent") is None
    assert loaded == ["late", "early"]


def test_what_a_run_began_with_and_what_failed(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert not folder.has_begun
    folder.begin("http://127.0.0.1:1/sd")
    folder.fail("base", "it raised")
    other = RunFolder(tmp_path)
    assert other.has_begun
    assert other.begun() == folder.begun()
    assert other.begun().url == "http://127.0.0.1:1/sd"
    assert (other.failure("base"), other.failure("more")) == ("it raised", "")


@pytest.mark.parametrize("kept", [False, True])
def test_only_the_bodies_of_curl_lines_outlast_a_run(tmp_path: Path, kept: bool) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.begin("http://127.0.0.1:1")
    folder.keep(transcript("base", 0.0))
    if kept:
        folder.bodies.mkdir()
    folder.remove()
    assert folder.path.exists() is kept
    assert not kept or list(folder.path.iterdir()) == [folder.bodies]
