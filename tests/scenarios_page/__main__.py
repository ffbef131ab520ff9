"""`python -m tests.scenarios_page`: writes docs/scenarios.md from what the scenarios send to the mock server."""

from __future__ import annotations

from tests.scenarios_page.page import PAGE, page

PAGE.write_text(page(), encoding="utf-8")
