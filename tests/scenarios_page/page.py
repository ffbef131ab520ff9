"""docs/scenarios.md: every scenario with its cost, the requirements that it serves, and what it sends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local_dream_conformance.core.budget import describe
from local_dream_conformance.core.exchange import GENERATE, Exchange, Request, Transcript
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.evidence.spending import spent_on
from local_dream_conformance.http.target import Target
from local_dream_conformance.run import suite
from local_dream_conformance.scenarios import SCENARIOS, destructive, lasting, requests
from local_dream_conformance.scenarios.forms import forms_of
from local_dream_conformance.scenarios.scenario import Scenario
from local_dream_mockserver.mock.synthetic import SyntheticEngine
from tests.conformance.scenarios.running import DECLARATIONS
from tests.mockserver.live_server import controlled

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scenarios.md"
SHOWN = 48
"""Characters of a value that the page shows."""
ALIKE = 3
"""So many ids that follow one another are shown by the first and the last."""
LASTING = ("hang-up/abandoned", "queue/first", "queue/left")
"""Generations of as many steps as the speed of the target asks for."""
HEAD = """# What the suite sends

<!-- Made by `python -m tests.scenarios_page` from what the scenarios send to the mock server: edit them, not this. -->

A scenario makes calls and records them; it runs at most once in a run, and several checks judge what it recorded. Every
exchange has a label, SCENARIO or SCENARIO/PART, by which findings, recordings and curl lines name it. The cost is in
accepted generations and upscales: what a server refuses costs nothing. A request is shown by what it has beside the
plain one (prompt A, seed S, n steps, size s: `--seed` gives A and S, `--steps` n, `--size` s); "-field" is left out.

Planned generations and upscales carry valid forms beside what they are sent for (*with*): kinds of pictures, bounds of
ranges, headers, spellings of the JSON. Some labels are there only where such a request fails: LABEL-forms-0 is then the
one with all its forms, -1, -2, ... are requests with fewer of them, until one form is named, and the main label always
names the exchange that was accepted (or the plain one, refused).
"""


def page() -> str:
    """The whole page, from a run of every scenario against the mock server."""
    with controlled(SyntheticEngine()) as (url, control):
        settings = Settings(
            url=url,
            profile="all",
            upscaler_path="default",
            destructive=True,
            extensions=DECLARATIONS,
            control_url=control,
        )
        return "\n".join((HEAD, *_sections(settings)))


def _sections(settings: Settings) -> Iterator[str]:
    done: dict[str, Transcript] = {}
    target = Target(settings, done.__getitem__, cost_of=spent_on)
    needed = _needed()
    for name, scenario in SCENARIOS.items():
        done[name] = Transcript(name, tuple(scenario.run(target)))
        yield f"## {name}"
        yield ""
        yield " ".join(_facts(scenario.priced(settings), needed[name]))
        yield ""
        yield " ".join((scenario.run.__doc__ or "").split())
        yield ""
        if name == destructive.NAME:
            yield from (f"- `{danger.label}`: {danger.did}" for danger in destructive.DANGERS)
            yield ""
        yield "| label | request |"
        yield "|---|---|"
        yield from (f"| {label} | {text} |" for label, text in _rows(done[name].exchanges, settings))
        yield ""


def _needed() -> dict[str, list[str]]:
    """The requirements whose checks need each scenario."""
    found: dict[str, list[str]] = {name: [] for name in SCENARIOS}
    for id, checks in suite.load().checks.items():
        for check in checks:
            for name in check.needs:
                if id not in found[name]:
                    found[name].append(id)
    return {name: sorted(ids) for name, ids in found.items()}


def _facts(scenario: Scenario, ids: list[str]) -> Iterator[str]:
    cost = describe(scenario.cost)
    yield f"Costs {cost}." if scenario.price is None else f"Costs {cost} (here), as the settings say."
    if scenario.after:
        yield f"Runs after {', '.join(scenario.after)}."
    bare = Settings(url="http://x", img2img=False, size=(512, 512))
    if reason := scenario.available(bare):
        yield f"Left out where the settings say: {reason.partition(':')[0]}."
    if ids:
        yield f"Needed by {', '.join(_ranges(ids))}."


def _ranges(ids: list[str]) -> Iterator[str]:
    """Ids that follow one another as FIRST to LAST."""
    runs: list[list[str]] = []
    for id in ids:
        group, _, number = id.rpartition("-")
        last = runs[-1][-1] if runs else "-0"
        follows = last.rpartition("-")[0] == group and int(last.rpartition("-")[2]) + 1 == int(number)
        if follows:
            runs[-1].append(id)
        else:
            runs.append([id])
    for run in runs:
        yield from run if len(run) < ALIKE else (f"{run[0]} to {run[-1]}",)


def _rows(exchanges: tuple[Exchange, ...], settings: Settings) -> Iterator[tuple[str, str]]:
    numbered: dict[str, int] = {}
    for exchange in exchanges:
        series, _, last = exchange.label.rpartition("/")
        if last.isdigit():
            numbered[series] = numbered.get(series, 0) + 1
            continue
        yield exchange.label, _shown(exchange, settings)
    for series, count in numbered.items():
        yield f"{series}/NNN", f"generated: {count} requests of this kind here"


def _shown(exchange: Exchange, settings: Settings) -> str:
    """A request in one line."""
    request = exchange.request
    if not request.method:
        host = settings.address.host_header
        return _code(_cut(ascii(request.body)[2:-1].replace(host, "HOST")))
    path = re.sub("/no-such-path-.*", "/no-such-path-...", request.target)
    parts = [f"{request.method} {path}", *_headers(request)]
    body = request.json
    if exchange.operation == GENERATE and isinstance(body, dict):
        parts += _differences(body, requests.plain(settings))
        if exchange.label in LASTING:
            span = "steps: as many as last, {} to {}".format(*lasting.BOUNDS)
            if exchange.label.startswith("queue/"):
                span = "steps: as many as last"
            parts = [span if part.startswith("steps: ") else part for part in parts]
            if exchange.label == "queue/first":
                stride = "show_diffusion_stride: a twelfth of them"
                parts = [stride if part.startswith("show_diffusion_stride: ") else part for part in parts]
        if exchange.label == "defaults/explicit":
            parts = ["seed: the one reported" if part.startswith("seed: ") else part for part in parts]
    elif request.method == "POST" and request.body:
        parts.append(f"{len(request.body)} bytes" if _is_binary(request.body) else _cut(request.body.decode()))
    elif request.method == "POST":
        parts.append("no body")
    forms = ", ".join(forms_of(exchange))
    return " · ".join(_code(part) for part in parts) + (f" *with* {forms}" if forms else "")


def _headers(request: Request) -> Iterator[str]:
    for name, value in request.headers:
        known = name.lower()
        if known.startswith(("x-", "access-control")) or known in ("origin", "expect", "transfer-encoding"):
            yield f"{name}: {_cut(value)}"


def _differences(body: dict[str, Any], plain: dict[str, Any]) -> Iterator[str]:
    for name, value in body.items():
        if plain.get(name, ...) != value:
            picture = name in ("image", "mask") and isinstance(value, str)
            yield f"{name}: {'a picture' if picture else _value(value)}"
    yield from (f"-{name}" for name in plain if name not in body)


def _value(value: Any) -> str:
    if isinstance(value, str) and len(value) > 4 * SHOWN:
        return f"a text of {len(value)} characters"
    return _cut(json.dumps(value))


def _is_binary(data: bytes) -> bool:
    return not (data.isascii() and data.decode("ascii").isprintable())


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _code(text: str) -> str:
    return f"`{text.replace('|', '&#124;').replace('`', ' ')}`"
