"""What a judge will find in the recorded releases. Which ids speak of a field, the contract says: a field that is added
to it is broken as the others are, without a line here."""

from __future__ import annotations

from local_dream_mockserver.faults.emulated.version import Mode, Version
from local_dream_mockserver.server.spec import fields_of, ids_of

BREAKS = ("GEN-TYP-15", "GEN-REQ-09", "GEN-REQ-10", "UPS-REQ-16")
DISCOURAGED = (
    *("GEN-REQ-07", "GEN-REQ-11", "GEN-SSE-02", "GEN-EVT-06", "SRV-03", "ERR-04", "ERR-08"),
    *("UPS-REQ-10", "UPS-REQ-12", "UPS-REQ-13", "UPS-REQ-14", "EXT-SIZ-03", "EXT-TOK-06"),
)


def breaks_of(version: Version, mode: Mode) -> tuple[str, ...]:
    """The MUSTs."""
    types = [ids_of(field)["type"] for field in fields_of() if "type" in ids_of(field)]
    return (*types, *BREAKS, *(["EXT-COR-04"] if version.cors else []))


def discouraged_of(version: Version, mode: Mode) -> tuple[str, ...]:
    """The SHOULDs."""
    return DISCOURAGED
