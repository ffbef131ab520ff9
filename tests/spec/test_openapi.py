"""The spec file linted: by the usual validator, and for what that does not look at."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV32SpecValidator

from local_dream_conformance.core import contract
from local_dream_conformance.run import suite

LOADED = contract.load()
SUITE = suite.load()
DOCUMENT: dict[str, Any] = json.loads(json.dumps(LOADED.document))
SCHEMA_PLACES = ("schema", "itemSchema", "contentSchema", "items", "not", "additionalProperties")
ROOT = "urn:spec"

Place = tuple[str, Any]


def walk(value: Any, place: str = "#") -> Iterator[Place]:
    """Every mapping in the document with its JSON pointer."""
    if isinstance(value, dict):
        yield place, value
        for key, inner in value.items():
            yield from walk(inner, f"{place}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from walk(inner, f"{place}/{number}")


def resolve(reference: str) -> Any:
    """What a local reference points to. Raises LookupError."""
    found: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        step = step.replace("~1", "/").replace("~0", "~")
        found = found[int(step)] if isinstance(found, list) else found[step]
    return found


def schemas() -> Iterator[Place]:
    """Every schema: the components, and whatever stands where a schema must stand."""
    for name, schema in DOCUMENT["components"]["schemas"].items():
        yield f"#/components/schemas/{name}", schema
    for place, value in walk(DOCUMENT):
        if "examples/" in place or "/example/" in place:
            continue
        for key in SCHEMA_PLACES:
            if isinstance(value.get(key), dict) and not place.endswith("/properties"):
                yield f"{place}/{key}", value[key]
        if place.endswith("/properties"):
            for name, schema in value.items():
                yield f"{place}/{name}", schema


def validator(schema: Any) -> Draft202012Validator:
    """A validator that resolves references within the spec."""
    whole = {**DOCUMENT, **schema} if "$ref" not in schema else {**DOCUMENT, "$ref": schema["$ref"]}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


def faults(schema: Any, value: Any) -> list[str]:
    return [error.message for error in validator(schema).iter_errors(value)]


SCHEMAS = dict(schemas())
REFERENCES = [(place, value["$ref"]) for place, value in walk(DOCUMENT) if isinstance(value.get("$ref"), str)]


def test_it_is_valid_openapi_3_2() -> None:
    assert DOCUMENT["openapi"].startswith("3.2.")
    OpenAPIV32SpecValidator(DOCUMENT).validate()


def test_every_reference_resolves_also_inside_event_schemas() -> None:
    assert any("contentSchema" in place for place, _ in REFERENCES)
    dangling = []
    for place, reference in REFERENCES:
        try:
            assert reference.startswith("#/")
            resolve(reference)
        except (AssertionError, LookupError, ValueError):
            dangling.append(f"{place}: {reference}")
    assert dangling == []


def test_every_component_is_used() -> None:
    used = {reference for _, reference in REFERENCES}
    for kind, members in DOCUMENT["components"].items():
        assert {name for name in members if f"#/components/{kind}/{name}" not in used} == set()


@pytest.mark.parametrize("place", SCHEMAS)
def test_schema(place: str) -> None:
    """It is a JSON Schema, and its default and its examples fulfil it."""
    schema = SCHEMAS[place]
    Draft202012Validator.check_schema(schema)
    for value in [*schema.get("examples", ()), *([schema["default"]] if "default" in schema else ())]:
        assert faults(schema, value) == []


def test_examples_of_bodies_and_parameters_fulfil_their_schema() -> None:
    judged = 0
    for place, value in walk(DOCUMENT):
        schema = value.get("schema")
        if not isinstance(schema, dict) or place.endswith("/properties"):
            continue
        given = [example["value"] for example in value.get("examples", {}).values() if "value" in example]
        given += [example["dataValue"] for example in value.get("examples", {}).values() if "dataValue" in example]
        given += [value["example"]] if "example" in value else []
        for example in given:
            judged += 1
            assert faults(schema, example) == [], place
    assert judged > 0


def test_the_linter_sees_broken_schemas() -> None:
    assert faults({"$ref": "#/components/schemas/Progress"}, {"type": "progress", "step": "one", "total_steps": 1})
    assert not faults({"$ref": "#/components/schemas/Progress"}, {"type": "progress", "step": 1, "total_steps": 1})


@pytest.mark.parametrize("requirement", LOADED.requirements, ids=lambda requirement: requirement.id)
def test_requirement(requirement: contract.Requirement) -> None:
    """One sentence that says its level, and a check or a reason why there is none; never both."""
    assert re.fullmatch(r"[^\n]+\.", requirement.text)
    assert re.search(rf"\b{requirement.level}\b", requirement.text), "the sentence does not say its level"
    others = {"MUST", "SHOULD", "MAY"} - {str(requirement.level)}
    assert not any(re.search(rf"\b{other}\b", requirement.text) for other in others), "it says another level too"
    assert bool(SUITE.checks.get(requirement.id)) is not bool(requirement.unjudged)
    if requirement.source == "seed":
        assert requirement.clause, "what the seed says is quoted"
    hangul = re.compile(r"[\u3131-\ud7a3]")
    assert bool(hangul.search(requirement.clause)) is bool(requirement.translation), "x-clause-translations has it"
    assert not hangul.search(requirement.translation)


def test_every_translation_is_of_a_clause() -> None:
    parts = {part for requirement in LOADED.requirements for part in requirement.clause.split("; ")}
    assert set(LOADED.document["x-clause-translations"]) <= parts


def test_no_normative_sentence_without_an_id() -> None:
    """Capital MUST, SHOULD and MAY stand in requirements only; descriptions inform."""
    kept = [
        f"{place}/{key}"
        for place, value in walk({**DOCUMENT, "info": {}})
        if "x-requirements/" not in place
        for key, text in value.items()
        if isinstance(text, str) and re.search(r"\b(MUST|SHOULD|MAY|SHALL|REQUIRED)\b", text)
    ]
    assert kept == []


def test_no_check_names_an_unknown_requirement_or_probe() -> None:
    for id, checks in SUITE.checks.items():
        assert id in LOADED.by_id
        for check in checks:
            assert check.id == id
            assert check.needs or check.over, f"a check of {id} needs nothing"
            assert set(check.requires) <= LOADED.by_id.keys()
            assert set(check.needs) <= SUITE.scenarios.keys()


def test_ids_of_a_group_share_their_prefix() -> None:
    prefixes: dict[str, set[str]] = {}
    for requirement in LOADED.requirements:
        prefixes.setdefault(requirement.group, set()).add(requirement.id.rpartition("-")[0])
    assert {group: found for group, found in prefixes.items() if len(found) > 1} == {}
