"""What the decorators of faults do with requests and answers, and when they count a hit."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from starlette.types import Message, Receive, Scope, Send

from local_dream_mockserver.faults.effects import requests, responses
from local_dream_mockserver.faults.effects.requests import Body, Incoming
from local_dream_mockserver.faults.effects.responses import Exchange
from local_dream_mockserver.faults.hooks import FaultHooks
from local_dream_mockserver.faults.middleware import Headers, Reply, body_of
from local_dream_mockserver.server.engine import GenerationRequest
from local_dream_mockserver.server.errors import APIError, Code
from tests.mockserver.faults.declared import hooks
from tests.mockserver.faults.direct import Answer, Ask, ask
from tests.mockserver.test_request_reader import READER

VALID = b'{"prompt": "x", "seed": 3}'
WRONG = b'{"prompt": "x", "seed": "3"}'


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers path, one header and body; 400 to what ends in `?`."""
    body = await body_of(receive)
    header = next((value for name, value in scope["headers"] if name == b"x-name"), b"")
    status = 400 if body.endswith(b"?") else 200
    await Reply(status, (), b" ".join([scope["path"].encode(), header, body])).send(send)


def answers(made: FaultHooks, *asked: Ask) -> list[Answer]:
    async def all_of_them() -> list[Answer]:
        return [await ask(made.wrap(echo), one) for one in asked]

    return asyncio.run(all_of_them())


def test_the_application_receives_another_request() -> None:
    @requests.received("UPS-REQ-01", on=("/upscale",), having="x-name", name="made-up", sentence="Other.")
    def other(request: Incoming) -> Incoming:
        return replace(request.with_headers({"x-name": "other"}), body=request.body[:2])

    made = hooks("made-up")
    first, second, third, fourth = answers(
        made,
        Ask("POST", "/upscale", b"body", {"x-name": "mine"}),
        Ask("POST", "/upscale", b"body"),
        Ask("POST", "/generate", b"body", {"x-name": "mine"}),
        Ask("POST", "/upscale", b"bo", {"x-name": "other"}),
    )
    assert first.body == b"/upscale other bo"
    assert second.body == b"/upscale  body", "it has no such header"
    assert third.body == b"/generate mine body", "it is of another path"
    assert fourth.body == b"/upscale other bo"
    assert made.applied == 1, "the last was such a request already"


def test_after_an_exchange_answers_are_others_on_its_connection() -> None:
    @responses.after("ROB-07", when=lambda exchange: exchange.body == b"why?", name="made-up", sentence="After.")
    def other(earlier: Exchange, client: tuple[str, int]) -> Reply | None:
        return earlier.reply if client == earlier.client else None

    made = hooks("made-up")
    asked = [Ask("POST", "/a", b"what?", client=1), Ask("POST", "/b", b"why?", client=1)]
    later = [Ask("POST", "/c", b"c", client=1), Ask("POST", "/d", b"d", client=2)]
    bodies = [answer.body for answer in answers(made, *asked, *later)]
    assert bodies == [b"/a  what?", b"/b  why?", b"/b  why?", b"/d  d"]
    assert made.applied == 1


def test_nobody_who_waits_is_asked_for_the_body_of_a_refused_request() -> None:
    responses.instead("ROB-06", name="made-up", sentence="Refused.")(lambda: Reply(417))
    read: list[bool] = []

    async def refused(headers: list[tuple[bytes, bytes]]) -> None:
        async def receive() -> Message:
            read.append(True)
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            return None

        await hooks("made-up").wrap(echo)({"type": "http", "path": "/", "headers": headers}, receive, send)

    asyncio.run(refused([(b"expect", b"100-continue")]))
    assert read == []
    asyncio.run(refused([]))
    assert read == [True]


def test_another_request_is_a_hit() -> None:
    @requests.accepted("GEN-DEF-10", name="made-up", sentence="Seed 4 is 5.")
    def other(request: GenerationRequest, values: Body) -> GenerationRequest:
        return replace(request, seed=5) if values["seed"] == 4 else request

    made = hooks("made-up")
    assert made.read(VALID, READER.read).seed == 3
    assert made.applied == 0
    assert made.read(VALID.replace(b"3", b"4"), READER.read).seed == 5
    assert made.applied == 1


def test_the_first_after_a_refusal_is_refused() -> None:
    requests.refused("ERR-06", after=(Code.WRONG_TYPE,), name="made-up", sentence="Spoilt.")(
        lambda: APIError(500, "spoilt")
    )
    made = hooks("made-up")
    assert made.read(VALID, READER.read).seed == 3
    with pytest.raises(APIError) as refusal:
        made.read(WRONG, READER.read)
    assert refusal.value.code is Code.WRONG_TYPE
    with pytest.raises(APIError, match="spoilt"):
        made.read(VALID, READER.read)
    assert made.applied == 1
    assert made.read(VALID, READER.read).seed == 3, "only the first"


@pytest.mark.parametrize(("status", "why"), [(400, "why"), (500, "why"), (400, "")])
def test_a_text_is_why_a_request_is_refused(status: int, why: str) -> None:
    requests.refused("GEN-REQ-05", status=status, name="made-up", sentence="Refused.")(lambda: why)
    made = hooks("made-up")
    if why:
        with pytest.raises(APIError, match=why) as refusal:
            made.read(VALID, READER.read)
        assert refusal.value.status == status
    else:
        assert made.read(VALID, READER.read).seed == 3
    assert made.applied == bool(why)


@pytest.mark.parametrize("always", [False, True])
def test_looking_counts_where_it_is_to(always: bool) -> None:
    @requests.refused(always=always, quirk=True, name="made-up", sentence="Nothing.")
    def nothing(values: Body) -> APIError | None:
        return None

    made = hooks("made-up")
    assert made.read(VALID, READER.read).seed == 3
    assert made.applied == always


def test_another_document_is_made_of_the_answer_and_the_request() -> None:
    @responses.document("EXT-TOK-03", on=("/tokenize",), name="made-up", sentence="Other.")
    def counted(value: dict[str, int], asked: dict[str, str]) -> dict[str, int]:
        return {**value, "count": len(asked["prompt"])}

    async def counts(scope: Scope, receive: Receive, send: Send) -> None:
        await body_of(receive)
        await Reply.of_json(200, {"count": 2}, (b"x-name", b"kept")).send(send)

    async def all_of_them() -> list[Answer]:
        paths = {"/tokenize": (b'{"prompt": "abc"}', b'{"prompt": "ab"}'), "/other": (b'{"prompt": "abc"}',)}
        asked = [Ask("POST", path, body) for path, bodies in paths.items() for body in bodies]
        return [await ask(made.wrap(counts), one) for one in asked]

    made = hooks("made-up")
    found = asyncio.run(all_of_them())
    assert [answer.body for answer in found] == [b'{"count": 3}', b'{"count": 2}', b'{"count": 2}']
    assert (b"x-name", b"kept") in found[0].headers
    assert made.applied == 1


def test_heads_are_others_for_their_methods_and_may_repeat_the_request() -> None:
    @responses.headers("EXT-COR-05", everywhere=True, methods=("GET",), name="made-up", sentence="Other.")
    def repeated(status: int, headers: Headers, scope: Scope) -> tuple[int, Headers]:
        return status, (*headers, (b"x-method", scope["method"].encode()))

    made = hooks("made-up")
    first, second = answers(made, Ask("GET", "/x"), Ask("POST", "/x"))
    assert (b"x-method", b"GET") in first.headers
    assert b"x-method" not in dict(second.headers)
    assert made.applied == 1


def test_the_same_refusal_is_no_hit() -> None:
    requests.refusal("GEN-TYP-05", name="made-up", sentence="Same.")(lambda problem: problem)
    made = hooks("made-up")
    with pytest.raises(APIError):
        made.read(WRONG, READER.read)
    assert made.applied == 0


def test_the_value_that_is_to_blame_is_taken_for_another() -> None:
    requests.mended("GEN-TYP-05", codes=(Code.WRONG_TYPE,), fields=("seed",), name="made-up", sentence="Read.")(
        lambda value: int(value) if value == "3" else value
    )
    made = hooks("made-up")
    assert made.read(WRONG, READER.read).seed == 3
    assert made.applied == 1
    for body in (WRONG.replace(b'"3"', b'"x"'), b'{"prompt": "x", "steps": "3"}'):
        with pytest.raises(APIError):
            made.read(body, READER.read)
    assert made.applied == 1, "the same value, and another field, are refused"
