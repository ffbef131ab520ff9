"""Extension prompt_weights: parts of a prompt that count for more, or for less."""

from __future__ import annotations

from dataclasses import replace

from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.engine import Engine, GenerationRequest, WeighsPrompts
from local_dream_mockserver.server.extensions.extension import Extension, Fields
from local_dream_mockserver.server.prompt_weights import parts_of, without_weights

NAME = "prompt_weights"


def weighs(engine: Engine, settings: ServerSettings) -> bool:
    """Whether a server of this engine reads weights."""
    return isinstance(engine, WeighsPrompts) and engine.weighs_prompts and NAME not in settings.without


class PromptWeights(Extension):
    """The engine gets prompts without marks, and the weights of their parts; not for an engine that does not weigh."""

    name = NAME

    def completed(self, request: GenerationRequest, fields: Fields) -> GenerationRequest:
        if not weighs(self.engine, self.settings):
            return request
        parts = [part for prompt in (request.prompt, request.negative_prompt) for part in parts_of(prompt)]
        weighted = tuple((part.text, part.weight) for part in parts)
        return replace(
            request,
            prompt=without_weights(request.prompt).text or request.prompt,
            negative_prompt=without_weights(request.negative_prompt).text,
            weights=weighted if any(weight != 1 for _, weight in weighted) else (),
        )
