"""Preflight: is there a server at the address, and could it be this API? Asked once, before the first scenario.

A server whose /health is broken is worth judging, so it is turned away only when /generate and /upscale are not there
either.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading

import httpx

from local_dream_conformance.core.address import Address
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import ABSENT
from local_dream_conformance.core.settings import Settings
from local_dream_conformance.http.trust import Trust

PATIENCE = 10.0
"""Seconds for the answer to GET /health; the settings may shorten it. It is small work for a server of any kind."""

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For plain HTTP, which asks for none: it trusts nobody. httpx would load all certificates of the system."""


class Unreachable(Exception):
    """The target cannot be judged; the message is one line with the likely fix."""


class _Silent(Exception):
    """No answer came in time."""


def reach(settings: Settings) -> None:
    """Returns where the target can be judged. Raises Unreachable."""
    url = settings.address.public
    patience = min(PATIENCE, settings.idle_timeout)
    try:
        answer = _ask(settings, "GET", "/health", patience)
        if answer.status_code == 200 and not _is_page(answer):
            return
        problem = f"{url} is not this API: GET /health is answered with status {answer.status_code}"
        if _is_page(answer):
            problem += " and a web page"
        problem += ", and there is no /generate or /upscale either; check the port and the path"
    except httpx.UnsupportedProtocol as error:
        raise Unreachable(f"{url}: {escape(str(error))}") from None
    except httpx.ConnectTimeout:
        raise Unreachable(f"{url}: no connection within {patience:g} s; check the address and the firewall") from None
    except httpx.ConnectError as error:
        raise Unreachable(_refused(url, error, _trust(settings))) from None
    except _Silent:
        problem = f"{url} accepts connections but says nothing (no answer to GET /health within {patience:g} s)"
    except httpx.HTTPError as error:
        problem = _not_http(settings.address, error)
    if not any(_is_there(settings, path, patience / 2) for path in ("/upscale", "/generate")):
        raise Unreachable(problem)


def _is_there(settings: Settings, path: str, patience: float) -> bool:
    """Whether an operation exists. The request is one that a server refuses, so that it starts no work; where work is
    counted (--budget) it is one that no server works for."""
    limited = settings.budget.generations if path == "/generate" else settings.budget.upscales
    method, absent = ("POST", ABSENT) if limited is None else ("GET", (404, 501))
    try:
        answer = _ask(settings, method, path, patience)
    except (httpx.HTTPError, _Silent):
        return False
    return answer.status_code not in absent and not _is_page(answer)


def _is_page(answer: httpx.Response) -> bool:
    return str(answer.headers.get("content-type", "")).lower().startswith("text/html")


def _ask(settings: Settings, method: str, path: str, patience: float) -> httpx.Response:
    """The head of the answer. The body is not read: nothing is known of its size."""
    found: list[httpx.Response | Exception] = []
    body = {"content": b"{}", "headers": {"Content-Type": "application/json"}} if method == "POST" else {}

    clients: list[httpx.Client] = []

    def ask() -> None:
        try:
            verify = _trust(settings).context if settings.address.secure else NO_TLS
            with httpx.Client(trust_env=False, verify=verify, timeout=patience) as client:
                clients.append(client)
                request = client.build_request(method, settings.address.url + path, **body)  # type: ignore[arg-type]
                request.headers.update([(name.encode(), value.encode()) for name, value in settings.headers])
                request.headers.encoding = "utf-8"
                answer = client.send(request, stream=True)
                found.append(answer)
                answer.close()
        except Exception as error:
            found.append(error)

    # A server that drips its head byte by byte outlasts every time-out of a single read.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(patience + 1)
    if not found:
        for client in clients:  # interim answers without end are read without end
            with contextlib.suppress(Exception):
                client.close()
    if not found or isinstance(found[0], httpx.ReadTimeout | httpx.WriteTimeout):
        raise _Silent
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def _trust(settings: Settings) -> Trust:
    return Trust(settings.cacert, settings.insecure)


def _refused(url: str, error: httpx.ConnectError, trust: Trust) -> str:
    words = str(error)
    if "CERTIFICATE" in words:
        return f"{url}: {trust.why_not(escape(words))}"
    if "SSL" in words or "TLS" in words:
        return f"{url} does not speak TLS; try http:// instead of https://"
    if "Name or service" in words or "getaddrinfo" in words or "name resolution" in words or "nodename" in words:
        return f"{url}: the host name cannot be resolved; check its spelling"
    return f"nothing answers at {url} ({escape(words)}); start the server there, or check host and port"


def _not_http(address: Address, error: httpx.HTTPError) -> str:
    if not address.secure and _speaks_tls(address.host, address.port):
        return f"{address.public} speaks TLS; give its address with https://"
    return f"{address.public} does not answer in HTTP ({escape(str(error)) or type(error).__name__})"


def _speaks_tls(host: str, port: int) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), timeout=3) as plain, context.wrap_socket(plain) as _:
            return True
    except (OSError, ValueError):
        return False
