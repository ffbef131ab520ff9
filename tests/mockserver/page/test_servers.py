"""The page and other servers: by their address, through its own, with tokens, and when none answers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.mockserver.live_server import GatedEngine
from tests.mockserver.page.studio import Served, Studio, served


@pytest.fixture(scope="module")
def other() -> Iterator[Served]:
    with served(page=False) as other:
        yield other


@pytest.fixture(scope="module")
def closed() -> Iterator[Served]:
    """A server that lets no pages of other origins in."""
    with served(page=False, without=frozenset({"cors"})) as closed:
        yield closed


def choose(studio: Studio, kind: str, address: str = "", token: str = "") -> None:
    studio.press("server-button")
    studio[f"server-{kind}"].send_keys(Keys.SPACE)
    if address:
        studio["server-address"].clear()
        studio["server-address"].send_keys(address)
    if token:
        studio["server-token"].send_keys(token)
    studio["server-form"].find_element(By.CSS_SELECTOR, "[type=submit]").send_keys(Keys.ENTER)


def health(studio: Studio) -> str:
    return studio["server-button"].get_attribute("data-health") or ""


def test_the_header_says_which_server_it_is_and_that_it_runs(studio: Studio) -> None:
    assert studio["server-name"].text == "synthetic cpu"
    studio.until(lambda: health(studio) == "ready")


@pytest.mark.parametrize("scheme", [True, False])
def test_another_server_paints_and_enlarges(studio: Studio, server: Served, other: Served, scheme: bool) -> None:
    other.journal.clear()
    choose(studio, "other", other.url if scheme else other.url.removeprefix("http://") + "/")
    studio.until(lambda: health(studio) == "ready")
    assert studio["server-name"].text == other.url.removeprefix("http://")
    assert f"'{other.url}/generate'" in studio["snippet"].text
    studio.paint("x")
    studio.press("upscale")
    studio.settle()
    assert (studio.state, studio.problem) == ("done", "")
    assert studio.fact("size") == "256 \u00d7 256"
    assert [one.path for one in other.asked] == ["/generate", "/upscale"]
    assert [one.breaches for one in other.asked] == [(), ()]
    assert server.asked == []


def test_a_server_that_lets_no_pages_in_is_explained(studio: Studio, closed: Served) -> None:
    choose(studio, "other", closed.url)
    studio.until(lambda: health(studio) == "no answer")
    studio.paint("x")
    assert studio.problem.startswith(f"No answer {closed.url} cannot be used from this page")
    assert "--page-target" in studio.problem


@pytest.mark.parametrize("address", ["", "ftp://x", "http://", "http://a?b", "not an address"])
def test_what_is_no_address_is_told_at_the_field(studio: Studio, address: str) -> None:
    choose(studio, "other", address)
    assert studio["server-problem"].is_displayed()
    assert studio["server-address"] == studio.window.switch_to.active_element
    studio["server-cancel"].send_keys(Keys.ENTER)
    studio.paint("x")
    assert studio.state == "done"


def test_a_server_that_lets_no_pages_in_is_reached_through_the_page_s_own(studio: Studio, closed: Served) -> None:
    closed.journal.clear()
    with served(page_target=closed.url) as near:
        studio.open(near.url)
        studio.press("server-button")
        assert studio["through"].text.split("\n")[0].startswith(closed.url)
        studio["server-cancel"].send_keys(Keys.ENTER)
        choose(studio, "through")
        studio.until(lambda: health(studio) == "ready")
        studio.set("seed", "7")
        studio.paint("x")
        studio["tab-request"].send_keys(Keys.ARROW_RIGHT)
        assert studio["stream-summary"].text.endswith("holds the contract")
        small = studio.picture()
        studio.press("upscale")
        studio.settle()
        assert studio.fact("size") == "256 \u00d7 256"
        assert [one.path for one in closed.asked] == ["/generate", "/upscale"]
        assert closed.asked[1].body == small.tobytes()
        assert near.asked == []


def test_cancelling_through_the_page_s_own_server_frees_the_engine(studio: Studio) -> None:
    engine = GatedEngine()
    with served(engine, page=False) as far, served(page_target=far.url) as near:
        studio.open(near.url)
        choose(studio, "through")
        studio.set("prompt", "never mind")
        studio.press("generate")
        engine.allow(1)
        studio.until(lambda: studio["work"].text == "Step 1 of 3")
        studio.press("cancel")
        engine.wait_for(lambda: engine.ended == ["never mind"])
        studio.settle()


def test_the_pass_through_is_not_offered_where_there_is_none(studio: Studio) -> None:
    studio.press("server-button")
    assert not studio["through"].is_displayed()
    studio["server-cancel"].send_keys(Keys.ENTER)


def test_a_token_is_asked_for_and_sent(studio: Studio) -> None:
    with served(token="s3cret") as guarded:
        studio.open(guarded.url)
        assert studio["server-name"].text == "This server"
        studio.until(lambda: health(studio) == "ready")
        studio.paint("x")
        assert studio.problem.startswith("Status 401")
        assert "token" in studio.problem
        choose(studio, "own", token="s3cret")
        studio.paint("x")
        assert (studio.state, studio.problem) == ("done", "")


def test_both_tokens_are_sent_to_whom_they_belong(studio: Studio) -> None:
    with served(token="far", page=False) as far, served(token="near", page_target=far.url) as near:
        studio.open(near.url)
        studio.press("server-button")
        studio["server-through"].send_keys(Keys.SPACE)
        studio["server-token"].send_keys("far")
        studio["own-token"].send_keys("near", Keys.ENTER)
        studio.paint("x")
        assert (studio.state, studio.problem) == ("done", "")
        assert far.asked[-1].headers["authorization"] == "Bearer far"


def test_a_server_that_has_gone_is_told(studio: Studio) -> None:
    with served() as gone:
        studio.open(gone.url)
        studio.paint("x")
        before = studio.picture()
    studio.paint("y")
    assert studio.problem.startswith("No answer")
    assert gone.url in studio.problem
    assert np.array_equal(studio.picture(), before)
