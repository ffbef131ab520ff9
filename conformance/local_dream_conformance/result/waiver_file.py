"""Files of waivers: read strictly, so that no waiver is without a reason, an owner and a last day; and drafted."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from local_dream_conformance.core.contract import Contract, Level
from local_dream_conformance.core.escape import escape
from local_dream_conformance.result.requirement_result import RequirementResult
from local_dream_conformance.result.waiver import Waiver

KEYS = ("id", "reason", "issue", "owner", "expires")
DRAFTED_DAYS = 90
"""So long is a drafted waiver good for, unless its owner says otherwise."""


class BadWaivers(ValueError):
    """The file cannot be used; the message names it, the waiver and the fix."""


def load(path: Path, contract: Contract) -> dict[str, Waiver]:
    """The waivers of a file by requirement id. Raises BadWaivers."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadWaivers(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadWaivers(f"{path} is not TOML: {' '.join(str(error).split())}") from None
    if unknown := document.keys() - {"waiver"}:
        raise BadWaivers(f"{path}: unknown key {sorted(unknown)[0]}; each waiver is a table [[waiver]]")
    entries = document.get("waiver", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadWaivers(f"{path}: each waiver is a table [[waiver]]")
    found: dict[str, Waiver] = {}
    for number, entry in enumerate(entries, 1):
        waiver = _waiver(path, number, entry)
        _covers_something(path, waiver.id, contract)
        if waiver.id in found:
            raise BadWaivers(f"{path}: {waiver.id} is waived twice; keep one of the waivers")
        found[waiver.id] = waiver
    return found


def _waiver(path: Path, number: int, entry: Mapping[str, Any]) -> Waiver:
    id = entry.get("id")
    if not isinstance(id, str) or not id:
        raise BadWaivers(f'{path}: waiver {number} has no id; give the requirement, such as id = "GEN-SSE-07"')
    where = f"{path}: the waiver of {id}"
    if unknown := entry.keys() - set(KEYS):
        raise BadWaivers(f"{where} has an unknown key {sorted(unknown)[0]}; there are {', '.join(KEYS)}")
    for key, what in (("reason", "say why it is accepted"), ("owner", "say who is to repair it")):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise BadWaivers(f"{where} has no {key}: {what}")
    if not isinstance(entry.get("issue", ""), str):
        raise BadWaivers(f"{where}: issue must be a text, such as a link")
    expires = entry.get("expires")
    if type(expires) is not date:  # a datetime is a date too
        raise BadWaivers(f"{where} has no last day: give it without quotes, such as expires = {_drafted_day()}")
    words = {key: entry.get(key, "").strip() for key in ("reason", "issue", "owner")}
    return Waiver(id, source=str(path), expires=expires, **words)


def _covers_something(path: Path, id: str, contract: Contract) -> None:
    requirement = contract.by_id.get(id)
    if requirement is None:
        near = difflib.get_close_matches(id.upper(), contract.by_id, 1)
        hint = f"; did you mean {near[0]}?" if near else "; `local-dream spec --requirements` lists all"
        raise BadWaivers(f"{path}: the contract has no requirement {id}{hint}")
    if requirement.unjudged or requirement.level is Level.MAY:
        why = "is never judged" if requirement.unjudged else "is a MAY and never fails"
        raise BadWaivers(f"{path}: {id} {why}; remove its waiver")


def draft(broken: Iterable[RequirementResult], url: str) -> str:
    """A waiver file for what is broken. It is refused until reasons and owners are filled in."""
    return "\n".join(_draft(broken, url))


def _draft(broken: Iterable[RequirementResult], url: str) -> Iterator[str]:
    yield f"# What {escape(url)} broke on {date.today().isoformat()}. Give each waiver that you want a reason, an owner"
    yield "# and its last day (and a link to an issue, if there is one), and delete the others. Use: --waivers FILE"
    for one in broken:
        yield ""
        yield "[[waiver]]"
        yield f"# {one.level}: {escape(one.text, 400)}"
        for finding in one.findings[:1]:
            yield f"# expected {escape(finding.expected)}"
            yield f"# got {escape(finding.got)}"
        yield f'id = "{one.id}"'
        yield 'reason = ""'
        yield 'issue = ""'
        yield 'owner = ""'
        yield f"expires = {_drafted_day()}"
    yield ""


def _drafted_day() -> str:
    return (date.today() + timedelta(days=DRAFTED_DAYS)).isoformat()
