"""Extension tokenize: how long a prompt is to the model."""

from __future__ import annotations

import json
from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local_dream_mockserver.server.connection import ClientGone, read_body
from local_dream_mockserver.server.engine import TokenCount, Tokenizes
from local_dream_mockserver.server.errors import APIError, Code, as_api_error
from local_dream_mockserver.server.extensions.extension import Extension
from local_dream_mockserver.server.extensions.prompt_weights import weighs
from local_dream_mockserver.server.prompt_weights import Unweighted, without_weights
from local_dream_mockserver.server.strict_json import is_text, read_object

NONE = -1
"""`overflow_offset` of a prompt that fits."""


class TokenizeProblem(APIError):
    """A refusal or failure of /tokenize, whose error envelopes have a type of their own."""

    @property
    def kind(self) -> str:
        return "tokenize_error"


class Tokenize(Extension):
    """POST /tokenize with the engine's own tokenizer; not there for an engine that has none."""

    name = "tokenize"

    def routes(self) -> Sequence[Route]:
        if not isinstance(self.engine, Tokenizes):
            return ()
        return [Route("/tokenize", self.answer, methods=["POST"])]

    async def answer(self, request: Request) -> Response:
        """Raises TokenizeProblem."""
        try:
            settings = self.settings
            body = await read_body(request, settings.max_body, settings.body_idle, settings.body_whole)
            return await run_in_threadpool(lambda: self.count(prompt_of(body)))
        except ClientGone:
            raise
        except Exception as error:  # an engine may raise anything
            problem = as_api_error(error)
            raise TokenizeProblem(problem.status, problem.message, code=problem.code, field=problem.field) from error

    def count(self, prompt: str) -> Response:
        """In a worker thread."""
        assert isinstance(self.engine, Tokenizes)
        read = without_weights(prompt) if weighs(self.engine, self.settings) else Unweighted.of(prompt)
        found = self.engine.tokenize(read.text)
        answer = {
            "count": found.count,
            "max_length": found.max_length,
            "overflow_offset": overflow(prompt, found, read),
        }
        return Response(json.dumps(answer), media_type="application/json")


def prompt_of(body: bytes) -> str:
    """Raises APIError (400). An empty prompt is one."""
    values = read_object(body, 'a JSON object with "prompt"')
    if "prompt" not in values:
        raise APIError(400, "prompt: missing; send the text to count", code=Code.MISSING, field="prompt")
    prompt = values["prompt"]
    if not isinstance(prompt, str) or not is_text(prompt):
        code = Code.NOT_TEXT if isinstance(prompt, str) else Code.WRONG_TYPE
        message = "prompt: not a string of whole characters; send the text to count"
        raise APIError(400, message, code=code, field="prompt")
    return prompt


def overflow(prompt: str, found: TokenCount, read: Unweighted) -> int:
    """Where in the prompt the text that was counted is too long: in UTF-16 code units, as the clients' languages
    count."""
    if found.overflow_offset is None:
        return NONE
    return len(prompt[: read.place(found.overflow_offset)].encode("utf-16-le")) // 2
