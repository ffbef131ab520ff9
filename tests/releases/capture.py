"""Makes `requests.json` and `answers/` of recordings: `python -m tests.releases.capture FOLDER...`.

FOLDER holds a folder `local-dream-VERSION` for each release, with a JSON file for each request: `request` (base64) and
`response_reads` (pairs of milliseconds and base64). Each FOLDER gives its name to its requests.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path

from tests.releases.answer import Answer, answer_of

HERE = Path(__file__).parent
HOST = re.compile(rb"Host: [^\r\n]*")
"""Ports, of which each release had another."""
REQUESTS, ANSWERS = HERE / "requests.json", HERE / "answers"


def key_of(name: str, release: str) -> str:
    """The key of a request that this release got in a form of its own."""
    return f"{name}@{release}"


def captured(folder: Path) -> tuple[dict[str, str], dict[str, dict[str, Answer]]]:
    """The requests of a folder by name, and the answers by release and name."""
    requests: dict[str, str] = {}
    answers: dict[str, dict[str, Answer]] = {}
    for file in sorted(folder.glob("local-dream-*/*.json")):
        name = f"{folder.name}/{file.stem}"
        case = json.loads(file.read_text(encoding="utf-8"))
        request = base64.b64encode(HOST.sub(b"Host: x", base64.b64decode(case["request"]), count=1)).decode()
        if requests.setdefault(name, request) != request:
            requests[key_of(name, file.parent.name)] = request
        raw = b"".join(base64.b64decode(read) for _, read in case["response_reads"])
        answers.setdefault(file.parent.name, {})[name] = answer_of(raw)
    return requests, answers


def main(folders: list[Path]) -> None:
    """Writes the files anew."""
    requests: dict[str, str] = {}
    answers: dict[str, dict[str, Answer]] = {}
    for folder in folders:
        more, theirs = captured(folder)
        requests |= more
        for release, found in theirs.items():
            answers.setdefault(release, {}).update(found)
    REQUESTS.write_text(json.dumps(requests, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    ANSWERS.mkdir(exist_ok=True)
    for release, found in answers.items():
        lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(found[name])}" for name in sorted(found))
        (ANSWERS / f"{release}.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main([Path(text) for text in sys.argv[1:]])
