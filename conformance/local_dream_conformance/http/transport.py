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
EPSILON = 0.002
"""Seconds by which a socket's time-out may come early."""


class ExchangeEnded(Exception):
    """The exchange is over before its time: how, and in one line what was seen."""

    def __init__(self, end: End, detail: str) -> None:
        super().__init__(detail)
        self.end = end
        self.detail = detail


class Deadline:
    """When to give up: `quiet` seconds without a byte, at the end of the stage that the exchange is at, or `total`
    seconds since it began.

    Stages follow one another; each says how long it may last whatever bytes come, and in which words it ran out.
    `is_last`: nothing but the end of the answer is awaited. `hangs_up`: that it does not come is known, and no news.
    """

    def __init__(self, total: float) -> None:
        self.total = total
        self.quiet = total
        self.is_last = False
        self.hangs_up = False
        self.began = time.monotonic()
        self._entered = 0.0
        self._until = total
        self._words = "not over"
        self._heard = False

    @property
    def elapsed(self) -> float:
        """Seconds since the exchange began."""
        return time.monotonic() - self.began

    def enter(self, quiet: float, most: float, words: str) -> None:
        """A stage begins, which ends in success or after `most` seconds."""
        now = self.elapsed
        self.quiet, self._entered, self._until = quiet, now, now + most
        self._words, self._heard = words, False

    def extend(self, most: float) -> None:
        """The stage may last so many seconds in all."""
        self._until = self._entered + most

    def hears(self) -> None:
        """A byte has come."""
        self._heard = True

    def wait(self) -> float:
        """How long the next wait may last. Raises ExchangeEnded where no time is left."""
        left = min(self.total, self._until) - self.elapsed
        if left <= 0:
            raise self.expired("")
        return min(self.quiet, left)

    def expired(self, what: str) -> ExchangeEnded:
        """What it means that a wait ran out."""
        now = self.elapsed + EPSILON
        if now >= self.total:
            return ExchangeEnded(End.TOTAL_TIMEOUT, f"not over after {self.total:g} s")
        if self.hangs_up:
            return ExchangeEnded(End.HUNG_UP, "")
        if now >= self._until and (self._heard or self.is_last or not what):
            end = End.TOTAL_TIMEOUT if self._heard else End.IDLE_TIMEOUT
            return ExchangeEnded(end, f"{self._words} within {self._until - self._entered:.3g} s")
        return ExchangeEnded(End.IDLE_TIMEOUT, f"{what} for {self.quiet:g} s")


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
            wait = deadline.wait()
            self._socket.settimeout(wait if at_most is None else min(wait, at_most))
            piece = self._socket.recv(READ_SIZE)
            deadline.hears()
            return piece
        except TimeoutError:
            if at_most is not None and at_most < wait:
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
