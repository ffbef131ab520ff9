"""The fields of /generate in the spec: each names its requirements, ids keep their meaning, both sides agree."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_dream_conformance.core import contract
from local_dream_conformance.core.fields import (
    MINUS_ONE,
    added_schedulers,
    documented,
    max_seed,
    of_extensions,
    synonyms,
)
from local_dream_mockserver.server import spec
from local_dream_mockserver.server.extensions.catalogue import NAMES

LOADED = contract.load()
SCHEMAS = LOADED.document["components"]["schemas"]
CORE: dict[str, Any] = SCHEMAS["GenerateRequest"]["properties"]
ADDED: dict[str, Any] = SCHEMAS["GenerateExtensions"]["properties"]
KEYWORDS = ("minimum", "maximum", "multipleOf", "enum", "pattern", "minLength", "minItems")
PICKED = ("seed",)
"""Fields that have no default value but a requirement for being left out."""
TYPES = {
    "GEN-TYP-01": "prompt",
    "GEN-TYP-02": "negative_prompt",
    "GEN-TYP-03": "steps",
    "GEN-TYP-04": "cfg",
    "GEN-TYP-05": "seed",
    "GEN-TYP-06": "width",
    "GEN-TYP-07": "height",
    "GEN-TYP-08": "scheduler",
    "GEN-TYP-09": "denoise_strength",
    "GEN-TYP-10": "image",
    "GEN-TYP-11": "mask",
    "GEN-TYP-12": "show_diffusion_process",
    "GEN-TYP-13": "show_diffusion_stride",
    "GEN-TYP-14": "use_opencl",
}
DEFAULTS = {
    "GEN-DEF-01": "negative_prompt",
    "GEN-DEF-02": "steps",
    "GEN-DEF-03": "cfg",
    "GEN-DEF-04": "width",
    "GEN-DEF-05": "height",
    "GEN-DEF-06": "scheduler",
    "GEN-DEF-07": "denoise_strength",
    "GEN-DEF-08": "show_diffusion_process",
    "GEN-DEF-09": "show_diffusion_stride",
    "GEN-DEF-10": "use_opencl",
    "GEN-DEF-11": "seed",
}
OTHERS = {
    ("GEN-REQ-01", "required"): ["prompt"],
    ("GEN-REQ-06", "minLength"): ["prompt"],
    ("GEN-REQ-09", "null"): ["image"],
    ("GEN-REQ-10", "null"): ["mask"],
    ("GEN-REQ-12", "contentEncoding"): ["image"],
    ("GEN-REQ-13", "contentMediaType"): ["image"],
    ("GEN-REQ-14", "contentEncoding"): ["mask"],
    ("GEN-REQ-15", "contentMediaType"): ["mask"],
    ("GEN-REQ-16", "dependentRequired"): ["mask"],
    ("GEN-RNG-02", "minimum"): ["steps"],
    ("GEN-RNG-03", "minimum"): ["width", "height"],
    ("GEN-RNG-04", "multipleOf"): ["width", "height"],
    ("GEN-RNG-05", "minimum"): ["denoise_strength"],
    ("GEN-RNG-05", "maximum"): ["denoise_strength"],
    ("GEN-RNG-06", "minimum"): ["seed"],
    ("GEN-RNG-06", "maximum"): ["seed"],
    ("GEN-RNG-07", MINUS_ONE): ["seed"],
    ("GEN-RNG-08", "minimum"): ["show_diffusion_stride"],
    ("GEN-RNG-09", "enum"): ["scheduler"],
    ("EXT-FMT-06", "type"): ["output_format", "preview_format"],
    ("EXT-FMT-06", "enum"): ["output_format", "preview_format"],
    ("EXT-SIZ-03", "type"): ["size"],
    ("EXT-SIZ-03", "minimum"): ["size"],
    ("EXT-SIZ-03", "multipleOf"): ["size"],
    ("EXT-ASP-04", "type"): ["aspect_ratio"],
    ("EXT-ASP-04", "pattern"): ["aspect_ratio"],
    ("EXT-UFX-05", "dependentRequired"): ["ultrafix"],
    ("EXT-UFX-07", "type"): ["ultrafix", "tile_size"],
    ("EXT-UFX-07", "minimum"): ["tile_size"],
    ("EXT-UFX-07", "multipleOf"): ["tile_size"],
    ("EXT-REF-04", "type"): ["reference_images"],
    ("EXT-REF-04", "minItems"): ["reference_images"],
    ("EXT-REF-04", "contentEncoding"): ["reference_images"],
    ("EXT-REF-04", "contentMediaType"): ["reference_images"],
}
PUBLISHED = {
    **{(id, "type"): [field] for id, field in TYPES.items()},
    **{(id, "default"): [field] for id, field in DEFAULTS.items()},
    **OTHERS,
}
"""What ids have meant since contract 1.0. New fields are added beside these; nothing here changes."""


@pytest.mark.parametrize("name", [*CORE, *ADDED])
def test_every_field_names_the_requirement_of_each_keyword(name: str) -> None:
    """Its type, its default where it has one, its range; and a reader of the requirement finds the field there."""
    schema = {**CORE, **ADDED}[name]
    ids: dict[str, str] = schema["x-requirement-ids"]
    wanted = {"type", *(keyword for keyword in KEYWORDS if keyword in schema)}
    if name in CORE and (schema.get("default") is not None or name in PICKED):
        wanted.add("default")
    assert wanted <= ids.keys()
    extra = {"required", "null", "contentEncoding", "contentMediaType", "dependentRequired", "minimum", MINUS_ONE}
    assert ids.keys() - wanted <= extra
    for keyword, id in ids.items():
        assert id in LOADED.by_id, f"{name}: {keyword}: there is no {id}"
        text = LOADED.by_id[id].text
        assert f"`{name}`" in text or id.startswith("EXT-"), f"{id} does not speak of {name}"


@pytest.mark.parametrize("name", CORE)
def test_the_sentences_of_a_field_say_what_its_schema_says(name: str) -> None:
    field = documented()[name]
    article = "an" if field.type == "integer" else "a"
    assert LOADED.by_id[field.ids["type"]].text.startswith(f"`{name}` that is not {article} {field.type} MUST")
    if field.default is not None:
        meant = json.dumps(field.default)
        assert LOADED.by_id[field.ids["default"]].text.startswith(f"`{name}` left out MUST mean {meant}: ")


def test_no_two_fields_share_a_requirement_of_type_or_default() -> None:
    for keyword in ("type", "default"):
        ids = [
            schema["x-requirement-ids"][keyword] for schema in CORE.values() if keyword in schema["x-requirement-ids"]
        ]
        assert len(set(ids)) == len(ids)


def test_ids_keep_their_meaning() -> None:
    found: dict[tuple[str, str], list[str]] = {}
    for name, schema in {**CORE, **ADDED}.items():
        for keyword, id in schema["x-requirement-ids"].items():
            found.setdefault((id, keyword), []).append(name)
    assert {key: fields for key, fields in found.items() if key in PUBLISHED} == PUBLISHED


def test_both_sides_read_the_same_fields() -> None:
    assert tuple(documented()) == spec.fields_of()
    properties = spec.generate_request(NAMES)["properties"]
    assert [*documented(), *of_extensions()] == list(properties)
    core = spec.generate_request(())["properties"]
    for name, field in {**documented(), **of_extensions()}.items():
        assert field.ids == spec.ids_of(name)
        schema = core.get(name, properties[name])
        assert field.schema == {keyword: value for keyword, value in schema.items() if not keyword.startswith("x-")}
    assert max_seed() + 1 == spec.seeds()
    named = (*documented()["scheduler"].schema["enum"][:-1], *added_schedulers())
    assert dict.fromkeys(synonyms(), named) == {name: (*spec.schedulers(), *synonyms()) for name in spec.synonyms()}
    assert set(synonyms().values()) <= set(spec.schedulers())
