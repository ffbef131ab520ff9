from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_dream_conformance.core.exchange import End, Exchange, Read, Request, Transcript
from local_dream_conformance.recordings.redaction import Redaction

TOKEN = "s3cret-token"
PICTURE = base64.b64encode(bytes(range(256)) * 4)


def exchange(body: bytes = b"", answer: bytes = b"", **others: object) -> Exchange:
    reads = tuple(
        Read(0.1 * number, answer[start : start + 7]) for number, start in enumerate(range(0, len(answer), 7))
    )
    made = Exchange("base", Request("POST", "/generate", (), body), 0.0, End.COMPLETE, 1.0, 200, reads=reads)
    return replace(made, **others)  # type: ignore[arg-type]


def redacted(one: Exchange, *secrets: str, prompts: bool = True) -> Exchange:
    return Redaction(secrets, prompts=prompts).transcript(Transcript("base", (one,))).exchanges[0]


def test_tokens_go_wherever_the_server_repeats_them() -> None:
    request = Request("POST", f"/generate?key={TOKEN}", (("Authorization", f"Bearer {TOKEN}"),), TOKEN.encode())
    one = exchange(
        answer=b'{"error": {"message": "bad token s3cret-token"}}',
        request=request,
        headers=(("X-Echo", f"a {TOKEN} b"),),
        reason=f"No {TOKEN}",
        detail=f"not HTTP: {TOKEN}",
    )
    kept = redacted(one, TOKEN, prompts=False)
    assert TOKEN not in repr(kept)
    assert kept.body == b'{"error": {"message": "bad token ************"}}'
    assert [(read.at, len(read.data)) for read in kept.reads] == [(read.at, len(read.data)) for read in one.reads]
    assert kept.headers == (("X-Echo", "a ************ b"),)


def test_a_token_that_json_escapes_goes_too() -> None:
    secret = 'qu"ote\\d'
    assert redacted(exchange(answer=json.dumps(secret).encode()), secret).body == b'"' + b"*" * 10 + b'"'


def test_a_short_token_that_is_in_a_picture_by_chance_leaves_the_picture_as_it_is() -> None:
    short, long = PICTURE[40:45].decode(), PICTURE[40:70].decode()
    assert redacted(exchange(answer=b'{"image": "%s"}' % PICTURE), short).body == b'{"image": "%s"}' % PICTURE
    assert redacted(exchange(answer=b'{"a": "%s"}' % short.encode()), short).body == b'{"a": "*****"}'
    assert long.encode() not in redacted(exchange(answer=PICTURE), long).body


def test_prompts_stay_unless_asked() -> None:
    one = exchange(b'{"prompt": "a red house by a lake"}')
    assert redacted(one, prompts=False) == one


def test_the_same_prompt_has_the_same_stand_in_everywhere_and_another_one_another() -> None:
    one = exchange(b'{"prompt": "a red house by a lake", "steps": 4}', b'{"prompt": "a red house by a lake"}')
    cut = exchange(b'{"prompt": "a red house by a lake", "st')
    other = exchange(b'{"negative_prompt":"a red horse in a lane"}')
    kept = Redaction((), prompts=True).transcript(Transcript("base", (one, cut, other))).exchanges
    assert json.loads(kept[0].request.body) == {"prompt": "prompt 1 prompt 1 pro", "steps": 4}
    assert json.loads(kept[0].body) == {"prompt": "prompt 1 prompt 1 pro"}
    assert kept[1].request.body == b'{"prompt": "prompt 1 prompt 1 pro", "st'
    assert json.loads(kept[2].request.body) == {"negative_prompt": "prompt 2 prompt 2 pro"}


@pytest.mark.parametrize("body", [b'{"prompt": ""}', b'{"prompt": " "}', b'{"prompt": "\xff\xfe"}', b'{"prompt": 5}'])
def test_what_is_no_prompt_stays_as_it_is(body: bytes) -> None:
    assert redacted(exchange(body)).request.body == body


@given(prompts=st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=5), answer=st.binary(max_size=60))
def test_lengths_and_json_stay_and_no_long_prompt_is_left(prompts: list[str], answer: bytes) -> None:
    made = [exchange(json.dumps({"prompt": prompt}).encode(), answer) for prompt in prompts]
    kept = Redaction((), prompts=True).transcript(Transcript("base", tuple(made))).exchanges
    for prompt, before, after in zip(prompts, made, kept, strict=True):
        assert len(after.request.body) == len(before.request.body)
        assert [len(read.data) for read in after.reads] == [len(read.data) for read in before.reads]
        stand_in = json.loads(after.request.body)["prompt"]
        assert stand_in.strip() != ""
        assert stand_in != prompt or len(prompt) < 3
