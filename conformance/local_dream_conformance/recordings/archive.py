"""Archive: transcripts as files, readable by people and by later versions of the suite.

One folder per scenario. `index.json` holds everything but the bodies; each body lies beside it, exactly as it was on
the wire. A folder appears at once and complete, so a reader never sees half a transcript.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from local_dream_conformance.core.exchange import End, Exchange, Read, Request, Transcript
from local_dream_conformance.core.pieces import IN_MEMORY, PIECES, StoredReads
from local_dream_conformance.core.pretty_json import pretty

FORMAT = 1
INDEX = "index.json"
SUFFIXES = {
    "application/json": "json",
    "text/event-stream": "sse.txt",
    "image/jpeg": "jpg",
    "image/png": "png",
    "text/plain": "txt",
}


class BadArchive(ValueError):
    """The files are not an archived transcript; the message names the file and what is wrong."""


def save(
    folder: Path, transcript: Transcript, change: Callable[[Exchange], Exchange] = lambda exchange: exchange
) -> Path:
    """Writes a transcript to `folder/SCENARIO` and answers that path; replaces what was there.

    Each exchange is written as `change` gives it, so that no more than one changed body is in memory.
    """
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / transcript.scenario
    work = Path(tempfile.mkdtemp(prefix=f".{transcript.scenario}-", dir=folder))
    try:
        entries = [_entry(work, number, change(exchange)) for number, exchange in enumerate(transcript.exchanges, 1)]
        index: dict[str, Any] = {"format": FORMAT, "probe": transcript.scenario, "exchanges": entries}
        if transcript.left_out:
            index["left_out"] = [list(pair) for pair in transcript.left_out]
        (work / INDEX).write_text(pretty(index) + "\n", encoding="ascii")
        if final.exists():
            shutil.rmtree(final)
        work.replace(final)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return final


def names(folder: Path) -> list[str]:
    """The scenarios with a transcript in the folder, in alphabetical order."""
    return sorted(path.parent.name for path in folder.glob(f"*/{INDEX}") if not path.parent.name.startswith("."))


def holds(folder: Path, scenario: str) -> bool:
    """Whether the folder has a transcript of the scenario."""
    return (folder / scenario / INDEX).exists()


def load(folder: Path, scenario: str) -> Transcript:
    """The transcript of a scenario. Raises FileNotFoundError where there is none, BadArchive where it cannot be
    read."""
    path = folder / scenario / INDEX
    source = path.read_text(encoding="utf-8")
    try:
        index = json.loads(source)
        if index["format"] != FORMAT:
            raise BadArchive(f"{path}: format {index['format']!r} is not known here (this version reads {FORMAT})")
        exchanges = tuple(_exchange(path.parent, entry) for entry in index["exchanges"])
        return Transcript(index["probe"], exchanges, _pairs(index.get("left_out", ())))
    except BadArchive:
        raise
    except (ValueError, RecursionError, KeyError, TypeError, OSError) as error:
        raise BadArchive(f"{path}: {type(error).__name__}: {error}") from None


def body_name(number: int, exchange: Exchange, side: str) -> str:
    """The name of the file for a body of a transcript's exchange; `side` is "request" or "answer"."""
    request = exchange.request
    content_type = (request.header("content-type") or "") if side == "request" else exchange.media_type
    suffix = SUFFIXES.get(content_type.split(";")[0].strip().lower(), "bin")
    return f"{number:03d}-{re.sub(r'[^A-Za-z0-9._-]+', '-', exchange.label)[:80]}.{side}.{suffix}"


def _entry(folder: Path, number: int, exchange: Exchange) -> dict[str, Any]:
    request = exchange.request
    return {
        "label": exchange.label,
        "started": exchange.started,
        "request": {
            "method": request.method,
            "target": request.target,
            "headers": [list(pair) for pair in request.headers],
            "body": _body(folder, body_name(number, exchange, "request"), request.body),
        },
        "end": str(exchange.end),
        "ended_at": exchange.ended_at,
        "detail": exchange.detail,
        "status": exchange.status,
        "reason": exchange.reason,
        "http_version": exchange.http_version,
        "interim": list(exchange.interim),
        "headers": [list(pair) for pair in exchange.headers],
        "head_at": exchange.head_at,
        "body": _body(folder, body_name(number, exchange, "answer"), exchange.reads),
        "reads": [[at, size] for at, size in exchange.arrivals],
        "notes": [list(pair) for pair in exchange.notes],
    }


def _body(folder: Path, name: str, data: bytes | Sequence[Read]) -> str | None:
    """The name of the file that the bytes were written to, or None where there are none."""
    if isinstance(data, StoredReads):
        data.copy_to(folder / name)
        return name
    whole = data if isinstance(data, bytes) else b"".join(read.data for read in data)
    if not whole:
        return None
    (folder / name).write_bytes(whole)
    return name


def _bytes(folder: Path, name: str | None) -> bytes:
    return b"" if name is None else _file(folder, name).read_bytes()


def _file(folder: Path, name: str) -> Path:
    if Path(name).name != name:  # an archive from a stranger must not read files elsewhere
        raise BadArchive(f"{folder / INDEX}: body {name!r} is not a file name")
    return folder / name


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(text)) for name, text in value)


def _exchange(folder: Path, entry: dict[str, Any]) -> Exchange:
    sent = entry["request"]
    return Exchange(
        label=entry["label"],
        request=Request(sent["method"], sent["target"], _pairs(sent["headers"]), _bytes(folder, sent["body"])),
        started=float(entry["started"]),
        end=End(entry["end"]),
        ended_at=float(entry["ended_at"]),
        status=entry["status"],
        reason=entry["reason"],
        http_version=entry["http_version"],
        headers=_pairs(entry["headers"]),
        head_at=entry["head_at"],
        reads=_reads(folder, entry),
        interim=tuple(entry["interim"]),
        detail=entry["detail"],
        notes=_pairs(entry["notes"]),
    )


def _reads(folder: Path, entry: dict[str, Any]) -> Sequence[Read]:
    """The pieces of an answer; those of a large one stay in their file."""
    arrivals = [(float(at), int(size)) for at, size in entry["reads"]]
    counted = sum(size for _, size in arrivals)
    path = None if entry["body"] is None else _file(folder, entry["body"])
    held = path.stat().st_size if path else 0
    if counted != held:
        raise BadArchive(f"{folder / INDEX}: {entry['label']}: the reads count {counted} bytes, the body has {held}")
    if path is not None and (held > IN_MEMORY or len(arrivals) > PIECES):
        return StoredReads(path, (at for at, _ in arrivals), (size for _, size in arrivals))
    body = path.read_bytes() if path else b""
    ends = list(accumulate(size for _, size in arrivals))
    return tuple(Read(at, body[end - size : end]) for (at, size), end in zip(arrivals, ends, strict=True))
