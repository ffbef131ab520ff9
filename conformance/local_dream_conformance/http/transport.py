"""A socket to a target, on which nothing waits without a deadline and nothing but Ended is raised."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import End

CONNECT_SECONDS = 10.0  # a phone that sleeps on a wireless network answers within a few seconds, or not at all
READ_SIZE = 1 << 16


class ExchangeEnded(Exception):
    """The exchange is over before its time: how, and in one line what was seen."""

    def __init__(self, end: End, detail: str) -> None:
        super().__init__(detail)
        self.end = end
        self.detail = detail


@dataclass(frozen=True)
class Address:
    """Where a target listens.

    `prefix` is put before every path; `authorization` comes from user:password@ in the URL.
    """

    secure: bool
    host: str
    port: int
    prefix: str = ""
    authorization: str | None = None

    @classmethod
    def of(cls, url: str) -> Address:
        """The address in an http or https URL. Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an http:// or https:// address: {escape(url)}")
        secure = parts.scheme == "https"
        authorization = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = "Basic " + b64encode(pair.encode()).decode("ascii")
        port = parts.port or (443 if secure else 80)
        return cls(secure, parts.hostname, port, parts.path.rstrip("/"), authorization)

    @property
    def host_header(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


class Deadline:
    """When to give up: `idle` seconds without a byte, or `total` seconds since it was made."""

    def __init__(self, idle: float, total: float) -> None:
        self.idle = idle
        self.total = total
        self.began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the exchange began."""
        return time.monotonic() - self.began

    def wait(self) -> float:
        """How long the next wait may last. Raises Ended where no time is left."""
        left = self.total - self.elapsed
        if left <= 0:
            raise ExchangeEnded(End.TOTAL_TIMEOUT, f"not over after {self.total:g} s")
        return min(self.idle, left)

    def expired(self, what: str) -> ExchangeEnded:
        """What it means that a wait ran out."""
        if self.elapsed >= self.total:
            return ExchangeEnded(End.TOTAL_TIMEOUT, f"not over after {self.total:g} s")
        return ExchangeEnded(End.IDLE_TIMEOUT, f"{what} for {self.idle:g} s")


class Transport:
    """An open connection."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    @classmethod
    def dial(cls, address: Address, deadline: Deadline) -> Transport:
        """Connects. Raises Ended (unreachable)."""
        where = f"{escape(address.host)}:{address.port}"
        try:
            plain = socket.create_connection(
                (address.host, address.port), timeout=min(CONNECT_SECONDS, deadline.wait())
            )
        except (OSError, UnicodeError, ValueError) as error:
            raise ExchangeEnded(End.UNREACHABLE, f"no connection to {where}: {_said(error)}") from None
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not address.secure:
            return cls(plain)
        try:
            return cls(ssl.create_default_context().wrap_socket(plain, server_hostname=address.host))
        except (OSError, ValueError) as error:
            plain.close()
            raise ExchangeEnded(End.UNREACHABLE, f"no TLS connection to {where}: {_said(error)}") from None

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Sends all of it. Raises Ended (timeouts, reset)."""
        view = memoryview(data)
        while view:
            try:
                self._socket.settimeout(deadline.wait())
                view = view[self._socket.send(view) :]
            except TimeoutError:
                raise deadline.expired("the server did not read the request") from None
            except OSError as error:
                raise ExchangeEnded(End.RESET, f"while sending the request: {_said(error)}") from None

    def receive(self, deadline: Deadline, at_most: float | None = None) -> bytes | None:
        """The next bytes; b"" where the server has closed; None where none came in `at_most` seconds.

        Raises Ended (timeouts, reset).
        """
        try:
            self._socket.settimeout(min(deadline.wait(), deadline.idle if at_most is None else at_most))
            return self._socket.recv(READ_SIZE)
        except TimeoutError:
            if at_most is not None and at_most < deadline.idle:
                return None
            raise deadline.expired("no byte came") from None
        except ssl.SSLEOFError:
            return b""
        except OSError as error:
            raise ExchangeEnded(End.RESET, _said(error)) from None

    def hang_up(self) -> None:
        """Closes at once, from any thread; a read that waits in another thread ends."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._socket.close()


def _said(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return escape(text or type(error).__name__)
