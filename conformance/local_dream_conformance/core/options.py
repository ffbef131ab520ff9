"""The options of a run: how people give each setting on the command line, in the environment and in a file.

The command line wins over the environment (`LOCAL_DREAM_SIZE` for `--size`), which wins over the file (`size` under
`[tool.local-dream]` in pyproject.toml, or under `[local-dream]` in pytest.ini, tox.ini, setup.cfg).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_dream_conformance.core import extension
from local_dream_conformance.core.address import Address
from local_dream_conformance.core.budget import Budget
from local_dream_conformance.core.errors import BadSetting
from local_dream_conformance.core.extension import Declared
from local_dream_conformance.core.settings import Settings

PROFILES = ("core", "hardened", "all")
MAX_SEED = 2**32 - 1


def parse_url(text: str) -> str:
    """An http(s) address without query or fragment, no slash at its end."""
    return Address.parse(text).url


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


def parse_text(text: str) -> str:
    """A text that is not empty and can be sent as a header value."""
    if not text or not text.isprintable():
        raise ValueError("give a text of printable characters")
    return text


def parse_extension(text: str) -> Declared:
    """The name of an extension; schedulers with a list of them."""
    return extension.parse(text)


def parse_header(text: str) -> tuple[str, str]:
    """NAME:VALUE with a valid header name. The message does not quote the value, which may be a token."""
    name, colon, value = text.partition(":")
    value = value.strip()
    if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or not value:
        raise ValueError('give NAME:VALUE, such as "Authorization: Bearer TOKEN"')
    if not value.isprintable() or not value.isascii():
        raise ValueError(f"the value of {name} must be printable ASCII")
    return name, value


def parse_budget(text: str) -> Budget:
    """generate=N,upscale=M; either may be left out."""
    limits: dict[str, int] = {}
    for part in text.split(","):
        name, _, number = part.strip().partition("=")
        if name not in ("generate", "upscale") or name in limits or not re.fullmatch(r"[0-9]{1,6}", number):
            raise ValueError("give generate=N,upscale=M with whole numbers, such as generate=3,upscale=0")
        limits[name] = int(number)
    return Budget(limits.get("generate"), limits.get("upscale"))


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


@dataclass(frozen=True)
class Option:
    """One setting as people give it: `--flag METAVAR`, `LOCAL_DREAM_NAME`, or `name` in a file.

    `field` is the field of Settings. A switch takes no value on the command line; `means` is what its presence sets.
    """

    name: str
    field: str
    parse: Callable[[str], Any]
    help: str
    metavar: str = ""
    means: bool | None = None
    many: bool = False
    secret: bool = False
    file: bool = False
    """A path: in a configuration file it is relative to that file."""

    @property
    def flag(self) -> str:
        return f"--{self.name}"

    @property
    def variable(self) -> str:
        return "LOCAL_DREAM_" + self.name.upper().replace("-", "_")

    @property
    def dest(self) -> str:
        return "local_dream_" + self.name.replace("-", "_")


OPTIONS = (
    Option(
        "profile",
        "profile",
        parse_profile,
        "what to judge: core is what the API document states and every client needs (default); hardened adds what a "
        "careful server does; all adds extensions",
        "core|hardened|all",
    ),
    Option("strict", "strict", parse_flag, "a broken SHOULD fails the run too, instead of a warning", means=True),
    Option(
        "size",
        "size",
        parse_size,
        "picture size to ask for, for a server that can make only one (NPU models: 512x512); by default the smallest "
        "that the checks allow",
        "WxH",
    ),
    Option(
        "steps",
        "steps",
        parse_steps,
        "denoising steps to ask for; by default as few as the checks allow",
        "N",
    ),
    Option(
        "upscaler-path",
        "upscaler_path",
        parse_text,
        "an upscaler model on the server, as sent in X-Upscaler-Path; without it only refusals of /upscale are judged",
        "PATH",
    ),
    Option(
        "no-img2img",
        "img2img",
        parse_flag,
        "the server has no image-to-image: leave out what sends an image or a mask",
        means=False,
    ),
    Option(
        "idle-timeout",
        "idle_timeout",
        parse_seconds,
        "give an answer up when no byte came for so long (default 120); more for one that thinks long between steps",
        "SECONDS",
    ),
    Option(
        "total-timeout",
        "total_timeout",
        parse_seconds,
        "give an answer up when it takes longer than this in all (default 900)",
        "SECONDS",
    ),
    Option(
        "destructive",
        "destructive",
        parse_flag,
        "also send what is known to crash real servers, such as negative picture sizes (off by default)",
        means=True,
    ),
    Option(
        "header",
        "headers",
        parse_header,
        "header to send with every request, such as a token; repeat for more. Its value is never printed",
        "NAME:VALUE",
        many=True,
        secret=True,
    ),
    Option(
        "budget",
        "budget",
        parse_budget,
        "spend at most N generations and M upscales on the server; what then cannot be judged is untested",
        "generate=N,upscale=M",
    ),
    Option(
        "seed",
        "seed",
        parse_seed,
        "number from which prompts, seeds and generated requests derive, so that a run can be repeated (default 1)",
        "N",
    ),
    Option(
        "waivers",
        "waivers",
        parse_text,
        "TOML file of requirements that may be broken for now, each with reason, owner and day of expiry",
        "FILE",
        file=True,
    ),
    Option(
        "known",
        "known",
        parse_text,
        "waive what a release of the original server is known to break (local-dream-2.7, local-dream-2.4.3)",
        "RELEASE",
        many=True,
    ),
    Option(
        "extension",
        "extensions",
        parse_extension,
        "an extension that the server is meant to have: it is judged in every profile, and its absence is a failure; "
        f"{', '.join(name for name in extension.NAMES if name != 'schedulers')}, or schedulers=euler,lcm",
        "NAME",
        many=True,
    ),
)

NAMES = ("target", *(option.name for option in OPTIONS))


def address(target: str) -> str:
    """The server's address as `--target` gives it. Raises BadSetting."""
    return str(_parsed("--target", parse_url, target))


def resolve(
    url: str, given: Mapping[str, Any], environment: Mapping[str, str], file: Mapping[str, Any], origin: str
) -> Settings:
    """Settings for the server at `url` from the three sources.

    `given` holds what the command line has, by option name; `file` what the configuration file has, and `origin`
    names that file in messages. Raises BadSetting.
    """
    values: dict[str, Any] = {"url": url}
    for option in OPTIONS:
        if option.name in given:
            values[option.field] = _from_command_line(option, given[option.name])
        elif environment.get(option.variable, "") != "":
            values[option.field] = _from_text(option, option.variable, environment[option.variable])
        elif option.name in file:
            value = file[option.name]
            if option.file and isinstance(value, str):
                value = str(Path(origin).parent / value)
            values[option.field] = _from_file(option, f"{option.name} in {origin}", value)
    for name in file:
        if name not in NAMES:
            raise BadSetting(f"{name!r} in {origin} is no setting; there are {', '.join(NAMES)}")
    return Settings(**values)


def _from_command_line(option: Option, value: Any) -> Any:
    if option.means is not None:
        return option.means
    if option.many:
        return tuple(_parsed(option.flag, option.parse, text, option.secret) for text in value)
    return _parsed(option.flag, option.parse, str(value), option.secret)


def _from_text(option: Option, where: str, text: str) -> Any:
    parts = [line for line in text.splitlines() if line.strip()] if option.many else [text]
    parsed = tuple(_parsed(where, option.parse, part.strip(), option.secret) for part in parts)
    return _meant(option, parsed if option.many else parsed[0])


def _from_file(option: Option, where: str, value: Any) -> Any:
    if option.many and isinstance(value, list):
        return tuple(_parsed(where, option.parse, str(part), option.secret) for part in value)
    if isinstance(value, bool):
        if option.means is None:
            raise BadSetting(f"{where}: {str(value).lower()} cannot be used")
        return _meant(option, value)
    if not isinstance(value, str | int | float):
        raise BadSetting(f"{where}: give a text or a number, not a {type(value).__name__}")
    return _from_text(option, where, str(value))


def _meant(option: Option, value: Any) -> Any:
    """`no-img2img = false` means that there is img2img."""
    return value == option.means if option.means is not None else value


def _parsed(where: str, parse: Callable[[str], Any], text: str, secret: bool = False) -> Any:
    try:
        return parse(text)
    except ValueError as error:
        shown = "" if secret else f" {text!r}:"
        raise BadSetting(f"{where}:{shown} {error}") from None
