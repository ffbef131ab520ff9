"""The address of the one other server that the page may reach through this one."""

from __future__ import annotations

from urllib.parse import urlsplit


def parse_target(url: str) -> str:
    """The address of a server, without a slash at its end. Raises ValueError with one line that says the fix."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url[:200]!a} is no http address; give http://HOST:PORT")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(f"{url[:200]!a} has a user, a query or a fragment; give http://HOST:PORT alone")
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise ValueError(f"{url[:200]!a} has no port between 0 and 65535; give http://HOST:PORT") from None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"
