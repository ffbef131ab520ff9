"""Options: how people give a setting, how its text is read, and how a report shows its value.

The settings of a run are fields of Settings, each declared with its option; options that say what else a run writes,
reads or leaves out are RUN_OPTIONS.
"""

from __future__ import annotations

import json
import re
import shlex
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local_dream_conformance.core import extension, fields, strict_json
from local_dream_conformance.core.address import Address
from local_dream_conformance.core.budget import Budget
from local_dream_conformance.core.extension import Declared

PROFILES = ("core", "hardened", "all")
MAX_SEED = 2**32 - 1
CONTROL_PATHS = ("info", "models", "status", "select", "stop")
UNITS: dict[str | None, float] = {None: 1, "s": 1, "m": 60, "min": 60, "h": 3600}
HIDDEN = "***"
"""What stands in place of a secret."""


def parse_profile(text: str) -> str:
    """One of the profiles."""
    if text not in PROFILES:
        raise ValueError(f"give one of {', '.join(PROFILES)}")
    return text


def parse_size(text: str) -> tuple[int, int]:
    """WIDTHxHEIGHT, each a positive multiple of 8."""
    match = re.fullmatch(r"([0-9]{1,5})[xX×]([0-9]{1,5})", text)  # noqa: RUF001  (people paste the sign)
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    if min(size) < 8 or size[0] % 8 or size[1] % 8:
        raise ValueError("give WIDTHxHEIGHT in pixels, both multiples of 8, such as 512x512")
    return size


def parse_steps(text: str) -> int:
    """A step count, 1..1000."""
    return _whole(text, 1, 1000)


def parse_seed(text: str) -> int:
    """A seed, 0..2^32-1."""
    return _whole(text, 0, MAX_SEED)


def parse_seconds(text: str) -> float:
    """A positive number of seconds, at most a day."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise ValueError("give a number of seconds above 0, such as 120")
    return seconds


def parse_duration(text: str) -> float:
    """Seconds, or minutes or hours with their unit; above 0, at most a day."""
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?) ?(s|min|m|h)?", text.strip())
    seconds = float(match[1]) * UNITS[match[2]] if match else 0.0
    if not 0 < seconds <= 86_400:
        raise ValueError("give seconds or minutes, such as 600 or 10min")
    return seconds


def parse_text(text: str) -> str:
    """A text that is not empty and can be sent as a header value."""
    if not text or not text.isprintable():
        raise ValueError("give a text of printable characters")
    return text


def parse_control(text: str) -> str:
    """The address of a control API."""
    last = text.strip().rstrip("/").rpartition("/")[2]
    if last in CONTROL_PATHS:
        raise ValueError(f"leave /{last} out: give the address under which /info and /status are")
    return Address.parse(text).url


def show_address(url: str) -> str:
    """Without user name and password."""
    return Address(url).public


def parse_extension(text: str) -> Declared:
    """The name of an extension; schedulers with a list of them."""
    return extension.parse(text)


def parse_header(text: str) -> tuple[str, str]:
    """NAME:VALUE with a valid header name. The message does not quote the value, which may be a token."""
    name, colon, value = text.partition(":")
    value = value.strip()
    if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or not value:
        raise ValueError('give NAME:VALUE, such as "Authorization: Bearer TOKEN"')
    if not value.isprintable():
        raise ValueError(f"the value of {name} must be one line of printable characters")
    return name, value


def parse_field(text: str) -> tuple[str, Any]:
    """NAME=JSON for a field that the API does not have."""
    name, equals, value = text.partition("=")
    if not equals or not name or not name.isprintable():
        raise ValueError("give NAME=JSON, such as model_id='\"sd15\"' or fast=true")
    if name in fields.documented() or name in fields.of_extensions():
        own = {"width": "--size", "height": "--size", "steps": "--steps", "seed": "--seed"}
        fix = f"give {own[name]}" if name in own else "leave it out"
        raise ValueError(f"{name} is a field of the API, which the suite sets itself; {fix}")
    parsed = strict_json.parse(value)
    if parsed.problem:
        raise ValueError(f"the value of {name} is not JSON ({parsed.problem}); a text needs quotes: {name}='\"text\"'")
    return name, parsed.value


def show_field(field: tuple[str, Any]) -> str:
    """NAME=JSON."""
    return f"{field[0]}={json.dumps(field[1], ensure_ascii=False)}"


def parse_authorities(path: str) -> str:
    """The path of a PEM file of certificates."""
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise ValueError("there is no certificate in PEM form in this file") from None
    except OSError as error:
        raise ValueError(f"this file cannot be read: {error.strerror}") from None
    return path


def parse_budget(text: str) -> Budget:
    """generate=N,upscale=M; either may be left out."""
    limits: dict[str, int] = {}
    for part in text.split(","):
        name, _, number = part.strip().partition("=")
        if name not in ("generate", "upscale") or name in limits or not re.fullmatch(r"[0-9]{1,6}", number):
            raise ValueError("give generate=N,upscale=M with whole numbers, such as generate=3,upscale=0")
        limits[name] = int(number)
    return Budget(limits.get("generate"), limits.get("upscale"))


def parse_command(text: str) -> str:
    """A command line with its arguments, as a shell would split it; no shell runs it."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"give a command with its arguments ({str(error).lower()})") from None
    if not words:
        raise ValueError('give a command with its arguments, such as "./server --port 8081"')
    return text


def parse_flag(text: str) -> bool:
    """true, 1, yes, on, or false, 0, no, off."""
    word = text.strip().lower()
    if word in ("true", "1", "yes", "on"):
        return True
    if word in ("false", "0", "no", "off"):
        return False
    raise ValueError("give true or false")


def _whole(text: str, low: int, high: int) -> int:
    number = int(text) if re.fullmatch(r"[0-9]{1,12}", text) else -1
    if not low <= number <= high:
        raise ValueError(f"give a whole number from {low} to {high}")
    return number


def show_size(size: tuple[int, int]) -> str:
    """WIDTHxHEIGHT."""
    return "{}x{}".format(*size)


def show_budget(budget: Budget) -> dict[str, int | None]:
    """The limits by name."""
    return {"generations": budget.generations, "upscales": budget.upscales}


def show_header(header: tuple[str, str]) -> str:
    """NAME: without its value, which may be a token."""
    return f"{header[0]}: {HIDDEN}"


def show_command(text: str) -> str:
    """The program alone: arguments may be secrets."""
    return shlex.quote(shlex.split(text)[0])


def read_shown_header(text: str) -> tuple[str, str]:
    """A header as a report shows it."""
    return text.partition(":")[0], HIDDEN


def _itself(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Option:
    """`--name METAVAR`, or a switch where there is no metavar. Only a setting is read from elsewhere too: from
    `LOCAL_DREAM_NAME`, or from `name` in a configuration file.

    `parse` reads a text that a person gave (ValueError says the fix); of an option that may be given `many` times, one
    of its values. `show` makes of a value what reports and recordings have of it, and `read_shown` is its inverse, by
    default `parse`. `means` is what the presence of a switch sets.
    """

    name: str
    help: str
    metavar: str = ""
    parse: Callable[[str], Any] = parse_flag
    means: bool = True
    many: bool = False
    secret: bool = False
    """Messages do not quote the value."""
    file: bool = False
    """A path: in a configuration file it is relative to that file."""
    show: Callable[[Any], Any] = _itself
    read_shown: Callable[[Any], Any] | None = None

    @property
    def flag(self) -> str:
        return f"--{self.name}"

    @property
    def variable(self) -> str:
        return "LOCAL_DREAM_" + self.name.upper().replace("-", "_")

    @property
    def dest(self) -> str:
        """The attribute of pytest's options."""
        return "local_dream_" + self.name.replace("-", "_")

    @property
    def is_switch(self) -> bool:
        return not self.metavar

    def shown(self, value: Any) -> Any:
        """The value of the setting as reports and recordings have it: a JSON value without secrets."""
        if value is None:
            return None
        return [self.show(one) for one in value] if self.many else self.show(value)

    def from_shown(self, shown: Any) -> Any:
        """The value of the setting from what `shown` made of it. Raises ValueError, TypeError."""
        if shown is None or self.is_switch:
            return shown
        read = self.read_shown or (lambda text: self.parse(str(text)))
        return tuple(read(one) for one in shown) if self.many else read(shown)


TARGET = Option(
    "target",
    "judge the server at this address, such as http://127.0.0.1:8081; or 'mock' to start our own and judge it",
    "URL",
)
RUN_OPTIONS = (
    Option("plan", "print what would be asked of the server and what it costs, and stop without a call"),
    Option("json-report", "write the whole result as JSON, for scripts", "PATH"),
    Option("html-report", "write the whole result as one HTML file, for people: pictures, timed events", "PATH"),
    Option("markdown-report", "write the result as Markdown; in a GitHub job its summary has it anyway", "PATH"),
    Option("badge", "write a badge: PATH.svg a picture, PATH.json for shields.io; repeat for both", "PATH", many=True),
    Option("record", "keep everything that was sent and received in this folder, without tokens", "DIR"),
    Option("redact-prompts", "leave the prompts out of what --record keeps"),
    Option("replay", "judge a recording again, in place of a server and without a network", "DIR"),
    Option("write-waivers", "draft a file of waivers for what is broken", "FILE"),
)
"""Options that are no settings of the target. They are given on the command line only."""
