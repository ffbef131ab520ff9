"""Settings of a run: one table of fields, each with its default and with the option through which people give it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from local_dream_conformance.core import extension, options
from local_dream_conformance.core.address import Address
from local_dream_conformance.core.budget import UNLIMITED, Budget
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.extension import Declared
from local_dream_conformance.core.options import HIDDEN, Option


def _setting(default: Any, name: str, help: str, metavar: str = "", **option: Any) -> Any:
    """A field of Settings with its option."""
    # The values of headers stay out of reprs, which end up in tracebacks.
    made = Option(name, help, metavar, **option)
    return field(default=default, repr=not made.secret, metadata={"option": made})


@dataclass(frozen=True)
class Settings:
    """What a run needs to know. Times are in seconds, `size` is (width, height) in pixels.

    `size` and `steps` are None where the scenarios choose (the smallest that their checks allow). `upscaler_path` is a
    path on the target. `headers` are sent with every request and may hold tokens: print `public()`, never them.
    `fields` are sent in every request to /generate: (name, JSON value). `cacert` and `insecure` say which certificates
    an https target may show (see `http.trust`). `waivers` is the path of a file; `known` are releases whose deviations
    are waived; `extensions` is what the target is said to have: judged in every profile, and a failure where it is
    absent.
    """

    url: str
    profile: str = _setting(
        "core",
        "profile",
        "what to judge: core is what the API document states and every client needs (default); hardened adds what a "
        "careful server does; all adds extensions",
        "core|hardened|all",
        parse=options.parse_profile,
    )
    strict: bool = _setting(False, "strict", "a broken SHOULD fails the run too, instead of a warning")
    size: tuple[int, int] | None = _setting(
        None,
        "size",
        "picture size to ask for, for a server that can make only one (NPU models: 512x512); by default the smallest "
        "that the checks allow",
        "WxH",
        parse=options.parse_size,
        show=options.show_size,
    )
    steps: int | None = _setting(
        None,
        "steps",
        "denoising steps to ask for; by default as few as the checks allow",
        "N",
        parse=options.parse_steps,
    )
    upscaler_path: str | None = _setting(
        None,
        "upscaler-path",
        "an upscaler model on the server, as sent in X-Upscaler-Path; without it only refusals of /upscale are judged",
        "PATH",
        parse=options.parse_text,
    )
    img2img: bool = _setting(
        True,
        "no-img2img",
        "the server has no image-to-image: leave out what sends an image or a mask",
        means=False,
    )
    idle_timeout: float = _setting(
        120.0,
        "idle-timeout",
        "wait so long for the first event of a generation, and for an upscale (default 120); for nothing longer",
        "SECONDS",
        parse=options.parse_seconds,
    )
    total_timeout: float = _setting(
        900.0,
        "total-timeout",
        "give an answer up when it takes longer than this in all (default 900)",
        "SECONDS",
        parse=options.parse_seconds,
    )
    max_duration: float | None = _setting(
        None,
        "max-duration",
        "send no request any more when the run has lasted so long; what is not judged then is untested",
        "SECONDS|MINmin",
        parse=options.parse_duration,
    )
    destructive: bool = _setting(
        False,
        "destructive",
        "at the end also send what is known to have killed servers, such as negative picture sizes (off by default)",
    )
    relaunch: str | None = _setting(
        None,
        "relaunch",
        "start the server again with this command when a request has ended it, and go on; no shell runs it",
        "CMD",
        parse=options.parse_command,
        secret=True,
        show=options.show_command,
    )
    headers: tuple[tuple[str, str], ...] = _setting(
        (),
        "header",
        "header to send with every request, such as a token; repeat for more. Its value is never printed",
        "NAME:VALUE",
        parse=options.parse_header,
        many=True,
        secret=True,
        show=options.show_header,
        read_shown=options.read_shown_header,
    )
    fields: tuple[tuple[str, Any], ...] = _setting(
        (),
        "field",
        "field to send in every request to /generate, for a server that asks for one of its own, such as "
        "model_id='\"sd15\"'; repeat for more",
        "NAME=JSON",
        parse=options.parse_field,
        many=True,
        show=options.show_field,
    )
    cacert: str | None = _setting(
        None,
        "cacert",
        "PEM file with the certificate authority of an https server, trusted beside those of the system",
        "FILE",
        parse=options.parse_authorities,
        file=True,
        read_shown=str,
    )
    insecure: bool = _setting(
        False,
        "insecure",
        "do not ask who signed the certificate of an https server, nor for which name",
    )
    budget: Budget = _setting(  # noqa: RUF009  (the call makes a field)
        UNLIMITED,
        "budget",
        "spend at most N generations and M upscales on the server; what then cannot be judged is untested",
        "generate=N,upscale=M",
        parse=options.parse_budget,
        show=options.show_budget,
        read_shown=lambda limits: Budget(**limits),
    )
    seed: int = _setting(
        1,
        "seed",
        "number from which prompts, seeds and generated requests derive, so that a run can be repeated (default 1)",
        "N",
        parse=options.parse_seed,
    )
    waivers: str | None = _setting(
        None,
        "waivers",
        "TOML file of requirements that may be broken for now, each with reason, owner and day of expiry",
        "FILE",
        parse=options.parse_text,
        file=True,
    )
    known: tuple[str, ...] = _setting(
        (),
        "known",
        "waive what a release of the original server is known to break (local-dream-2.8.1, -2.7 or -2.4.3)",
        "RELEASE",
        parse=options.parse_text,
        many=True,
    )
    extensions: tuple[Declared, ...] = _setting(
        (),
        "extension",
        "an extension that the server is meant to have: it is judged in every profile, and its absence is a failure; "
        f"{', '.join(name for name in extension.NAMES if name != 'schedulers')}, or schedulers=euler,lcm",
        "NAME",
        parse=options.parse_extension,
        many=True,
        show=str,
    )

    control_url: str | None = _setting(
        None,
        "control-url",
        "the address of the server's control API (the extension control, port 8808 on a phone), which is then judged; "
        "what runs goes on",
        "URL",
        parse=options.parse_control,
        show=options.show_address,
    )

    @property
    def declared(self) -> tuple[str, ...]:
        """The names of the extensions that the target is said to have."""
        return tuple(dict.fromkeys(extension.name for extension in self.extensions))

    def declares(self, extension: str) -> bool:
        """Whether the target is said to have an extension."""
        return extension in self.declared

    @property
    def schedulers(self) -> tuple[str, ...]:
        """The schedulers of the extension that the target is said to have."""
        return tuple(dict.fromkeys(value for extension in self.extensions for value in extension.values))

    @cached_property
    def address(self) -> Address:
        """Where the target listens."""
        return Address(self.url)

    @cached_property
    def control_address(self) -> Address | None:
        """Where the target's control API listens."""
        return None if self.control_url is None else Address(self.control_url)

    def address_of(self, exchange: Exchange) -> Address:
        """Where an exchange was made."""
        return (self.control_address if exchange.on_control else None) or self.address

    @property
    def secrets(self) -> tuple[str, ...]:
        """Strings that must not be printed, the longest first."""
        found = {value for _, value in self.headers} | self.address.secrets
        if self.control_address is not None:
            found |= self.control_address.secrets
        for _, value in self.headers:
            found.add(value.partition(" ")[2])  # "Bearer abc": a server may echo only "abc"
        for value in [value for value in found if not value.isascii()]:
            # as it comes back in a header, and in JSON that is all ASCII
            found |= {value.encode().decode("latin-1"), json.dumps(value)[1:-1]}
        return tuple(sorted((secret for secret in found if len(secret) > 3), key=len, reverse=True))

    def redact(self, text: str) -> str:
        """The text with every secret replaced: a target may echo a token in what a report quotes."""
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        return text

    def public(self) -> dict[str, Any]:
        """All settings as JSON values, without secrets."""
        shown = {name: option.shown(getattr(self, name)) for name, option in OPTION_OF.items()}
        return {"url": self.address.public, **shown}

    @classmethod
    def from_public(cls, public: Mapping[str, Any]) -> Settings:
        """The settings that `public` made the values of; what is secret is HIDDEN, what is not there as by default.

        Raises KeyError, ValueError, TypeError.
        """
        values = {name: option.from_shown(public.get(name)) for name, option in OPTION_OF.items()}
        given = {name: value for name, value in values.items() if value is not None}
        return cls(Address.parse(public["url"]).url, **given)


OPTION_OF: dict[str, Option] = {
    field.name: field.metadata["option"] for field in dataclasses.fields(Settings) if "option" in field.metadata
}
"""The option of each field."""

OPTIONS = tuple(OPTION_OF.values())
