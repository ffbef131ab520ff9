"""Extension prompt_weights: parts of a prompt that count for more, or for less."""

from __future__ import annotations

from dataclasses import replace

from local_dream_mockserver.server.config import ServerSettings
from local_dream_mockserver.server.engine import Engine, GenerationRequest, WeighsPrompts
from local_dream_mockserver.server.extensions.extension import Extension, Fields
from local_dream_mockserver.server.prompt_weights import MARKS, parts_of, without_weights

NAME = "prompt_weights"


def weighs(engine: Engine, settings: ServerSettings) -> bool:
    """Whether a server of this engine reads weights."""
    return isinstance(engine, WeighsPrompts) and engine.weighs_prompts and NAME not in settings.without


class PromptWeights(Extension):
    """The engine gets prompts without marks, and the weights of their parts; not for an engine that does not weigh."""

    name = NAME

    def completed(self, request: GenerationRequest, fields: Fields) -> GenerationRequest:
        marked = not (MARKS.isdisjoint(request.prompt) and MARKS.isdisjoint(request.negative_prompt))
        if not marked or not weighs(self.engine, self.settings):
            return request
        return replace(
            request,
            prompt=without_weights(request.prompt).text or request.prompt,
            negative_prompt=without_weights(request.negative_prompt).text,
            weights=_weighted(request.prompt),
            negative_weights=_weighted(request.negative_prompt),
        )


def _weighted(prompt: str) -> tuple[tuple[str, float], ...]:
    """The parts of a prompt with their weights; () where all weigh the same as without marks."""
    parts = tuple((part.text, part.weight) for part in parts_of(prompt))
    return parts if any(weight != 1 for _, weight in parts) else ()
