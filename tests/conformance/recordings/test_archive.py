from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from local_dream_conformance.core.exchange import End, Exchange, Read, Request, Transcript
from local_dream_conformance.recordings import archive
from local_dream_conformance.recordings.archive import BadArchive

TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
SECONDS = st.floats(0, 1e6)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple)
EXCHANGES = st.builds(
    Exchange,
    label=TEXT,
    request=st.builds(Request, method=TEXT, target=TEXT, headers=PAIRS, body=st.binary(max_size=50)),
    started=SECONDS,
    end=st.sampled_from(End),
    ended_at=SECONDS,
    status=st.none() | st.integers(100, 599),
    reason=TEXT,
    http_version=TEXT,
    headers=PAIRS,
    head_at=st.none() | SECONDS,
    reads=st.lists(st.builds(Read, SECONDS, st.binary(max_size=20)), max_size=4).map(tuple),
    interim=st.lists(st.integers(100, 199), max_size=2).map(tuple),
    detail=TEXT,
    notes=PAIRS,
)


def transcript(*exchanges: Exchange) -> Transcript:
    return Transcript("base", exchanges)


def exchange(label: str = "base", body: bytes = b"event: x\n\n", content_type: str = "text/event-stream") -> Exchange:
    request = Request("POST", "/generate", (("Content-Type", "application/json"),), b'{"prompt": "a"}')
    reads = (Read(0.1, body[:3]), Read(0.25, body[3:]))
    return Exchange(label, request, 1.5, End.COMPLETE, 0.3, 200, headers=(("Content-Type", content_type),), reads=reads)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(exchanges=st.lists(EXCHANGES, max_size=3))
def test_what_is_saved_is_what_is_loaded(tmp_path: Path, exchanges: list[Exchange]) -> None:
    saved = transcript(*exchanges)
    archive.save(tmp_path, saved)
    assert archive.load(tmp_path, "base") == saved


def test_bodies_lie_beside_the_index_as_they_were(tmp_path: Path) -> None:
    folder = archive.save(tmp_path, transcript(exchange(), exchange("base/../../x y")))
    assert sorted(path.name for path in folder.iterdir()) == [
        "001-base.answer.sse.txt",
        "001-base.request.json",
        "002-base-..-..-x-y.answer.sse.txt",
        "002-base-..-..-x-y.request.json",
        "index.json",
    ]
    assert (folder / "001-base.answer.sse.txt").read_bytes() == b"event: x\n\n"
    assert json.loads((folder / "index.json").read_text())["exchanges"][0]["reads"] == [[0.1, 3], [0.25, 7]]


def test_saving_again_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    archive.save(tmp_path, transcript(exchange(), exchange("base/two")))
    archive.save(tmp_path, transcript(exchange()))
    assert archive.load(tmp_path, "base") == transcript(exchange())
    assert [path.name for path in tmp_path.iterdir()] == ["base"]
    assert archive.names(tmp_path) == ["base"]


def test_what_is_not_there(tmp_path: Path) -> None:
    assert not archive.holds(tmp_path, "base")
    assert archive.names(tmp_path) == []
    with pytest.raises(FileNotFoundError):
        archive.load(tmp_path, "base")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"format": 1', '"format": 9', "format 9 is not known"),
        ("001-base.answer.sse.txt", "../secret", "is not a file name"),
        ("001-base.answer.sse.txt", "absent", "FileNotFoundError"),
        ("7\n", "8\n", "the reads count 11 bytes, the body has 10"),
        ('"complete"', '"perfect"', "ValueError"),
        ('"exchanges"', '"exchange"', "KeyError"),
        ("{", "", "JSONDecodeError"),
        ("{", "[" * 100_000, "RecursionError"),
    ],
)
def test_a_damaged_archive_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    (tmp_path / "secret").write_bytes(b"event: x\n\n")
    path = archive.save(tmp_path, transcript(exchange())) / "index.json"
    source = path.read_text()
    assert old in source
    path.write_text(source.replace(old, new, 1))
    with pytest.raises(BadArchive, match=words) as caught:
        archive.load(tmp_path, "base")
    assert str(path) in str(caught.value)
