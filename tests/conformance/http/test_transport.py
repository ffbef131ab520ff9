"""Addresses of targets."""

from __future__ import annotations

import pytest

from local_dream_conformance.http.transport import Address


@pytest.mark.parametrize(
    ("url", "address", "host"),
    [
        ("http://phone:8081", Address(False, "phone", 8081), "phone:8081"),
        ("http://phone/", Address(False, "phone", 80), "phone"),
        ("https://phone/api/", Address(True, "phone", 443, "/api"), "phone"),
        ("http://[::1]:80", Address(False, "::1", 80), "[::1]"),
        ("http://[::1]:8081", Address(False, "::1", 8081), "[::1]:8081"),
        ("https://a%40b:c@phone", Address(True, "phone", 443, "", "Basic YUBiOmM="), "phone"),
    ],
)
def test_addresses(url: str, address: Address, host: str) -> None:
    assert Address.of(url) == address
    assert address.host_header == host


@pytest.mark.parametrize("url", ["phone:8081", "ftp://phone", "http://", "http://phone:99999"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (urllib's own words for a bad port)
        Address.of(url)
