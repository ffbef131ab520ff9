"""`python -m mockserver`."""

from __future__ import annotations

from mockserver.cli import mock

mock(prog_name="mockserver")
