"""Extension prompt_weights: what is weighted, how it is counted, and that the picture follows."""

from __future__ import annotations

from typing import Any, ClassVar

import httpx
import pytest

from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine
from local_dream_mockserver.server.prompt_weights import parts_of, without_weights
from tests.mockserver.live_server import events_of, serving, small


class Unweighing(SyntheticEngine):
    """Reads brackets as words."""

    weighs_prompts: ClassVar[bool] = False


def image(client: httpx.Client, prompt: str, **fields: Any) -> str:
    return str(events_of(client.post("/generate", json=small(prompt, seed=1) | fields).text)[-1]["image"])


@pytest.mark.parametrize(
    ("prompt", "parts", "text"),
    [
        ("a red house", [("a red house", 1)], "a red house"),
        ("a (red:1.3) [house], b", [("a", 1), ("red", 1.3), ("house", 0.9), (", b", 1)], "a red house, b"),
        ("(a, b:0.5)", [("a, b", 0.5)], "a, b"),
        ("((x)) [[y]]", [("x", 1.21), ("y", 0.81)], "x y"),
        ("(a (b:2) c:0.5)", [("a", 0.5), ("b", 1), ("c", 0.5)], "a b c"),
        (r"a \(b\) \[c\] d\:e \\", [(r"a (b) [c] d:e " + "\\", 1)], r"a (b) [c] d:e " + "\\"),
        ("(a:b)", [("a:b", 1.1)], "a:b"),
        ("[a:0.2]", [("a:0.2", 0.9)], "a:0.2"),
        ("(a", [("a", 1.1)], "a"),
        ("a) b]", [("a", 1), ("b", 1)], "a b"),
        ("(a] b)", [("a", 1.1), ("b", 1)], "a b"),
        ("(: 1.5)", [], ""),
        ("", [], ""),
        ("(🎉:1.5)x", [("🎉", 1.5), ("x", 1)], "🎉x"),
    ],
)
def test_the_parts_of_a_prompt(prompt: str, parts: list[tuple[str, float]], text: str) -> None:
    found = parts_of(prompt)
    assert [part.text for part in found] == [word for word, _ in parts]
    assert [part.weight for part in found] == pytest.approx([weight for _, weight in parts])
    for part in found:
        assert [prompt[place] for place in part.places] == list(part.text)
    plain = without_weights(prompt)
    assert plain.text == text
    assert len(plain.places) == len(text) + 1


def test_the_picture_follows_the_weight() -> None:
    with serving(SyntheticEngine(Pacing(first=0, step=0))) as client:
        plain = image(client, "a red house")
        assert image(client, "a (red:1.0) house") == plain
        assert len({plain, image(client, "a (red:1.3) house"), image(client, "a (red:1.4) house")}) == 3
        assert image(client, "a (red) house") == image(client, "a (red:1.1) house") != plain
        assert image(client, "a red house", negative_prompt="(x:2)") != image(
            client, "a red house", negative_prompt="x"
        )


def test_tokens_are_counted_without_marks_and_offsets_are_those_of_what_was_sent() -> None:
    with serving(SyntheticEngine()) as client:

        def count(prompt: str) -> dict[str, int]:
            return dict(client.post("/tokenize", json={"prompt": prompt}).json())

        assert count("a (red:1.3) [house]") == count("a red house")
        long = "(🎉 cat:1.2) " * 50
        offset = count(long)["overflow_offset"]
        units = long.encode("utf-16-le")
        assert count(units[: offset * 2].decode("utf-16-le"))["count"] <= 77
        assert count(units[: (offset + 12) * 2].decode("utf-16-le"))["count"] > 77


def test_without_it_brackets_are_words() -> None:
    for engine, off in ((Unweighing(), ()), (SyntheticEngine(), ("prompt_weights",))):
        with serving(engine, without=frozenset(off)) as client:
            assert image(client, "a (red:1.0) house") != image(client, "a red house")
            assert client.post("/tokenize", json={"prompt": "(a)"}).json()["count"] == 5
