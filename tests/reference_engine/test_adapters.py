"""LoRA files and embeddings: which are offered, what they change, and what they leave as it is."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from local_dream_reference.adapter_files import find_adapters
from local_dream_reference.adapter_marks import marks_of, without_marks
from local_dream_reference.engine import Picture, ReferenceEngine, create
from local_dream_reference.errors import EngineFailure, UnusableModel
from tests.reference_engine.requests import Ask
from tests.reference_engine.tiny_model import save_single_file

pytest.importorskip("peft")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
PLAIN = {"device": "cpu", "dtype": "float32", "threads": "1"}
PLACE = "down_blocks_0_attentions_0_transformer_blocks_0_attn2"
GREY = np.full((64, 64, 3), 128, np.uint8)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def shared(width: int = 32, seed: int = 0) -> dict[str, torch.Tensor]:
    """A LoRA with the keys that people share, for the UNet's text attention and for the text encoder."""
    weights = {}
    places = {f"lora_unet_{PLACE}_to_k": (width, 32), "lora_te_text_model_encoder_layers_0_mlp_fc1": (32, 64)}
    for place, (inputs, outputs) in places.items():
        weights[f"{place}.lora_down.weight"] = noise(4, inputs, seed=seed)
        weights[f"{place}.lora_up.weight"] = noise(outputs, 4, seed=seed + 1)
        weights[f"{place}.alpha"] = torch.tensor(4.0)
    return weights


def of_diffusers() -> dict[str, torch.Tensor]:
    """One with the keys that diffusers writes."""
    place = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_v"
    return {f"{place}.lora_A.weight": noise(2, 32, seed=5), f"{place}.lora_B.weight": noise(32, 2, seed=6)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters")
    (folder / "styles").mkdir()
    save_file(shared(), folder / "ink v1.2.safetensors")
    save_file(of_diffusers(), folder / "styles" / "水彩.SafeTensors")
    save_file({"emb_params": noise(2, 32, seed=8)}, folder / "my-style.safetensors")
    save_file({"<thing>": noise(32, seed=9)}, folder / "thing.safetensors")
    # And what is not for this model, or for none.
    save_file(shared(width=768), folder / "of-sd1.safetensors")
    save_file({"emb_params": noise(1, 768)}, folder / "words-of-sd1.safetensors")
    save_file({"clip_l": noise(1, 32), "clip_g": noise(1, 48)}, folder / "words-of-sdxl.safetensors")
    save_file({"emb_params": noise(1, 32)}, folder / "a.safetensors")  # a token that the tokenizer has
    (folder / "old.pt").write_bytes(b"x")
    (folder / "cut.safetensors").write_bytes(b"x" * 40)
    save_single_file(folder / "whole.safetensors")
    (folder / "readme.txt").write_text("nothing")
    return folder


@pytest.fixture(scope="module")
def engine(tiny_folder: Path, folder: Path) -> ReferenceEngine:
    made = create({**PLAIN, "runtime": "torch", "model": str(tiny_folder), "adapters": str(folder)})
    assert isinstance(made, ReferenceEngine)
    return made


def picture(engine: Any, prompt: str, **fields: Any) -> np.ndarray:
    *_, last = engine.generate(Ask(prompt=prompt, **fields), lambda: False)
    assert isinstance(last, Picture)
    return last.rgb


@pytest.mark.parametrize(
    ("prompt", "marks", "text"),
    [
        ("a house", (), "a house"),
        ("a <lora:ink:0.8> house", (("ink", 0.8),), "a  house"),
        ("<lora:ink><lora:a b.c:-1>", (("ink", 1.0), ("a b.c", -1.0)), ""),
        ("<lora:ink:0.5> <lora:ink:.25>", (("ink", 0.25),), " "),
        ("<lora:ink:1:0.5>", (("ink", 1.0),), ""),
        ("a < b <lora:> <lora:ink:much>", (), "a < b <lora:> "),
    ],
)
def test_marks_are_read_and_taken_out(prompt: str, marks: tuple[Any, ...], text: str) -> None:
    if "much" in prompt:  # what stands where the weight would, and is none, is of no meaning
        marks = (("ink", 1.0),)
    assert marks_of(prompt) == marks
    assert without_marks(prompt) == text


def test_what_is_offered_and_why_the_rest_is_not(folder: Path) -> None:
    found = find_adapters(folder, 32)
    assert sorted(found.loras) == ["ink v1.2", "水彩"]
    assert sorted(found.embeddings) == ["a", "my-style", "thing"]
    assert found.refused == {
        "cut.safetensors": "it is not a .safetensors file, or not all of it is there",
        "of-sd1.safetensors": "it was made for models whose text is 768 wide, and this one's is 32",
        "old.pt": "only .safetensors files are loaded, since others can run code",
        "whole.safetensors": "it holds Stable Diffusion 1.x or 2.x",
        "words-of-sd1.safetensors": "it was made for models whose text is 768 wide, and this one's is 32",
        "words-of-sdxl.safetensors": "it holds neither a LoRA nor an embedding for this kind of model",
    }


@pytest.mark.parametrize("fields", [{}, {"image": GREY}, {"image": GREY, "mask": GREY[..., 0]}])
def test_a_lora_counts_where_it_is_asked_for_and_nowhere_else(
    fields: dict[str, Any], engine: ReferenceEngine, tiny_folder: Path
) -> None:
    bare = create({**PLAIN, "runtime": "torch", "model": str(tiny_folder)})
    plain = picture(bare, "a red house", **fields)
    assert np.array_equal(picture(engine, "a red house", **fields), plain)
    first = picture(engine, "a red house<lora:ink v1.2:0.8>", **fields)
    other = picture(engine, "a red house<lora:水彩>", **fields)
    both = picture(engine, "a red house<lora:ink v1.2:0.8><lora:水彩>", **fields)
    different = [plain, first, other, both, picture(engine, "a red house<lora:ink v1.2:0.4>", **fields)]
    assert len({each.tobytes() for each in different}) == len(different)
    assert np.array_equal(picture(engine, "a red house", **fields), plain)
    assert np.array_equal(picture(engine, "a red house<lora:ink v1.2:0.8>", **fields), first)
    assert np.array_equal(picture(engine, "a red house<lora:ink v1.2:0>", **fields), plain)


def test_same_bytes_in_an_engine_that_has_drawn_nothing_else(
    engine: ReferenceEngine, tiny_folder: Path, folder: Path
) -> None:
    fresh = create({**PLAIN, "runtime": "torch", "model": str(tiny_folder), "adapters": str(folder)})
    prompt = "a my-style house<lora:水彩:0.7><lora:ink v1.2>"
    picture(engine, "a house<lora:ink v1.2:3>")
    assert np.array_equal(picture(fresh, prompt), picture(engine, prompt))


def test_a_lora_in_bfloat16(tiny_folder: Path, folder: Path) -> None:
    options = {**PLAIN, "dtype": "bfloat16", "runtime": "torch", "model": str(tiny_folder)}
    engine = create({**options, "adapters": str(folder)})
    plain = picture(engine, "a house")
    assert np.array_equal(plain, picture(create(options), "a house"))
    assert not np.array_equal(picture(engine, "a house<lora:ink v1.2>"), plain)
    assert np.array_equal(picture(engine, "a house"), plain)


def test_a_name_that_is_not_there_is_one_line_without_it(
    engine: ReferenceEngine, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        made = picture(engine, "a house<lora:secret:1>")
    assert [record.message for record in caplog.records] == [
        "a prompt asks for a LoRA that is not among the adapters; there are: ink v1.2, 水彩"
    ]
    assert np.array_equal(made, picture(engine, "a house"))


def test_embeddings_are_words(engine: ReferenceEngine, tiny_folder: Path) -> None:
    bare = create({**PLAIN, "runtime": "torch", "model": str(tiny_folder)})
    for word in ("my-style", "thing"):
        prompt = f"a red house, {word}"
        assert not np.array_equal(picture(engine, prompt), picture(bare, prompt))
        weighted = {"weights": (("a red house, ", 1.0), (word, 1.4))}
        assert not np.array_equal(picture(engine, prompt, **weighted), picture(bare, prompt, **weighted))
    assert np.array_equal(picture(engine, "a red hut"), picture(bare, "a red hut"))


def test_a_weighted_prompt_keeps_its_marks_out_of_the_text(engine: ReferenceEngine) -> None:
    marked = picture(engine, "a house<lora:ink v1.2>", weights=(("a ", 1.0), ("house<lora:ink v1.2>", 1.3)))
    plain = picture(engine, "<lora:ink v1.2>", weights=(("a ", 1.0), ("house", 1.3)))
    assert np.array_equal(marked, plain)


@pytest.mark.parametrize("bad", ["shape", "nan"])
def test_a_lora_that_does_not_fit_fails_alone(bad: str, tiny_folder: Path, tmp_path: Path) -> None:
    save_file(shared(), tmp_path / "good.safetensors")
    wrong = shared(seed=3)
    if bad == "shape":
        wrong["lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight"] = noise(4, 31)
    else:
        wrong[f"lora_unet_{PLACE}_to_k.lora_up.weight"][0, 0] = torch.nan
    save_file(wrong, tmp_path / "wrong.safetensors")
    engine = create({**PLAIN, "runtime": "torch", "model": str(tiny_folder), "adapters": str(tmp_path)})
    plain, good = picture(engine, "a house"), picture(engine, "a house<lora:good>")
    for _ in range(2):
        with pytest.raises(EngineFailure, match="the LoRA 'wrong' does not fit this model"):
            picture(engine, "a house<lora:wrong>")
        assert np.array_equal(picture(engine, "a house"), plain)
        assert np.array_equal(picture(engine, "a house<lora:good>"), good)


def test_openvino_gives_way(tiny_folder: Path, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("openvino")
    options = {**PLAIN, "model": str(tiny_folder), "adapters": str(folder)}
    with caplog.at_level(logging.WARNING):
        assert "openvino" not in create({**options, "runtime": "auto"}).describe().device
    assert "PyTorch runs the model: OpenVINO takes no LoRA files" in [record.message for record in caplog.records]
    with pytest.raises(UnusableModel, match="runtime 'openvino' takes no LoRA files"):
        create({**options, "runtime": "openvino"})


def test_embeddings_alone_leave_openvino_at_work(tiny_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    save_file({"emb_params": noise(2, 32, seed=8)}, tmp_path / "my-style.safetensors")
    options = {**PLAIN, "model": str(tiny_folder), "runtime": "openvino"}
    engine, bare = create({**options, "adapters": str(tmp_path)}), create(options)
    assert not np.array_equal(picture(engine, "a my-style house"), picture(bare, "a my-style house"))
    assert np.array_equal(picture(engine, "a red house"), picture(bare, "a red house"))


def test_a_missing_folder_is_one_line(tiny_folder: Path) -> None:
    with pytest.raises(UnusableModel, match=r"adapters: .*nowhere is not a folder"):
        create({**PLAIN, "model": str(tiny_folder), "adapters": "/nowhere"})
