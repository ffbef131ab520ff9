"""The page's judge against the catalogue: it names what a fault breaks, and finds nothing in what is odd but legal."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from local_dream_mockserver import Mock, running_mock
from local_dream_mockserver.faults.catalogue import Fault, Layer, Quirk, entries
from local_dream_mockserver.server.page.files import static_files
from local_dream_mockserver.server.spec import load_spec
from tests.mockserver.live_server import PATIENCE
from tests.mockserver.page.studio import Studio, gradient, png_of
from tests.spec_ids import requirement_ids

IDS = re.compile(r'"((?:GEN|ERR|UPS|EXT)-[A-Z]+-\d+)"')
JUDGES = "".join(static_files()[name].body.decode() for name in ("js/judge.js", "js/judge_errors.js"))
JUDGED = set(IDS.findall(JUDGES))
SMALL = {"prompt": "a red house", "width": 24, "height": 16, "steps": 4, "seed": 3000000000}
REQUESTS: tuple[dict[str, Any], ...] = (
    SMALL,
    SMALL | {"show_diffusion_process": False},
    SMALL | {"show_diffusion_process": True},
    SMALL
    | {"show_diffusion_process": True, "show_diffusion_stride": 3, "output_format": "png", "preview_format": "jpeg"},
    SMALL | {"image": base64.b64encode(png_of(gradient(24, 16))).decode()},
    {key: value for key, value in SMALL.items() if key != "seed"},
    {"prompt": "", "steps": 0},
    {"steps": 4},
)


@dataclass
class Sample:
    """An answer of /generate as the page would get it."""

    request: dict[str, Any]
    status: int = 0
    headers: list[list[str]] = field(default_factory=list)
    body: str = ""
    waited: float = 0
    how: str = "ended"

    @classmethod
    def of(cls, client: httpx.Client, request: dict[str, Any]) -> Sample:
        sample, pieces, began = cls(request), [], time.monotonic()
        try:
            with client.stream("POST", "/generate", json=request) as answer:
                sample.status = answer.status_code
                sample.headers = [[name, ", ".join(answer.headers.get_list(name))] for name in answer.headers]
                for piece in answer.iter_raw():
                    pieces.append(piece)
                    assert time.monotonic() - began < PATIENCE, "an answer without end belongs to LEFT_OPEN"
        except httpx.ReadTimeout:
            sample.how = "open"
        except httpx.HTTPError:
            sample.how = "broken"
        sample.waited = (time.monotonic() - began) * 1000
        sample.body = base64.b64encode(b"".join(pieces)).decode()
        return sample


JUDGE = """
const [samples, done] = arguments;
Promise.all(["sse", "judge", "judge_errors", "contract", "pictures"].map((name) => import(`/page/js/${name}.js`))).then(
  async ([{ Decoder }, { StreamJudge }, { judgeError }, { loadContract }, { bytesOf }]) => {
    const { fields } = await loadContract();
    done(samples.map(({ request, status, headers, body, waited, how }) => {
      const head = new Headers(headers);
      const bytes = bytesOf(body);
      const judge = new StreamJudge(request, fields);
      const found = judge.head(status, head.get("content-type"), head);
      if (status !== 200) return [...found, ...judgeError(status, head, new TextDecoder().decode(bytes))];
      const decoder = new Decoder();
      const events = [];
      for (let at = 0; at < bytes.length; at += 7) events.push(...decoder.feed(bytes.subarray(at, at + 7)));
      const { events: last, unfinished, loose } = decoder.close();
      for (const event of [...events, ...last]) found.push(...judge.event(event, waited));
      return [...found, ...judge.end(how, unfinished, loose)];
    }).map((found) => found.map(({ id, said }) => [id, said])));
  }).catch((error) => done(String(error)));
"""


def judged(studio: Studio, samples: list[Sample]) -> list[set[str]]:
    found = studio.window.execute_async_script(JUDGE, [vars(sample) for sample in samples])
    assert isinstance(found, list), found
    return [{id for id, _ in one} for one in found]


@pytest.fixture(scope="module")
def mock() -> Iterator[Mock]:
    with running_mock() as mock:
        yield mock


@pytest.fixture(scope="module")
def client(mock: Mock) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=mock.url, timeout=PATIENCE) as client:
        yield client


def test_it_finds_nothing_in_what_the_honest_server_says(studio: Studio, mock: Mock, client: httpx.Client) -> None:
    mock.reset()
    assert judged(studio, [Sample.of(client, request) for request in REQUESTS]) == [set()] * len(REQUESTS)


LEFT_OPEN = {
    "last-step-for-ever",
    "pings-after-complete",
    "pings-alone",
    "refusal-drips",
    "refusal-left-open",
    "refusal-too-long-left-open",
    "interim-flood",
    "answer-drips",
    "head-drips",
    "kept-open",
    "length-too-long-kept-open",
    "stall",
    "stream-left-open",
}
"""They are judged by the time that passes."""
NOT_IN_ONE_STREAM = {
    "previews-a-step-late",  # in a run of one step alone there is no preview at all
    *("busy-as-text", "busy-bare"),  # only while another generation runs
    "engine-fails",  # an error event is an answer
    "picture-rows-swapped",  # as many values as ever: seen beside another picture
    *("redirected", "refused-by-redirect", "encoding-that-lies"),  # browsers follow, or give no answer
    *("no-answer", "interim-flood"),
}
SHARED = {"model-of-fixed-size": {"GEN-PIC-05"}, "format-raw-named": {"GEN-PIC-03"}}
"""What looks like a fault in one stream: a model of one size, and a PNG that was asked for and is called raw."""


def of_stream(entry: Fault) -> bool:
    return bool({id for id in entry.breaks if not id.startswith("UPS")} & JUDGED)


def found_in_each(studio: Studio, answers: dict[str, list[Sample]]) -> dict[str, set[str]]:
    """The ids that are found in the answers that there are, by the name of what the mock did."""
    found = judged(studio, [sample for samples in answers.values() for sample in samples])
    return {name: set().union(*(found.pop(0) for _ in samples)) for name, samples in answers.items()}


def test_it_names_what_a_fault_breaks(studio: Studio, mock: Mock, client: httpx.Client) -> None:
    breaks, answers = {}, {}
    for fault in entries().values():
        if not isinstance(fault, Fault) or not of_stream(fault) or fault.name in LEFT_OPEN | NOT_IN_ONE_STREAM:
            continue
        mock.reset()
        mock.fault(fault.name)
        samples = [Sample.of(client, request) for request in REQUESTS]
        if any(sample.status for sample in samples[:-2]):
            breaks[fault.name] = set(fault.breaks)
            answers[fault.name] = [sample for sample in samples if sample.status]
    assert len(answers) > 80
    found = found_in_each(studio, answers)
    assert {name: (breaks[name], ids) for name, ids in found.items() if not ids & breaks[name]} == {}


def test_it_finds_no_fault_in_a_quirk(studio: Studio, mock: Mock, client: httpx.Client) -> None:
    allowed, answers = {}, {}
    for quirk in entries().values():
        if not isinstance(quirk, Quirk) or (quirk.extensions and "formats" not in quirk.extensions):
            continue
        mock.reset()
        mock.quirk(quirk.name)
        allowed[quirk.name] = set(quirk.discouraged) | SHARED.get(quirk.name, set())
        answers[quirk.name] = [Sample.of(client, request) for request in REQUESTS]
    assert len(answers) > 40
    found = found_in_each(studio, answers)
    assert {name: ids - allowed[name] for name, ids in found.items() if ids - allowed[name]} == {}


@pytest.mark.parametrize(("how", "ids"), [("open", {"GEN-EVT-14"}), ("broken", {"GEN-EVT-14"}), ("cancelled", set())])
def test_a_body_must_end_after_the_terminal_event(
    studio: Studio, mock: Mock, client: httpx.Client, how: str, ids: set[str]
) -> None:
    mock.reset()
    sample = Sample.of(client, SMALL)
    sample.how = how
    assert judged(studio, [sample]) == [ids]


@pytest.mark.parametrize(("how", "ids"), [("ended", {"GEN-EVT-12"}), ("broken", {"GEN-EVT-12"}), ("cancelled", set())])
def test_a_stream_must_come_to_its_end_unless_the_page_hung_up(
    studio: Studio, mock: Mock, client: httpx.Client, how: str, ids: set[str]
) -> None:
    mock.reset()
    sample = Sample.of(client, SMALL)
    whole = base64.b64decode(sample.body)
    sample.body = base64.b64encode(whole[: whole.index(b"event: complete")]).decode()
    sample.how = how
    assert judged(studio, [sample]) == [ids]


UPSCALED = """
const [samples, done] = arguments;
Promise.all(["judge_errors", "pictures"].map((name) => import(`/page/js/${name}.js`))).then(
  ([{ judgeUpscale }, { bytesOf }]) => done(samples.map(([headers, body, waited]) =>
    judgeUpscale(new Headers(headers), bytesOf(body), { width: 12, height: 8 }, waited).map(({ id }) => id))),
).catch((error) => done(String(error)));
"""


def upscaled(studio: Studio, client: httpx.Client) -> set[str] | None:
    """The ids that the answer to an upscale breaks; None where it is no 200."""
    headers = {"X-Image-Width": "12", "X-Image-Height": "8", "X-Upscaler-Path": "default"}
    began = time.monotonic()
    try:
        answer = client.post("/upscale", content=gradient(12, 8).tobytes(), headers=headers)
    except httpx.HTTPError:
        return None
    waited = (time.monotonic() - began) * 1000
    if answer.status_code != 200:
        return None
    sample = [list(map(list, answer.headers.items())), base64.b64encode(answer.content).decode(), waited]
    found = studio.window.execute_async_script(UPSCALED, [sample])
    assert isinstance(found, list), found
    return set(found[0])


def test_it_judges_enlarged_pictures(studio: Studio, mock: Mock, client: httpx.Client) -> None:
    mock.reset()
    assert upscaled(studio, client) == set()
    missed = {}
    for entry in entries().values():
        if entry.layer is not Layer.UPSCALE:
            continue
        mock.reset()
        order, named = (mock.fault, entry.breaks) if isinstance(entry, Fault) else (mock.quirk, ())
        order(entry.name)
        found, wanted = upscaled(studio, client), set(named) & JUDGED
        if found is None:
            continue
        if (wanted and not found & wanted) or (not named and found):
            missed[entry.name] = (wanted, found)
    assert missed == {}


def test_every_id_is_of_the_contract() -> None:
    assert requirement_ids(load_spec()).keys() >= JUDGED
    assert len(JUDGED) > 40
