"""docs/detection.md and docs/detection.json: the same matrix for people and for programs. Nothing in them varies from
run to run, so that a difference means something."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local_dream_mockserver.faults.catalogue import Fault, Layer
from tests.matrix.expectations import expected_of
from tests.matrix.matrix import Matrix

DOCS = Path(__file__).resolve().parents[2] / "docs"
MARKDOWN = DOCS / "detection.md"
JSON = DOCS / "detection.json"


def files(matrix: Matrix) -> dict[Path, str]:
    """What to write where."""
    return {MARKDOWN: "\n".join(_markdown(matrix)) + "\n", JSON: json.dumps(_json(matrix), indent=1) + "\n"}


def summary(matrix: Matrix) -> str:
    """One line."""
    musts = matrix.musts
    twice = sum(len(matrix.kills[id]) >= 2 for id in musts)
    false = sum(len(matrix.false_alarms(name)) for name in (*matrix.entries, *matrix.personalities))
    missed = sum(len(matrix.missed(name)) for name in matrix.faults)
    kills = sum(len(names) for names in matrix.kills.values())
    return (
        f"{len(matrix.faults)} faults, {len(matrix.quirks)} quirks, {kills} kills, {missed} misses, "
        f"{false} false alarms; {twice} of {len(musts)} MUSTs killed at least twice, "
        f"{len(matrix.exceptions)} exceptions; "
        f"{sum(bool(faults) for faults in matrix.proofs.values())} of {len(matrix.proofs)} checks proven able to fail"
    )


def _json(matrix: Matrix) -> dict[str, Any]:
    return {
        "contract": matrix.suite.contract.version,
        "summary": summary(matrix),
        "faults": [
            {
                "name": name,
                "layer": str(fault.layer),
                "place": None if fault.place is None else str(fault.place),
                "sentence": fault.sentence,
                "breaks": list(fault.breaks),
                "consequences": list(matrix.consequences(name)),
                "extensions": list(fault.extensions),
                "served": matrix.trials[name].applied > 0,
                "caught": [id for id in fault.breaks if matrix.trials[name].broken(id)],
                "false_alarms": matrix.false_alarms(name),
            }
            for name, fault in matrix.faults.items()
        ],
        "quirks": [
            {
                "name": name,
                "layer": str(quirk.layer),
                "sentence": quirk.sentence,
                "discouraged": list(quirk.discouraged),
                "extensions": list(quirk.extensions),
                "options": dict(expected_of(name).options),
                "served": matrix.trials[name].applied > 0,
                "false_alarms": matrix.false_alarms(name),
            }
            for name, quirk in matrix.quirks.items()
        ],
        "personalities": [
            {
                "name": name,
                "sentence": personality.sentence,
                "breaks": list(personality.breaks),
                "discouraged": list(personality.discouraged),
                "served": matrix.trials[name].applied > 0,
                "false_alarms": matrix.false_alarms(name),
            }
            for name, personality in matrix.personalities.items()
        ],
        "requirements": {
            id: {
                "level": str(matrix.suite.contract.by_id[id].level),
                "killed_by": killed,
                "exception": matrix.exceptions[id].reason if id in matrix.exceptions else None,
            }
            for id, killed in matrix.kills.items()
        },
        "checks": matrix.proofs,
        "holes": list(matrix.holes()),
    }


def _markdown(matrix: Matrix) -> Iterator[str]:
    yield "# What the suite detects"
    yield ""
    yield "Written by `python -m tests.matrix`, which runs the whole suite over HTTP against the mock server, once for"
    yield "every fault and every quirk of the catalogue. Do not edit."
    yield ""
    yield f"{summary(matrix)}."
    yield ""
    yield "It covers the whole contract. Where no extension is at stake a trial judges the profile hardened, which"
    yield "includes core. The trial of an extension's fault stands a server up that has this extension alone, declares"
    yield "it, and judges all requirements of all extensions, and of the rest what the same requests show: the other"
    yield "requests of the core get the same answers with it and without it, and would double the time. The honest"
    yield "server and the personalities are judged by everything."
    yield ""
    yield "- A fault is *caught* when every requirement that it breaks is judged broken, and no other but its"
    yield "  consequences. It counts only if the faulty bytes were really served."
    yield "- A quirk is odd but legal: it costs nothing but the SHOULDs that speak about it."
    yield "- A check is *proven* by a fault that it finds by itself, while no other check of its requirement can fail."
    if unproven := {check: matrix.unproven[check] for check in matrix.proofs if check in matrix.unproven}:
        yield "- Checks that no fault proves, each beside another check of its requirement:"
        yield from (f"  - {check}: {_cell(reason)}" for check, reason in unproven.items())
    holes = list(matrix.holes())
    if holes:
        yield ""
        yield "## Holes"
        yield ""
        for hole in holes:
            yield f"- {_cell(hole)}"
    for layer in Layer:
        chosen = [fault for fault in matrix.faults.values() if fault.layer is layer]
        if chosen:
            yield from _faults(matrix, layer, chosen)
    yield ""
    yield "## Quirks"
    yield ""
    yield "| quirk | what the server does | against |"
    yield "|---|---|---|"
    for name, quirk in matrix.quirks.items():
        yield f"| `{name}` | {_cell(quirk.sentence)} | {', '.join(quirk.discouraged)} |"
    yield ""
    yield "## Personalities"
    yield ""
    yield "Whole other servers, with the requirements that they are found to break."
    yield ""
    yield "| personality | what it is | breaks | against |"
    yield "|---|---|---|---|"
    for name, one in matrix.personalities.items():
        yield f"| `{name}` | {_cell(one.sentence)} | {', '.join(one.breaks)} | {', '.join(one.discouraged)} |"
    yield ""
    yield "## Requirements"
    yield ""
    yield "| requirement | level | killed by |"
    yield "|---|---|---|"
    for id, killed in matrix.kills.items():
        names = ", ".join(f"`{name}`" for name in killed)
        if id in matrix.exceptions:
            names = f"{names}{'; ' if names else ''}{_cell(matrix.exceptions[id].reason)}"
        yield f"| {id} | {matrix.suite.contract.by_id[id].level} | {names} |"


def _faults(matrix: Matrix, layer: Layer, chosen: list[Fault]) -> Iterator[str]:
    yield ""
    yield f"## Faults: {layer}"
    yield ""
    yield "| fault | what the server does | breaks | caught |"
    yield "|---|---|---|---|"
    for fault in chosen:
        name = fault.name if fault.place is None else f"{fault.name}@{fault.place}"
        caught = (
            not (matrix.missed(fault.name) or matrix.false_alarms(fault.name)) and matrix.trials[fault.name].applied
        )
        yield f"| `{name}` | {_cell(fault.sentence)} | {', '.join(fault.breaks)} | {'yes' if caught else 'NO'} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
