from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from local_dream_conformance.cli import main
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.recordings import recording
from local_dream_conformance.recordings.recording import Kept, Recording
from tests.conformance.report import results


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["report", *arguments])
    return done.exit_code, done.output


def test_reports_of_a_kept_result_and_its_recording(tmp_path: Path) -> None:
    document, transcripts = results.failing()
    kept = tuple(Kept(transcript.scenario, "made") for transcript in transcripts)
    whole = Recording("0.1.0", "1.0", document.started, Settings(results.URL), kept)
    recording.write(tmp_path / "run", whole, transcripts)
    (tmp_path / "result.json").write_text(json.dumps(document.to_json()), encoding="utf-8")
    page, short, badge = (str(tmp_path / name) for name in ("r.html", "r.md", "b.json"))
    code, said = run(
        str(tmp_path / "result.json"), "--recording", str(tmp_path / "run"),
        "--html-report", page, "--markdown-report", short, "--badge", badge,
    )  # fmt: skip
    assert (code, said) == (0, f"report: {page}\nreport: {short}\nbadge: {badge}\n")
    assert "data:image/png;base64," in Path(page).read_text(encoding="utf-8")
    assert "not conformant" in Path(short).read_text(encoding="utf-8")
    assert json.loads(Path(badge).read_bytes())["color"] == "red"


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        ("{}", ("--html-report", "r.html"), "result.json"),
        ("nonsense", ("--html-report", "r.html"), "is not JSON"),
        ("{}", (), "nothing to write: give --html-report, --markdown-report, --badge"),
        ("{}", ("--badge", "b.png"), "--badge: 'b.png': end it in .svg"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("result.json").write_text(text, encoding="utf-8")
    code, said = run("result.json", *arguments)
    assert code != 0
    assert words in said
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_a_folder_that_is_no_recording_is_named(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(json.dumps(results.passing().to_json()), encoding="utf-8")
    page = tmp_path / "r.html"
    code, said = run(str(tmp_path / "result.json"), "--html-report", str(page), "--recording", str(tmp_path))
    assert code == 1
    assert "is no recording: it has no recording.json" in said
    assert not page.exists()
