"""A socket to a target, on which nothing waits without a deadline and nothing but ExchangeEnded is raised."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time

from local_dream_conformance.core.address import Address
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import End
from local_dream_conformance.http.trust import Trust

CONNECT_SECONDS = 10.0  # a phone that sleeps on a wireless network answers within a few seconds, or not at all
READ_SIZE = 1 << 16


class ExchangeEnded(Exception):
    """The exchange is over before its time: how, and in one line what was seen."""

    def __init__(self, end: End, detail: str) -> None:
        super().__init__(detail)
        self.end = end
        self.detail = detail


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
        """How long the next wait may last. Raises ExchangeEnded where no time is left."""
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
    def dial(cls, address: Address, deadline: Deadline, trust: Trust) -> Transport:
        """Connects. Raises ExchangeEnded (unreachable)."""
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
            return cls(trust.context.wrap_socket(plain, server_hostname=address.host))
        except (OSError, ValueError) as error:
            plain.close()
            raise ExchangeEnded(End.UNREACHABLE, f"no TLS connection to {where}: {_said(error)}") from None

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Sends all of it. Raises ExchangeEnded (timeouts, reset)."""
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

        Raises ExchangeEnded (timeouts, reset).
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
