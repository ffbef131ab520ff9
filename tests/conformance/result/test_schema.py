"""The schema generated from the types of a result, against the one that was kept by hand for format 1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from local_dream_conformance.cli import main
from local_dream_conformance.result import schema
from local_dream_conformance.result.schema import BadResult

DATA = Path(__file__).parent / "data"
KEPT = DATA / "result-of-0.1.0.json"
"""A result that version 0.1.0 wrote, before the schema was generated: the replay of a shipped recording."""


def kept() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    return found


def errors(published: dict[str, Any], document: object) -> list[str]:
    return [error.json_path for error in Draft202012Validator(published).iter_errors(document)]


OLD = json.loads((DATA / "result-1.schema.json").read_text(encoding="utf-8"))
NEW = json.loads(schema.text())


def test_a_result_of_old_is_read_whole_and_written_the_same() -> None:
    assert errors(OLD, kept()) == errors(NEW, kept()) == []
    written = json.loads(json.dumps(schema.load(KEPT).to_json()))
    assert {name: value for name, value in written.items() if name in kept()} == kept()
    assert errors(OLD, written) == []


def test_the_schema_has_lost_nothing_and_asks_for_nothing_new() -> None:
    assert NEW["$id"] == OLD["$id"]
    assert set(NEW["properties"]) >= set(OLD["properties"])
    assert set(NEW["required"]) <= set(OLD["required"])
    for old, new in (
        ("settings", "PublicSettings"),
        ("requirement", "RequirementResult"),
        ("finding", "Finding"),
        ("exchange", "ExchangeLine"),
        ("probe", "ScenarioLine"),
        ("waiver", "Waiver"),
        ("replayed", "Replayed"),
        ("extension", "ExtensionLine"),
        ("cost", "Cost"),
    ):
        assert set(NEW["$defs"][new]["properties"]) >= set(OLD["$defs"][old]["properties"]), old
        assert set(NEW["$defs"][new].get("required", ())) <= set(OLD["$defs"][old]["required"]), old


@pytest.mark.parametrize("left_out", ["extensions", "waivers", "replayed"])
def test_what_older_results_lack_may_be_missing(left_out: str) -> None:
    document = {name: value for name, value in kept().items() if name != left_out}
    assert errors(NEW, document) == []
    assert schema.read(document)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_what_is_not_json_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(text)
    with pytest.raises(BadResult) as caught:
        schema.load(path)
    assert str(caught.value).startswith(f"{path} is not JSON: ")


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("format", 2, "$.format"),
        ("exit_code", 3, "$.exit_code"),
        ("duration", -1, "$.duration"),
        ("settings", {"url": "http://h"}, "$.settings"),
        ("spent", {"generations": "many"}, "$.spent.generations"),
        ("curl", {"base": 1}, "$.curl[...]"),
    ],
)
def test_both_refuse_what_is_wrong(name: str, value: object, place: str) -> None:
    document = {**kept(), name: value}
    assert errors(OLD, document)
    assert errors(NEW, document)
    with pytest.raises(BadResult) as caught:
        schema.read(document)
    assert str(caught.value).startswith(f"{place}: ")


def test_an_old_result_is_compared(tmp_path: Path) -> None:
    document = kept()
    document["requirements"][0]["verdict"] = "fail"
    (tmp_path / "now.json").write_text(json.dumps(document), encoding="utf-8")
    found = CliRunner().invoke(main, ["compare", str(KEPT), str(tmp_path / "now.json")])
    assert found.exit_code == 1
    assert "1 worse, 184 the same" in found.output
