"""Results to make reports of: a run of a few real requirements, with what a hostile target could have put into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local_dream_conformance.core import contract
from local_dream_conformance.core.budget import Cost
from local_dream_conformance.core.exchange import End, Exchange, Transcript
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.core.verdict import Finding, Judgement, Verdict
from local_dream_conformance.report import curl
from local_dream_conformance.result.requirement_result import RequirementResult
from local_dream_conformance.result.result import ExchangeLine, Result, ScenarioLine, make
from tests.conformance import transcripts

HOSTILE = (
    "</script><script>document.title='owned'</script>",
    "</style><img src=x onerror=\"document.title='owned'\">",
    "'\"><svg onload=alert(1)>",
    "javascript:alert(1)",
    "\x1b[31mred\x1b]0;title\x07\x00",
    b"broken \xff\xfe utf-8".decode("utf-8", "surrogateescape"),
    "\u202ereversed\u2066",
    "`code` ``` | <b>bold</b> @everyone [link](javascript:alert(1)) <!-- -->",
    "{{ 7 * 7 }} {% raw %}",
)
"""Texts that a target may send to make a report run, show or call something."""
URL = "http://192.168.1.23:8081"


def judged(
    id: str, verdict: Verdict = Verdict.PASS, reason: str = "", findings: Sequence[Finding] = ()
) -> RequirementResult:
    """A requirement of the contract with a verdict."""
    requirement = contract.load().by_id[id]
    return RequirementResult.of(requirement, Judgement(id, verdict, reason, tuple(findings), 3, ("base",)))


def result(*lines: RequirementResult, exchanges: Sequence[Exchange] = (), **changes: Any) -> Result:
    """A result. `changes` are arguments of make."""
    loaded = contract.load()
    settings = Settings(URL, **{"upscaler_path": "/models/x4.bin", **changes.pop("settings", {})})
    values: dict[str, Any] = {
        "suite_version": "0.1.0",
        "contract_version": "1.0",
        "python": "3.11.7",
        "started": "2026-03-04T05:06:07+00:00",
        "duration": 61.25,
        "settings": settings.public(),
        "launched": "",
        "scenarios": (ScenarioLine("base", Cost(generations=1), "made"),),
        "planned": Cost(3, 2),
        "spent": Cost(2, 1),
        "requirements": lines,
        "deselected": (),
        "unjudged": tuple(r for r in loaded.requirements if r.unjudged)[:2],
        "exchanges": tuple(ExchangeLine.of("base", exchange) for exchange in exchanges),
    }
    return make(**{**values, **changes})


def passing() -> Result:
    """A run in which all holds but for what does not apply."""
    lines = [judged(id) for id in ("HLT-01", "HLT-02", "GEN-REQ-01", "GEN-EVT-12", "UPS-ANS-02", "ERR-01")]
    return result(*lines, judged("GEN-PIC-03", Verdict.NOT_APPLICABLE, "no complete event has a format key"))


def failing(hostile: Sequence[str] = ()) -> tuple[Result, tuple[Transcript, ...]]:
    """A run in which a stream is cut off and an upscale is no JPEG, with its transcripts."""
    told = "; ".join(hostile)
    fields = {**transcripts.FIELDS, "show_diffusion_process": True}
    whole = transcripts.generation("strength/low", fields=fields)
    cut = transcripts.stream(
        "base",
        [transcripts.progress(1, 4, transcripts.coded(transcripts.picture())), *(_event(text) for text in hostile)],
        fields=fields,
        headers=(*transcripts.STREAM_HEADERS, *(("X-Server", text) for text in hostile)),
        end=End.TRUNCATED,
    )
    bad = transcripts.upscale("upscale/odd", body=("not a JPEG " + told).encode("utf-8", "surrogateescape"))
    refused = transcripts.refusal("refuse/steps-string", 500, message=told or "no")
    exchanges = (cut, whole, bad, refused)
    lines = (
        judged("HLT-01"),
        judged("GEN-EVT-12", Verdict.FAIL, "", [Finding("one terminal event", f"none {told}", "base", "byte 7", told)]),
        judged("UPS-ANS-02", Verdict.FAIL, "", [Finding("a JPEG", f"bytes {told}", "upscale/odd")]),
        judged("GEN-EVT-16", Verdict.WARN, "", [Finding("channels", "none", "strength/low")]),
        judged("ERR-01", Verdict.WAIVED, f"until 2027-01-01: {told}", [Finding("400", "500", "refuse/steps-string")]),
        judged("GEN-EVT-13", Verdict.BLOCKED, "GEN-EVT-12 is broken"),
        judged("GEN-PIC-03", Verdict.NOT_APPLICABLE, f"no format key {told}"),
    )
    run = Path("/tmp/local-dream-1/bodies")
    curls = {one.label: curl.command(one, Settings(URL), run).line for one in (cut, bad)}
    by_probe: Mapping[str, tuple[Exchange, ...]] = {
        exchange.label.partition("/")[0]: (exchange,) for exchange in exchanges
    }
    return (
        result(*lines, exchanges=exchanges, curls=curls),
        tuple(Transcript(name, several) for name, several in by_probe.items()),
    )


def _event(text: str) -> bytes:
    data = f'{{"type": "progress", "step": {_quoted(text)}, "total_steps": 4, "note": {_quoted(text)}}}'
    return f"event: progress\ndata: {data}\n\nevent: {text}\ndata: {text}\n\n".encode("utf-8", "surrogateescape")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
