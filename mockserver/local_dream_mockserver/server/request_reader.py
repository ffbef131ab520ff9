"""Turns the body of POST /generate into a GenerationRequest, or into a refusal that names the field and the fix.

Types, ranges and defaults come from the contract's schema `GenerateRequest`; the engine's own limits are added here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random, SystemRandom
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from local_dream_mockserver.server.engine import GenerationRequest, Limits
from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.extensions.extension import Extension, Fields
from local_dream_mockserver.server.image_input import read_image, read_mask
from local_dream_mockserver.server.quick_schema import holds
from local_dream_mockserver.server.size_limits import check_size
from local_dream_mockserver.server.spec import fields_of, generate_request, seeds
from local_dream_mockserver.server.strict_json import is_text, read_object

ENGINES_NAMES = {"show_diffusion_process": "previews", "show_diffusion_stride": "preview_stride"}
"""Fields that `GenerationRequest` has under another name; all others keep theirs."""
PICTURES = {"image": read_image, "mask": read_mask}
NUMBERS: dict[str, type[int] | type[float]] = {"integer": int, "number": float}
"""What a JSON number is to the engine: 20.0 is an integer too, and 7 a number."""
CODES = {"type": Code.WRONG_TYPE, "pattern": Code.WRONG_FORM, "minLength": Code.EMPTY, "minItems": Code.EMPTY}
"""What a broken keyword of the schema means; all others speak of ranges."""
NOUNS = {"integer": "an integer", "number": "a number", "string": "a string", "boolean": "true or false"}


class RequestReader:
    """Reads requests for one engine. Safe to use from any thread. `seed` makes the seeds that it picks repeatable."""

    def __init__(
        self, limits: Limits, max_picture_pixels: int, seed: int | None = None, extensions: Sequence[Extension] = ()
    ) -> None:
        self._seeds: Random = SystemRandom() if seed is None else Random(seed)
        self._limits = limits
        self._max_picture_pixels = max_picture_pixels
        self._extensions = extensions
        self._schema = generate_request({extension.name for extension in extensions})
        self._fields: dict[str, dict[str, Any]] = self._schema["properties"]
        self._core = {name: _number(self._fields[name]["type"]) for name in fields_of()}
        self._defaults = {
            name: None if "x-extension" in schema else schema.get("default") for name, schema in self._fields.items()
        }
        self._holds = holds(self._schema)
        self._validator = Draft202012Validator(self._schema)

    def read(self, body: bytes) -> GenerationRequest:
        """Raises APIError (400)."""
        sent = self.checked(read_object(body))
        values: Fields = {**self._defaults, **sent}
        for extension in self._extensions:
            values = extension.reshaped(values)
        request = self._request(values)
        for extension in self._extensions:
            request = extension.completed(request, values)
        return request

    def _request(self, values: Fields) -> GenerationRequest:
        """What the core's fields say. Every one of them becomes an attribute; a test makes sure of it."""
        seed = self._seeds.randrange(seeds()) if values["seed"] is None else values["seed"]
        made = {name: _converted(number, values[name]) for name, number in self._core.items()} | {"seed": int(seed)}
        self._check_limits(made["steps"], made["width"], made["height"])
        for name, read in PICTURES.items():
            if made[name] is not None:
                size = (made["width"], made["height"])
                made[name] = read(name, made[name], size, self._max_picture_pixels)
        told = {ENGINES_NAMES.get(name, name): value for name, value in made.items()}
        return GenerationRequest(**told | {"preview_stride": max(1, told["preview_stride"])})

    def checked(self, document: dict[str, Any]) -> dict[str, Any]:
        """The documented fields that were sent, validated; unknown fields and optional nulls are dropped."""
        required = self._schema["required"]
        sent = {
            name: value
            for name, value in document.items()
            if name in self._fields and (value is not None or name in required)
        }
        errors = [] if self._holds(sent) else sorted(self._validator.iter_errors(sent), key=self._order)
        if errors:
            raise APIError(400, self._message(errors[0]), code=_code(errors[0]), field=self._field(errors[0]))
        for name, value in sent.items():
            if isinstance(value, str) and not is_text(value):
                message = f"{name}: holds half a surrogate pair, which is no character; send whole characters"
                raise APIError(400, message, code=Code.NOT_TEXT, field=name)
            if _is_number(value) and abs(value) > 1e300:
                message = f"{name}: {_shown(value)} is too large; send {self._wanted(name)}"
                raise APIError(400, message, code=Code.OVER_LIMIT, field=name)
        return sent

    def _check_limits(self, steps: int, width: int, height: int) -> None:
        limits = self._limits
        if steps > limits.max_steps:
            message = f"steps: {_shown(steps)} is more than this server's {limits.max_steps}; send fewer"
            raise APIError(400, message, code=Code.OVER_LIMIT, field="steps")
        check_size(limits, {"width": width, "height": height}, width, height)

    def _order(self, error: ValidationError) -> int:
        names = list(self._fields)
        name = self._field(error)
        return names.index(name) if name in names else len(names)

    def _field(self, error: ValidationError) -> str:
        if error.absolute_path:
            return str(error.absolute_path[0])
        sent: Any = error.instance
        required: Any = error.validator_value
        return next((str(name) for name in required if name not in sent), "body")

    def _message(self, error: ValidationError) -> str:
        name = self._field(error)
        wanted = self._wanted(name)
        path = list(error.absolute_schema_path)
        if path[0] == "allOf":
            rule = self._schema["allOf"][path[1]]["description"].rstrip(".")
            what = "missing" if error.validator == "required" else f"{_shown(error.instance)} will not do"
            return f"{name}: {what}; {rule[0].lower()}{rule[1:]}"
        if error.validator == "required":
            return f"{name}: missing; send {wanted}"
        if error.validator == "type":
            return f"{name}: {_shown(error.instance)} is of the wrong type; send {wanted}"
        if error.validator == "pattern":
            return f"{name}: {_shown(error.instance)} is of another form; send {wanted}"
        if error.validator in ("minLength", "minItems"):
            return f"{name}: empty; send {wanted}" + (" that is not empty" if error.validator == "minLength" else "")
        return f"{name}: {_shown(error.instance)} is out of range; send {wanted}"

    def _wanted(self, name: str) -> str:
        schema = self._fields[name]
        words = " or ".join(_noun(kind) for kind in _listed(schema["type"]) if kind != "null")
        if "enum" in schema:
            words = "one of " + ", ".join(str(value) for value in schema["enum"] if value is not None)
        if "pattern" in schema:
            words = f"a string such as {schema['examples'][0]}"
        if "multipleOf" in schema:
            words = f"a multiple of {schema['multipleOf']}"
        if "minimum" in schema:
            words += f" from {schema['minimum']} " + (f"to {schema['maximum']}" if "maximum" in schema else "up")
        if schema.get("contentEncoding") == "base64":
            words = "a picture as base64"
        if "items" in schema:
            words = "an array of pictures as base64"
        if name in self._schema["required"]:
            return words
        return words + (", or leave it out and the server picks one" if name == "seed" else ", or leave it out")


def _code(error: ValidationError) -> Code:
    if error.validator == "required":
        return Code.MISSING
    if error.absolute_schema_path[0] == "allOf":
        return Code.OUT_OF_RANGE
    return CODES.get(str(error.validator), Code.OUT_OF_RANGE)


def _number(kinds: str | list[str]) -> type[int] | type[float] | None:
    """What the engine takes for values of these types of the schema, where it takes a number."""
    return next((NUMBERS[kind] for kind in _listed(kinds) if kind in NUMBERS), None)


def _converted(number: type[int] | type[float] | None, value: Any) -> Any:
    """A value as the engine takes it; what is no number as it came."""
    return value if number is None or value is None else number(value)


def _listed(kinds: str | Iterable[str]) -> list[str]:
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _noun(kind: str) -> str:
    return NOUNS.get(kind, kind)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: object) -> str:
    """The value as an error message may show it: numbers as they are, texts and containers only by their kind."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        digits = str(value)
        return digits if len(digits) <= 24 else f"{digits[:20]}..."
    if value is None:
        return "null"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 20 and value.isprintable() else "a string"
    return "an array" if isinstance(value, list) else "an object"
