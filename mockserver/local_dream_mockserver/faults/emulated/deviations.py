"""What a judge will find in the recorded releases. Which ids speak of a field, the contract says: a field that it gains
is broken as the others are, without a line here."""

from __future__ import annotations

from local_dream_mockserver.faults.emulated.version import Mode, Version
from local_dream_mockserver.server.spec import fields_of, ids_of

RANGES = ("minimum", "maximum", "multipleOf", "enum", "minus-one")
"""Keywords of the fields whose values no release checks."""
ALWAYS = (*("UPS-REQ-10", "UPS-REQ-12", "UPS-REQ-13", "UPS-REQ-14", "UPS-REQ-15"), *("SRV-03", "ERR-04"))
ANSWERING = ("GEN-REQ-07", "GEN-SSE-02", "ERR-08", "EXT-TOK-06")
"""Wherever /generate and /tokenize are."""


def breaks_of(version: Version, mode: Mode) -> tuple[str, ...]:
    """The MUSTs."""
    model = mode is not Mode.UPSCALER
    found: list[str] = []
    if model or version.upscaler_generates:
        found += [*_ids("type", but=("mask",)), "GEN-TYP-15"]
    if model:
        found += ["GEN-REQ-09", "GEN-REQ-10", "GEN-REQ-12"]
        found += ["GEN-EVT-19", "ROB-01"] if version.shared_state else []
    elif version.upscaler_generates:
        found += ["GEN-EVT-15", "GEN-REQ-12", "ERR-06", "EXT-TOK-03"]
    found += ["UPS-REQ-16"] if version.wraps else []
    return (*found, *(["EXT-COR-04"] if version.cors else []))


def discouraged_of(version: Version, mode: Mode) -> tuple[str, ...]:
    """The SHOULDs."""
    model = mode is not Mode.UPSCALER
    found = [*ALWAYS]
    if model or version.upscaler_generates:
        found += [*ANSWERING, *_ids(*RANGES), *([] if version.separate_mask else ["GEN-REQ-16"])]
    if model:
        found += ["GEN-REQ-11", "GEN-EVT-06", *(["EXT-FMT-06"] if version.formats else [])]
    elif version.upscaler_generates:
        found += ["GEN-REQ-22", "ROB-08"]
    found += ["EXT-SIZ-03"] if mode in (Mode.QNN, Mode.MNN) else []
    found += ["GEN-EVT-10"] if mode is Mode.MNN else []
    found += ["EXT-UFX-07"] if version.ultrafix and mode in (Mode.QNN, Mode.SDXL) else []
    found += ["EXT-ASP-04"] if mode is Mode.SDXL and version.aspect_ratio else []
    return tuple(found)


def _ids(*keywords: str, but: tuple[str, ...] = ()) -> list[str]:
    """The requirements that speak of these keywords of the core's fields."""
    fields = [ids_of(field) for field in fields_of() if field not in but]
    return sorted({ids[keyword] for ids in fields for keyword in keywords if keyword in ids})
