"""Prompts of which some parts weigh more than others: their conditioning, by compel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import torch
from compel.diffusers_textual_inversion_manager import DiffusersTextualInversionManager
from compel.embeddings_provider import EmbeddingsProvider

Parts: TypeAlias = Sequence[tuple[str, float]]
"""The parts of a prompt without marks, each with its weight; 1 is what a part weighs anyway."""


MOST: Final = 8
"""Windows of the text encoder that a prompt may fill where it is read in chunks."""


class Weighting:
    """What the text encoder of a pipeline of diffusers makes of weighted prompts, and of long ones.

    A part beyond 1 is led further away from the empty prompt, one below 1 nearer to the prompt without it. Where all
    weigh 1 the conditioning is that of the pipeline itself. With ``chunked`` a prompt that does not fit into the text
    encoder's window is read in several, at most :data:`MOST`; else it is cut.
    """

    def __init__(self, pipeline: Any, *, chunked: bool = False) -> None:
        self._tokenizer = pipeline.tokenizer
        self._device = pipeline.text_encoder.device
        self._most = MOST if chunked else 1
        self._encoder = EmbeddingsProvider(
            pipeline.tokenizer,
            pipeline.text_encoder,
            textual_inversion_manager=DiffusersTextualInversionManager(pipeline),
            truncate=not chunked,
        )

    def both(self, prompt: Parts, negative: Parts) -> tuple[torch.Tensor, torch.Tensor]:
        """Both prompts in one length, (1, tokens, width), in the text encoder's type."""
        first, second = self._embedded(prompt), self._embedded(negative)
        longest = max(first.shape[1], second.shape[1])
        return self._filled(first, longest), self._filled(second, longest)

    def _embedded(self, parts: Parts) -> torch.Tensor:
        window = self._tokenizer.model_max_length
        seen = parts[: window * self._most]  # each takes one token or more
        texts, weights = [text for text, _ in seen], [weight for _, weight in seen]
        found: torch.Tensor = self._encoder.get_embeddings_for_weighted_prompt_fragments(
            [texts], [weights], device=self._device
        )
        return found[:, : window * self._most]

    def _filled(self, conditioning: torch.Tensor, tokens: int) -> torch.Tensor:
        """The empty prompt fills what the other one has more of windows."""
        while conditioning.shape[1] < tokens:
            conditioning = torch.cat([conditioning, self._embedded([("", 1.0)])], 1)
        return conditioning
