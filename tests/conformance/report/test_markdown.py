from __future__ import annotations

import re

from local_dream_conformance.core.verdict import Finding, Verdict
from local_dream_conformance.report import markdown
from local_dream_conformance.report.view_model import ViewModel
from tests.conformance.report import results
from tests.conformance.report.results import HOSTILE, judged, result


def test_says_what_was_found() -> None:
    page = markdown.page(ViewModel(results.failing()[0]))
    assert page.startswith("## ❌ Local Dream conformance: not conformant\n")
    assert "1 of 7 requirements holds, 2 MUST broken, 1 SHOULD broken, 1 waived, 1 MUST not judged." in page
    assert "| Cost | `2 generations and 1 upscale in 4 requests (planned: 3 generations and 2 upscales)` |" in page
    assert "| generate-events | 1 broken, 1 blocked | 1 warned |" in page
    assert "**GEN-EVT-12** (MUST, core) A stream MUST have exactly one terminal event" in page
    assert "- expected `one terminal event`\n- got `none`\n- where `base: byte 7`" in page
    assert "- blocked (`GEN-EVT-12 is broken`): GEN-EVT-13" in page
    assert "### Broken, known and waived\n\n**ERR-01**" in page


def test_a_run_that_could_not_begin() -> None:
    page = markdown.page(ViewModel(result(problem="nothing answers at http://h:1 (refused)")))
    assert "unreachable\n\nnothing answers at http://h:1 (refused)\n" in page
    assert "Bear in mind" not in page


def test_what_the_target_says_stays_in_code_spans() -> None:
    page = markdown.page(ViewModel(results.failing(HOSTILE)[0]))
    assert page.isprintable() or all(char == "\n" or char.isprintable() for char in page)
    outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", page)
    for trace in ("<script", "<img", "<b>", "](", "@everyone", "javascript:", "red"):
        assert trace not in outside
        assert trace in page


def test_a_code_span_holds_any_text() -> None:
    assert markdown.code("a") == "`a`"
    assert markdown.code("a ``b`` c") == "```a ``b`` c```"
    assert markdown.code("`a") == "`` `a ``"
    assert markdown.code("") == "` `"


def test_prose_is_shown_as_it_is() -> None:
    assert markdown.prose("a_b <c> *d* | [e](f) & @g") == (r"a\_b &lt;c&gt; \*d\* \| \[e\](f) &amp; &#64;g")


def test_a_long_list_of_failures_is_cut() -> None:
    broken = [judged("HLT-01", Verdict.FAIL, "", [Finding("x" * 3000, "y" * 3000)])] * 300
    page = markdown.page(ViewModel(result(*broken)))
    assert "And 260 more: HLT-01" in page
    assert len(page) < 500_000
