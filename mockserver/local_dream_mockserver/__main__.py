"""`python -m local_dream_mockserver`."""

from __future__ import annotations

from local_dream_mockserver.commands.mock import mock

mock(prog_name="local-dream mock")
