from __future__ import annotations

import pytest

from local_dream_conformance.core.fields import added_schedulers, documented, of_extensions


def test_a_field_says_what_its_schema_says() -> None:
    steps, prompt, image = (documented()[name] for name in ("steps", "prompt", "image"))
    assert (steps.type, steps.nullable, steps.default, steps.is_picture) == ("integer", True, 20, False)
    assert (prompt.type, prompt.nullable, prompt.default) == ("string", False, None)
    assert (image.type, image.is_picture) == ("string", True)
    assert of_extensions()["size"].extension == "size"


def test_the_core_has_no_values_of_extensions() -> None:
    assert documented()["scheduler"].schema["enum"] == ["dpm", "euler_a", None]
    assert "lcm" in added_schedulers()


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("steps", 2, True),
        ("steps", 2.0, True),
        ("steps", 2.5, False),
        ("steps", True, False),
        ("steps", None, True),
        ("prompt", None, False),
        ("cfg", 7, True),
    ],
)
def test_types(name: str, value: object, right: bool) -> None:
    assert documented()[name].has_type(value) is right


@pytest.mark.parametrize(
    ("name", "value", "ids"),
    [
        ("steps", 1, set()),
        ("steps", 0, {"GEN-RNG-02"}),
        ("steps", -1, {"GEN-RNG-02"}),
        ("width", 0, {"GEN-RNG-03"}),
        ("width", 4, {"GEN-RNG-03", "GEN-RNG-04"}),
        ("height", 129, {"GEN-RNG-04"}),
        ("denoise_strength", 1.1, {"GEN-RNG-05"}),
        ("seed", -1, {"GEN-RNG-07"}),
        ("seed", -2, {"GEN-RNG-06"}),
        ("seed", 2**32, {"GEN-RNG-06"}),
        ("seed", 2**32 - 1, set()),
        ("scheduler", "lcm", {"GEN-RNG-09"}),
        ("scheduler", "dpm", set()),
        ("show_diffusion_stride", 0, set()),
    ],
)
def test_values_out_of_range(name: str, value: object, ids: set[str]) -> None:
    assert documented()[name].ids_broken_by(value) == ids
