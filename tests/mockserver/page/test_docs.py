"""The contract in its viewer at /docs."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from local_dream_mockserver.server.spec import load_spec
from tests.conformance.report.chromium import asked, complaints
from tests.mockserver.page.studio import Served, Studio


@pytest.fixture
def docs(window: webdriver.Chrome, server: Served) -> Iterator[Studio]:
    server.orders.reset()
    server.journal.clear()
    window.get("about:blank")
    asked(window), complaints(window)
    window.get(f"{server.url}/docs")
    docs = Studio(window)
    docs.until(lambda: len(docs.all(".opblock")) == operations())
    yield docs
    assert complaints(window) == []
    assert all(address.startswith((server.url, "data:")) for address in asked(window))


def operations() -> int:
    return sum(len(path) for path in load_spec()["paths"].values())


def opened(docs: Studio, tag: str, operation: str) -> None:
    docs.window.find_element(By.CSS_SELECTOR, f"#operations-{tag}-{operation} .opblock-summary-control").click()
    docs.until(lambda: docs.all(f"#operations-{tag}-{operation} .opblock-body"))


@pytest.mark.parametrize(
    ("tag", "path", "method"),
    [
        ("Core", "/health", "get"),
        ("Core", "/generate", "post"),
        ("Core", "/upscale", "post"),
        ("Extensions", "/tokenize", "post"),
    ],
)
def test_each_operation_has_its_requirements(docs: Studio, tag: str, path: str, method: str) -> None:
    operation = load_spec()["paths"][path][method]
    opened(docs, tag, operation["operationId"])
    text = (
        docs.window.find_element(By.ID, f"operations-{tag}-{operation['operationId']}").get_attribute("textContent")
        or ""
    )
    assert operation["summary"] in text
    assert {one["id"] for one in operation["x-requirements"] if one["id"] not in text} == set()


def test_the_server_s_own_requirements_are_there(docs: Studio) -> None:
    text = docs.window.find_element(By.CSS_SELECTOR, ".info").get_attribute("textContent") or ""
    assert {one["id"] for one in load_spec()["x-requirements"] if one["id"] not in text} == set()
    assert "OAS 3.2" in text


def test_an_operation_can_be_tried(docs: Studio, server: Served) -> None:
    opened(docs, "Core", "generate")
    body = docs.window.find_element(By.CSS_SELECTOR, "#operations-Core-generate textarea.body-param__text")
    body.clear()
    body.send_keys(json.dumps({"prompt": "x", "width": 64, "height": 64, "steps": 3}))
    docs.window.execute_script("arguments[0].click()", docs.all("#operations-Core-generate .execute")[0])
    docs.until(lambda: docs.all("#operations-Core-generate .live-responses-table .response-col_status"))
    answer = docs.all("#operations-Core-generate .live-responses-table")[0].text
    assert "200" in answer
    assert "event: complete" in answer
    assert server.last()["width"] == 64


def test_it_is_dark_where_the_page_is(docs: Studio, server: Served) -> None:
    def paper() -> str:
        return docs.window.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")

    docs.system("light")
    light = paper()
    docs.system("dark")
    assert paper() != light
    docs.system("")
