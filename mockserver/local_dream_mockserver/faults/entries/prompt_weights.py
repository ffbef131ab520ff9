"""Faults of weights in prompts."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from local_dream_mockserver.faults.effects import requests, responses
from local_dream_mockserver.faults.effects.declare import several
from local_dream_mockserver.server.prompt_weights import without_weights

WEIGHTS = ("prompt_weights",)
GROUP = re.compile(r"\((.*):([0-9.]+)\)")


def weighted(values: dict[str, Any], least: float, most: float) -> dict[str, Any]:
    """The request with its weights brought into a range."""

    def ranged(group: re.Match[str]) -> str:
        return f"({group[1]}:{min(most, max(least, float(group[2])))})"

    return {**values, "prompt": GROUP.sub(ranged, values["prompt"])} if "prompt" in values else values


several(responses.document, "EXT-WGT-02", on=("/tokenize",), methods=("POST",), extensions=(*WEIGHTS, "tokenize"))(
    "weights-are-tokens: Brackets and weights are tokens to /tokenize, and none to the picture.",
    lambda count, asked: {**count, "count": count["count"] + len(re.findall(r"[()\[\]:]", asked["prompt"]))},
    "square-brackets-are-tokens: Square brackets are tokens to /tokenize, and none to the picture.",
    lambda count, asked: {**count, "count": count["count"] + len(re.findall(r"[\[\]]", asked["prompt"]))},
)
several(requests.values)(
    "weights-ignored (EXT-WGT-03): Weights are taken off prompts, and change nothing.",
    lambda values: {**values, "prompt": without_weights(str(values.get("prompt", ""))).text},
    "weights-only-lower (EXT-WGT-03): Weights beyond 1 are 1.",
    partial(weighted, least=0.0, most=1.0),
)
several(requests.values, extensions=(*WEIGHTS, "tokenize"))(
    "weight-one-is-more (EXT-WGT-04): Weights are at least 1.2.",
    partial(weighted, least=1.2, most=9.0),
)
