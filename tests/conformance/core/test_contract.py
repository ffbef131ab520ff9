from __future__ import annotations

import pytest

from local_dream_conformance.core import contract
from local_dream_conformance.core.contract import BadContract, Level
from local_dream_conformance.report import requirements_page
from tests.conformance.judging import ROOT
from tests.conformance.tiny_suite import SPEC

ENTRY = "{id: A-01, level: MUST, profile: core, source: seed, group: g, text: T.}"


def spec(*entries: str) -> str:
    return "openapi: 3.2.0\npaths: {}\nx-requirements:\n" + "".join(f"  - {entry}\n" for entry in entries)


def test_requirements_know_their_operation_and_keep_the_order_of_the_file() -> None:
    loaded = contract.load(SPEC)
    assert loaded.version == "0.1"
    assert [requirement.id for requirement in loaded.requirements][:2] == ["TINY-GEN-01", "TINY-GEN-02"]
    assert loaded.by_id["TINY-UPS-01"].operation == "POST /upscale"
    assert loaded.by_id["TINY-HLT-01"].operation == ""
    assert loaded.by_id["TINY-HLT-01"].clause == "200 OK"
    assert loaded.by_id["TINY-GEN-03"].level is Level.SHOULD
    assert loaded.by_id["TINY-GEN-06"].unjudged == "it cannot be seen"


def test_profiles_include_each_other() -> None:
    loaded = contract.load(SPEC)
    core = {requirement.id for requirement in loaded.in_profile("core")}
    hardened = {requirement.id for requirement in loaded.in_profile("hardened")}
    assert hardened - core == {"TINY-GEN-07"}
    assert {requirement.id for requirement in loaded.in_profile("all")} - hardened == {"TINY-UPS-02"}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("a: [", "not YAML"),
        ("[]", "no OpenAPI document"),
        ("openapi: 3.2.0\npaths: {}\n", "no x-requirements"),
        (spec(ENTRY, ENTRY), "two requirements A-01"),
        (spec("A-01"), "must be a mapping of texts"),
        (spec(ENTRY.replace("T.", "3")), "must be a mapping of texts"),
        (spec(ENTRY.replace("id: A-01, ", "")), "id is missing"),
        (spec(ENTRY.replace("A-01", "a-1")), "the id must look like"),
        (spec(ENTRY.replace("MUST", "SHALL")), "the level must be"),
        (spec(ENTRY.replace("core", "basic")), "the profile must be"),
        (spec(ENTRY.replace("seed", "rumour")), "the source must be"),
        (spec(ENTRY.replace("text:", "txt:")), "unknown key txt"),
    ],
)
def test_a_bad_spec_is_one_line(source: str, words: str) -> None:
    with pytest.raises(BadContract, match=words) as caught:
        contract.load(source)
    assert "\n" not in str(caught.value)


def test_the_page_of_requirements_is_fresh() -> None:
    page = requirements_page.page(contract.load())
    assert (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8") == page, (
        "docs/requirements.md is stale; run local-dream spec --page > docs/requirements.md"
    )


def test_the_page_has_every_requirement_and_escapes_its_text() -> None:
    loaded = contract.load(spec(ENTRY.replace("T.", '"a | b <x> *c*"').replace("}", ", clause: Q, unjudged: R}")))
    page = requirements_page.page(loaded)
    assert '| A-01 | MUST | core | seed | a \\| b &lt;x> \\*c\\*<br>Seed: "Q"<br>Not judged: R |' in page
