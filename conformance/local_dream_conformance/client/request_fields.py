"""The fields of POST /generate as options of a command line, made of the contract's schemas."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem
from jsonschema import Draft202012Validator

from local_dream_conformance.core import strict_json
from local_dream_conformance.core.fields import Field, added_schedulers, documented, of_extensions

PROMPT = "prompt"
"""The one field that is an argument and no option."""
PICTURE = "contentEncoding"
Command = TypeVar("Command", bound=Callable[..., Any])


class FieldType(click.ParamType):  # type: ignore[type-arg]  # of some versions of click
    """A value of a field, as its schema has it: a number, a text, the path of a picture."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema
        self.kind = _type(schema)
        self.name = "file" if PICTURE in schema else self.kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        if PICTURE in self.schema:
            return self._file(value, param, ctx)
        made: Any = value
        if self.kind != "string":
            made = strict_json.parse(value).value
            if made is None:  # no JSON, or null, which no option stands for
                self.fail(f"{value!r} is no {self.kind}", param, ctx)
        for error in Draft202012Validator(self.schema).iter_errors(made):
            if error.validator == "type":
                self.fail(f"{value!r} is no {self.kind}", param, ctx)
            said = "one of" if error.validator == "enum" else error.validator
            wanted: Any = error.validator_value
            told = ", ".join(filter(None, wanted)) if isinstance(wanted, list) else wanted
            self.fail(f"{value!r}: the contract says {said} {told}; --field sends it all the same", param, ctx)
        return made

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        if PICTURE in self.schema:
            return [CompletionItem(incomplete, type="file")]
        return [CompletionItem(one) for one in self.schema.get("enum", ()) if one and one.startswith(incomplete)]

    def _file(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The file as it is, in base64."""
        try:
            return base64.b64encode(Path(value).read_bytes()).decode("ascii")
        except OSError as error:
            self.fail(f"{value}: {error.strerror}", param, ctx)


def field_options(command: Command) -> Command:
    """Gives a command an option for each field; `fields_of` reads them."""
    for field in reversed(list(_fields())):
        flag = "--" + field.name.replace("_", "-")
        told = _help(field)
        if field.type == "boolean":
            made = click.option(f"{flag}/--no-{flag[2:]}", _argument(field), default=None, help=told)
        else:
            several = field.type == "array"
            kind = FieldType(field.schema["items"] if several else field.schema)
            made = click.option(
                flag, _argument(field), type=kind, multiple=several, help=told, metavar=kind.name.upper()
            )
        command = made(command)
    return command


def fields_of(given: dict[str, Any]) -> dict[str, Any]:
    """The fields that were given, by their names; takes them out of `given`."""
    values = {field.name: given.pop(_argument(field)) for field in _fields()}
    made = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return {name: value for name, value in made.items() if value not in (None, [])}


def any_field(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, Any]:
    """NAME=JSON of --field, of any name and value. Raises BadParameter."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        parsed = strict_json.parse(value)
        if not equals or not name:
            raise click.BadParameter(f"{text!r}: give NAME=JSON, such as steps=0 or model_id='\"sd15\"'")
        if parsed.problem:
            raise click.BadParameter(f"the value of {name} is not JSON; a text needs quotes: {name}='\"text\"'")
        found[name] = parsed.value
    return found


def default_of(name: str) -> Any:
    """What a field means left out."""
    return documented()[name].default


def _fields() -> Iterator[Field]:
    """All but the prompt; the scheduler with the values of its extension."""
    for field in (*documented().values(), *of_extensions().values()):
        if field.name == "scheduler":
            every = [*field.schema["enum"], *added_schedulers()]
            field = Field(field.name, {**field.schema, "enum": every}, field.ids, field.extension)
        if field.name != PROMPT:
            yield field


def _type(schema: Mapping[str, Any]) -> str:
    kinds = schema["type"]
    return kinds if isinstance(kinds, str) else next(kind for kind in kinds if kind != "null")


def _help(field: Field) -> str:
    """The first sentence that the contract has of it, its range, its default, its extension."""
    schema = field.schema
    text = " ".join(schema.get("description", "").split()).partition(". ")[0].replace("`", "").rstrip(".")
    text = text.replace(", base64)", ")")
    words = [f"{text}."]
    if "enum" in schema:
        words.append(", ".join(filter(None, schema["enum"])) + ".")
    names = {"minimum": "from", "maximum": "to", "multipleOf": "in steps of"}
    if bounds := [f"{word} {schema[keyword]}" for keyword, word in names.items() if keyword in schema]:
        words.append(", ".join(bounds).capitalize() + ".")
    if field.default not in (None, ""):
        words.append(f"By default {json.dumps(field.default).strip(chr(34))}.")
    if field.extension:
        words.append(f"[extension {field.extension}]")
    return " ".join(words)


def _argument(field: Field) -> str:
    return f"field_{field.name}"
