from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.report import exchange_view, html, markdown
from local_dream_conformance.report.view_model import ViewModel
from local_dream_conformance.result.extension_line import ExtensionLine
from local_dream_conformance.result.result import Replayed
from tests.conformance.report import results
from tests.conformance.report.results import HOSTILE, judged, result

VOID = {"meta", "img", "input", "br", "link"}
LOCAL = re.compile(r"#|data:(image/(png|jpeg)|application/octet-stream);base64,")


class Parsed(HTMLParser):
    """Tags, attributes and texts of a page. Its tags must match."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts.setdefault(tag, []).append(data)

    def text(self, tag: str = "body") -> str:
        return " ".join(" ".join(self.texts[tag]).split())


def test_a_failing_run_shows_verdict_cost_coverage_and_evidence() -> None:
    document, transcripts = results.failing()
    page = Parsed(html.page(document, transcripts))
    text = page.text()
    assert page.text("h1") == "Not conformant"
    assert page.text("title").startswith("Not conformant: http://192.168.1.23:8081, Local Dream contract 1.0 ")
    for words in (
        "1 of 7 requirements holds, 2 MUST broken, 1 SHOULD broken, 1 waived, 1 MUST not judged.",
        "2026-03-04 05:06 UTC",
        "2 generations and 1 upscale in 4 requests (planned: 3 generations and 2 upscales)",
        "61.2 s",
        "blocked : GEN-EVT-12 is broken GEN-EVT-13",
        "cannot be judged from outside :",
        "expected one terminal event got none where base: byte 7",
        "-H 'X-Upscaler-Path: /models/upscaler.bin' --data-binary @upscale-odd.bin -o answer.jpg "
        "http://192.168.1.23:8081/upscale",
        "output: no picture: does not begin as a JPEG",
        "progress: step 1 of 4, with a picture",
        "ended: truncated",
        "4 requests in order",
    ):
        assert words in text
    in_order = ("2 MUST broken", "expected one terminal event", "Coverage of the contract")
    assert sorted(in_order, key=text.index) == list(in_order)
    alts = [attributes["alt"] for tag, attributes in page.tags if tag == "img"]
    assert "preview, step 1, 128 × 64" in alts  # noqa: RUF001
    assert "input, 17 × 13" in alts  # noqa: RUF001
    assert sum(tag == "svg" and "Timeline" in attributes.get("aria-label", "") for tag, attributes in page.tags) >= 4
    opened = [a["id"] for tag, a in page.tags if tag == "details" and "open" in a]
    assert opened == ["GEN-EVT-12", "UPS-ANS-02"]


def test_an_answer_is_shown_line_by_line_with_what_was_left_out() -> None:
    document, transcripts = results.failing()
    page = html.page(document, transcripts)
    assert "\n\nevent: progress\\n\ndata: {" in page
    (cut,) = [one for transcript in transcripts for one in transcript.exchanges if one.label == "base"]
    assert f"... ({cut.size - exchange_view.BODY} more)" in page


def test_settings_are_in_words() -> None:
    document, transcripts = results.failing()
    text = Parsed(html.page(document, transcripts)).text()
    assert "strict no" in text
    assert "idle timeout 120 s" in text


def test_one_reason_is_told_once() -> None:
    reason = "no --upscaler-path"
    through = ("", "UPS-ANS-01: ", "UPS-ANS-02: UPS-ANS-01: ")
    ids = ("UPS-ANS-01", "UPS-ANS-02", "UPS-ANS-03")
    lines = [judged(id, Verdict.NOT_APPLICABLE, way + reason) for id, way in zip(ids, through, strict=True)]
    run = result(judged("HLT-01"), *lines)
    assert f"not applicable : {reason} UPS-ANS-01 , UPS-ANS-02 , UPS-ANS-03" in Parsed(html.page(run, ())).text()
    assert f"- not applicable (`{reason}`): UPS-ANS-01, UPS-ANS-02, UPS-ANS-03" in markdown.page(ViewModel(run))


def test_a_passing_run() -> None:
    page = Parsed(html.page(results.passing()))
    assert page.text("h1") == "Conformant"
    assert "6 of 7 requirements hold." in page.text()
    assert "not applicable : no complete event has a format key GEN-PIC-03" in page.text()


def test_a_run_that_could_not_begin() -> None:
    page = Parsed(html.page(result(problem="nothing answers at http://h:1")))
    assert page.text("h1") == "Unreachable"
    assert "nothing answers at http://h:1" in page.text()
    assert not any(attributes.get("id") == "search" for _, attributes in page.tags)


def test_a_fault_of_the_suite_keeps_the_lines_of_its_traceback() -> None:
    page = html.page(result(judged("HLT-01", Verdict.ERROR, "the scenario raised\n  File x\n\x1b[31m")))
    assert "the scenario raised\n  File x\n\\x1b[31m</p>" in page


@pytest.mark.parametrize("hostile", [(), HOSTILE])
def test_nothing_from_outside_is_loaded_or_run(hostile: tuple[str, ...]) -> None:
    document, transcripts = results.failing(hostile)
    source = html.page(document, transcripts)
    page = Parsed(source)
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert [tag for tag, _ in page.tags].count("style") == 1
    for _, attributes in page.tags:
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name != "style"
            assert name not in ("src", "href", "srcset", "action", "data", "xlink:href") or LOCAL.match(value)
    policy = next(attributes["content"] for tag, attributes in page.tags if "http-equiv" in attributes)
    for tag in ("style", "script"):
        inside = re.search(rf"<{tag}>(.*?)</{tag}>", source, re.DOTALL)
        assert inside
        digest = base64.b64encode(hashlib.sha256(inside[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_what_a_target_sends_is_shown_and_harmless() -> None:
    document, transcripts = results.failing(HOSTILE)
    source = html.page(document, transcripts)
    assert all(char == "\n" or char.isprintable() for char in source)
    text = Parsed(source).text()
    for shown in ("</script><script>", "onerror=", r"\x1b[31mred", "javascript:alert(1)", "{{ 7 * 7 }}", r"\u202e"):
        assert shown in text
    assert "49" not in re.findall(r"\b49\b", text)


def test_a_replay_says_when_it_was_recorded_and_not_what_it_cost() -> None:
    recorded = Replayed("2025-12-31T23:30:00+00:00", "0.1.0", "1.0", False)
    text = Parsed(html.page(result(judged("HLT-01"), replayed=recorded))).text()
    assert "Date 2026-03-04 05:06 UTC, recorded 2025-12-31 23:30 UTC" in text
    assert "Bear in mind: the run judged a recording, not a running server." in text
    assert "generations" not in text.partition("Settings of the run")[0]


def test_extensions_are_told() -> None:
    line = ExtensionLine("formats", "supported", declared=True, evidence="<b>png</b>", id="GEN-PIC-03")
    text = Parsed(html.page(replace(results.passing(), extensions=(line,)))).text()
    assert "Extensions formats : supported, declared (<b>png</b>), GEN-PIC-03" in text


def test_musts_of_extensions_count_as_open_where_they_are_declared() -> None:
    document = result(judged("HLT-01"), judged("HLT-02", Verdict.UNTESTED, "why"))
    assert "1 MUST not judged" in ViewModel(document).headline
    first, second = document.requirements
    document = replace(document, requirements=(first, replace(second, profile="extension:formats")))
    assert "not judged" not in ViewModel(document).headline
    line = ExtensionLine("formats", "unknown", declared=True, evidence="", id="HLT-02")
    assert "1 MUST not judged" in ViewModel(replace(document, extensions=(line,))).headline


def test_without_transcripts_there_is_still_the_command() -> None:
    document, _ = results.failing()
    assert "@/tmp/local-dream-1/bodies/upscale-odd.bin" in Parsed(html.page(document)).text("code")


def test_a_report_of_the_whole_contract_stays_small() -> None:
    from local_dream_conformance.core import contract

    lines = [judged(requirement.id) for requirement in contract.load().requirements if not requirement.unjudged]
    assert len(html.page(result(*lines))) < 400_000
