"""The address of a target: the one place that parses what `--target` gives."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

PORTS = {"http": 80, "https": 443}
"""The ports that an address of each scheme has where it names none."""
ENDPOINTS = ("health", "generate", "upscale")


@dataclass(frozen=True)
class Address:
    """Where a target listens: `url` is http(s)://[USER:PASSWORD@]HOST[:PORT][/PREFIX] without a slash at its end."""

    url: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address in a text that a person gave. A host beyond ASCII becomes its name in DNS, a path beyond ASCII is
        percent-encoded. Raises ValueError, with the fix."""
        text = text.strip()
        try:
            parts = urlsplit(text)
            usable = parts.scheme in PORTS and bool(parts.hostname) and (parts.port is None or parts.port > 0)
            name = _in_dns(parts.netloc.rpartition("@")[2]) if usable else ""
        except ValueError:
            usable = False
        if not usable or parts.query or parts.fragment or re.search(r"[\s\x00-\x1f\x7f]", text):
            raise ValueError("give the server's address as http://HOST:PORT" + _meant(text))
        path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
        if (last := path.rpartition("/")[2]) in ENDPOINTS:
            raise ValueError(f"leave /{last} out: give the address under which /health and /generate are")
        userinfo, at, _ = parts.netloc.rpartition("@")
        return cls(f"{parts.scheme}://{userinfo}{at}{name}{path}")

    @cached_property
    def _parts(self) -> SplitResult:
        return urlsplit(self.url)

    @property
    def secure(self) -> bool:
        """Whether the target speaks TLS."""
        return self._parts.scheme == "https"

    @property
    def host(self) -> str:
        """The host in lower case; an IPv6 address without brackets."""
        return self._parts.hostname or ""

    @property
    def port(self) -> int:
        return self._parts.port or PORTS[self._parts.scheme]

    @property
    def prefix(self) -> str:
        """What the address has before every path: "" or "/PREFIX"."""
        return self._parts.path.rstrip("/")

    @property
    def public(self) -> str:
        """The address as it may be shown: without user name and password."""
        return urlunsplit(self._parts._replace(netloc=self._netloc))

    @property
    def origin(self) -> str:
        """Scheme, host and port, as they may be shown. Followed by the target of a recorded request, which has the
        prefix in it, this is the URL of the request."""
        return f"{self._parts.scheme}://{self._netloc}"

    @property
    def _netloc(self) -> str:
        return self._parts.netloc.rpartition("@")[2]

    @property
    def host_header(self) -> str:
        """The value of the Host header (RFC 9110, 7.2). The zone of an IPv6 address is this machine's own affair."""
        host = f"[{self.host.partition('%')[0]}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self._parts.scheme] else f"{host}:{self.port}"

    @property
    def authorization(self) -> str | None:
        """The value of the Authorization header for USER:PASSWORD (RFC 7617), None where the address has none."""
        if self._parts.username is None:
            return None
        pair = f"{unquote(self._parts.username)}:{unquote(self._parts.password or '')}"
        return "Basic " + b64encode(pair.encode()).decode("ascii")

    @property
    def secrets(self) -> set[str]:
        """User name and password, as they stand in the address and as they are sent. "" may be among them."""
        sent = (self.authorization or "").removeprefix("Basic ")
        return {self._parts.username or "", self._parts.password or "", sent}


def _in_dns(netloc: str) -> str:
    """HOST[:PORT] in lower case, with the host as DNS has it. Raises ValueError."""
    return netloc.lower() if netloc.isascii() else netloc.encode("idna").decode("ascii").lower()


def _meant(text: str) -> str:
    """What was probably meant by an address without a scheme."""
    if "://" in text or not re.fullmatch(r"[^\s\x00-\x1f\x7f@?#]+", text):
        return ""
    try:
        meant = Address.parse(f"http://{text}").url
    except ValueError:
        return ""
    return f"; did you mean {meant}?"
