"""Judges requests of POST /generate, and of POST /tokenize, by the contract's schemas."""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from PIL import Image

from local_dream_mockserver.mock import on_phones
from local_dream_mockserver.mock.violation import Violation
from local_dream_mockserver.server.errors import APIError
from local_dream_mockserver.server.extensions.catalogue import NAMES
from local_dream_mockserver.server.image_input import DATA_URL
from local_dream_mockserver.server.picture_files import bare
from local_dream_mockserver.server.spec import component, generate_request, ids_of, listed
from local_dream_mockserver.server.strict_json import read_object

PICTURES = ("image", "mask")
TEXTS = ("prompt", "negative_prompt")
LONGEST_TEXT = 2000
UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
REFERENCES = "reference_images"
SURE = ("PNG", "JPEG")
MOST_PIXELS = 2**24
"""Larger pictures are not looked into."""


def generate_breaches(body: bytes) -> list[Violation]:
    """What is wrong with the body, field by field."""
    document = _document(body)
    if isinstance(document, Violation):
        return [document]
    schema = generate_request(NAMES)
    found = [on_phones.unknown_field(name) for name in document if name not in schema["properties"]]
    found += [_of_error(error) for error in sorted(_validator().iter_errors(document), key=_place)]
    found += on_phones.of_fields(document)
    found += [one for name in TEXTS if isinstance(document.get(name), str) for one in _of_text(name, document[name])]
    sizes = []
    for name in PICTURES:
        if isinstance(document.get(name), str):
            of_it, size = _of_picture(name, document[name])
            found += of_it
            sizes += [size] if size else []
    if len(sizes) == len(PICTURES):
        found += on_phones.of_shapes(*sizes)
    references = document.get(REFERENCES)
    for text in references if isinstance(references, list) else ():
        if isinstance(text, str):
            found += _of_picture(REFERENCES, text)[0]
    return list(dict.fromkeys(found))  # two rules of the schema may say the same


def tokenize_breaches(body: bytes) -> list[Violation]:
    """What is wrong with the body of POST /tokenize."""
    document = _document(body)
    if isinstance(document, Violation):
        return [Violation("EXT-TOK-05", document.field, document.message)]
    found = [
        Violation(None, name[:60], "no field of the contract; leave it out")
        for name in document
        if name not in component("TokenizeRequest")["properties"]
    ]
    if "prompt" not in document:
        found.append(Violation("EXT-TOK-06", "prompt", "missing; send a string"))
    elif not isinstance(document["prompt"], str):
        found.append(Violation("EXT-TOK-05", "prompt", f"{_kind(document['prompt'])}; send a string"))
    return found


def _document(body: bytes) -> dict[str, Any] | Violation:
    try:
        return read_object(body)
    except APIError as problem:
        return Violation(_of_body(body), "body", problem.message.removeprefix("the body is "))


def _of_body(body: bytes) -> str | None:
    if not body.strip():
        return "GEN-REQ-03"
    try:
        text = body.decode("utf-8-sig")
        value = json.loads(text)
    except UnicodeDecodeError:
        return "ERR-07"
    except (ValueError, RecursionError):
        return "GEN-REQ-02"
    return None if isinstance(value, dict) else "GEN-REQ-04"


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(generate_request(NAMES))


def _place(error: ValidationError) -> str:
    return str(error.absolute_path[0]) if error.absolute_path else ""


def _of_error(error: ValidationError) -> Violation:
    value: Any = error.instance
    schema: Any = error.schema
    if error.validator == "required":
        wanted: Any = error.validator_value
        name = next(one for one in wanted if one not in value)
        if name == "prompt":
            return Violation(ids_of(name)["required"], name, "missing; send a string that is not empty")
        return _mask_alone()
    name = _place(error)
    if error.validator == "type":
        if name == "image" and value is None:
            return _mask_alone()
        kinds = [kind for kind in listed(schema["type"]) if kind != "null"]
        return Violation(ids_of(name)["type"], name, f"{_kind(value)}; send {' or '.join(kinds)}")
    requirement = ids_of(name).get(str(error.validator))
    if value == -1 and "minus-one" in ids_of(name):
        message = (
            "-1, which phones take for 4294967295: the same picture again and again; leave it out for a random one"
        )
        return Violation(ids_of(name)["minus-one"], name, message, on_phones.ALL)
    if name in ("width", "height") and error.validator == "minimum" and value > 0:
        requirement = None  # 1 to 7 is no multiple of 8, which is said beside
    return Violation(requirement, name, f"{_shown(value)} breaks {error.validator} {json.dumps(error.validator_value)}")


def _mask_alone() -> Violation:
    wanted = "sent without image; send the picture that it belongs to"
    return Violation(ids_of("mask")["dependentRequired"], "mask", wanted)


def _of_text(name: str, text: str) -> list[Violation]:
    """What the contract promises of prompts: a length, and every character but those that nobody sees."""
    found = []
    if len(text) > LONGEST_TEXT:
        told = f"{len(text)} characters; up to {LONGEST_TEXT} are sure to be taken"
        found.append(Violation("GEN-REQ-26", name, told))
    if hidden := UNSEEN.search(text):
        told = f"has the control character U+{ord(hidden[0]):04X} in it, which not every server reads: leave it out"
        found.append(Violation("GEN-REQ-26", name, told))
    return found


def _of_picture(name: str, text: str) -> tuple[list[Violation], tuple[int, int] | None]:
    """Base64 as clients send it: standard alphabet, padded, on one line, nothing around it, of a PNG or a JPEG. With
    the picture's width and height, where it is one."""
    found = []
    if head := DATA_URL.match(text):
        found.append(
            Violation("GEN-REQ-19", name, "a data: URL; send the base64 behind the comma alone", on_phones.ALL)
        )
        text = text[head.end() :]
    if re.search(r"\s", text):
        found.append(Violation("GEN-REQ-17", name, "base64 with white space or line breaks in it; send it on one line"))
        text = re.sub(r"\s+", "", text)
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        wanted = "not base64; use the standard alphabet (+ and /), padded with ="
        return [*found, Violation(ids_of(name)["contentEncoding"], name, wanted)], None
    try:
        with Image.open(io.BytesIO(bare(data))) as picture:
            kind, size = picture.format or "unknown", picture.size
            on_phone = (
                on_phones.of_picture(name, picture, data) if picture.width * picture.height <= MOST_PIXELS else []
            )
    except Exception:  # the decoders raise whatever a broken file makes them raise
        return [
            *found,
            Violation(ids_of(name)["contentMediaType"], name, "no picture; send a PNG or JPEG file as base64"),
        ], None
    found += on_phone
    if kind not in SURE and kind != "WEBP":
        found.append(Violation("GEN-REQ-17", name, f"{kind}, which not every server can read; send PNG or JPEG"))
    return found, size


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    return "a string" if isinstance(value, str) else "an array" if isinstance(value, list) else "an object"


def _shown(value: object) -> str:
    """Numbers as they are, all else by its kind: texts may be prompts."""
    return str(value)[:24] if isinstance(value, int | float) and not isinstance(value, bool) else _kind(value)
