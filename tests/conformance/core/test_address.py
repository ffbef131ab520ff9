"""Addresses of targets."""

from __future__ import annotations

import pytest

from local_dream_conformance.core.address import Address


@pytest.mark.parametrize(
    ("url", "parts", "host"),
    [
        ("http://phone:8081", (False, "phone", 8081, "", None), "phone:8081"),
        (" http://phone/ ", (False, "phone", 80, "", None), "phone"),
        ("https://phone/api/", (True, "phone", 443, "/api", None), "phone"),
        ("http://[::1]:80", (False, "::1", 80, "", None), "[::1]"),
        ("http://[::1]:8081", (False, "::1", 8081, "", None), "[::1]:8081"),
        ("http://[fe80::1%eth0]:81", (False, "fe80::1%eth0", 81, "", None), "[fe80::1]:81"),
        ("https://a%40b:c@phone", (True, "phone", 443, "", "Basic YUBiOmM="), "phone"),
    ],
)
def test_addresses(url: str, parts: tuple[bool, str, int, str, str | None], host: str) -> None:
    found = Address.parse(url)
    assert (found.secure, found.host, found.port, found.prefix, found.authorization) == parts
    assert found.host_header == host


@pytest.mark.parametrize(
    "url",
    [
        *("phone:8081", "ftp://phone", "http://", "http://phone:99999", "http://phone:0"),
        *("http://phone/?a=b", "http://phone/#a", "http://pho ne"),
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match="give the server's address as http://HOST:PORT"):
        Address.parse(url)


def test_what_may_be_shown() -> None:
    found = Address.parse("http://ann:s3cret@phone:80/sd/")
    assert (found.url, found.public) == ("http://ann:s3cret@phone:80/sd", "http://phone:80/sd")
    assert found.origin + "/sd/generate" == "http://phone:80/sd/generate"
    assert found.secrets == {"ann", "s3cret", "YW5uOnMzY3JldA=="}
