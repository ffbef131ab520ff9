"""The page over HTTP: who gets it, with which headers, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, OpenAPIV32SpecValidator

from local_dream_mockserver.faults.catalogue import Fault
from local_dream_mockserver.mock.synthetic import SyntheticEngine
from local_dream_mockserver.server.page.files import static_files
from local_dream_mockserver.server.spec import load_spec
from tests.mockserver.live_server import PATIENCE, serving
from tests.mockserver.page.studio import Served, served

OWN = ("/", "/docs", "/openapi.json", "/page/about.json", "/page/js/main.js", "/page/page.css", "/page/icon.svg")


@pytest.fixture(scope="module")
def client(server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        yield client


@pytest.mark.parametrize("path", OWN)
def test_it_is_sent_with_the_headers_that_keep_it_to_itself(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"
    head = client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == answer.headers["etag"]


def test_scripts_of_the_page_may_not_be_written_into_it(client: httpx.Client) -> None:
    policy = client.get("/").headers["content-security-policy"]
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", OWN)
def test_what_has_not_changed_is_not_sent_again(client: httpx.Client, path: str) -> None:
    tag = client.get(path).headers["etag"]
    for known in (tag, f'"other", W/{tag}'):
        again = client.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_all_that_the_page_names_is_there(client: httpx.Client) -> None:
    files = static_files()
    assert {"index.html", "docs.html", "docs/swagger-ui-bundle.js"} <= files.keys()
    for name, file in files.items():
        assert client.get(f"/page/{name}").content == file.body, name
    for name in ("index.html", "docs.html"):
        text = files[name].body.decode()
        named = {part.partition('"')[0].partition("?")[0] for part in text.split("page/")[1:]}
        assert named
        assert named <= files.keys()
        assert "://" not in text.replace("http://127.0.0.1:8081", "")


@pytest.mark.parametrize(
    "path", ["/page", "/page/", "/page/none.js", "/page/../index.html", "/page/docs/LICENSE", "/page/pass-through"]
)
def test_other_paths_are_not_there(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "request_error")


@pytest.mark.parametrize("path", ["/", "/openapi.json"])
def test_other_methods_are_refused_as_elsewhere(client: httpx.Client, path: str) -> None:
    answer = client.post(path, json={})
    assert answer.status_code == 405
    assert {name.strip() for name in answer.headers["allow"].split(",")} == {"GET", "HEAD"}
    assert answer.json()["error"]["type"] == "request_error"


def test_without_it_nothing_is_there() -> None:
    with serving(SyntheticEngine()) as client:
        for path in OWN:
            assert client.get(path).json()["error"]["message"] == f"there is no {path}"


def test_neither_faults_nor_the_journal_touch_it(server: Served, client: httpx.Client) -> None:
    pages = [client.get(path).content for path in OWN]
    server.journal.clear()
    server.orders.order(Fault, ["every-path-is-found"], more=False)
    assert client.get("/nope").status_code == 200
    assert [client.get(path).content for path in OWN] == pages
    assert [one.path for one in server.journal.requests] == ["/nope"]
    server.orders.reset()


def test_it_is_read_without_a_token_and_the_api_is_not() -> None:
    with served(token="secret") as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        for path in OWN:
            assert client.get(path).status_code == 200
        about = client.get("/page/about.json").json()
        assert about == {"model": None, "token": True, "target": None}
        assert client.post("/generate", json={"prompt": "x"}).status_code == 401


def test_foreign_names_do_not_get_it() -> None:
    with served(hosts=frozenset({"127.0.0.1"})) as server:
        for path in OWN:
            assert httpx.get(server.url + path, headers={"Host": "evil.example"}).status_code == 403


def test_pages_of_other_origins_read_it_where_they_read_the_api(client: httpx.Client) -> None:
    page = {"Origin": "https://page.example"}
    for path in OWN:
        assert client.get(path, headers=page).headers["access-control-allow-origin"] == "*"
    with served(without=frozenset({"cors"})) as server:
        assert "access-control-allow-origin" not in httpx.get(server.url + "/openapi.json", headers=page).headers


def test_the_contract_is_the_contract(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert document == load_spec()
    assert client.get("/openapi.json?version=3.2").json() == document
    OpenAPIV32SpecValidator(document).validate()


def test_the_older_edition_says_the_same_as_far_as_it_can(client: httpx.Client) -> None:
    older = client.get("/openapi.json?version=3.1").json()
    OpenAPIV31SpecValidator(older).validate()
    assert older["openapi"].startswith("3.1.")
    stream = older["paths"]["/generate"]["post"]["responses"]["200"]["content"]["text/event-stream"]
    newer = load_spec()["paths"]["/generate"]["post"]["responses"]["200"]["content"]["text/event-stream"]
    assert stream == {"schema": {"type": "string"}, "x-itemSchema": newer["itemSchema"]}
    stream.clear()
    stream["itemSchema"] = newer["itemSchema"]
    assert older | {"openapi": "3.2.0"} == load_spec()


def test_an_unknown_edition_is_refused(client: httpx.Client) -> None:
    answer = client.get("/openapi.json?version=2.0")
    assert (answer.status_code, answer.json()["error"]["message"]) == (
        400,
        "version: no edition '2.0'; ask for 3.2 or 3.1",
    )
