"""Single files: what their head tells, and the shapes and words that they do not bring along."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from local_dream_reference import published_shapes
from local_dream_reference.errors import UnusableModel
from local_dream_reference.shipped import SHAPES
from local_dream_reference.single_file import ATTENTION, LATENTS, kind_of
from local_dream_reference.source import find_source
from tests.reference_engine.tiny_model import save_single_file

PUBLISHED = {"v1": (859_520_964, 83_653_863, 123_060_480), "v2": (865_910_724, 83_653_863, 340_387_840)}
"""Parameters of UNet, VAE and text encoder, as the models' pages give them."""


def headed(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Path:
    """A file with these tensors in its head, and no bytes in any of them."""
    head = json.dumps(
        {name: {"dtype": "F16", "shape": shape, "data_offsets": [0, 0]} for name, shape in shapes.items()}
    ).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head)
    return path


def unet(width: int, channels: int) -> dict[str, tuple[int, ...]]:
    return {ATTENTION: (320, width), LATENTS: (320, channels, 3, 3)}


@pytest.mark.parametrize(
    ("shapes", "kind"),
    [
        (unet(768, 4), "Stable Diffusion 1.x"),
        (unet(1024, 4), "Stable Diffusion 2.x"),
        (unet(768, 9), "Stable Diffusion 1.x, inpainting"),
        (unet(2048, 4) | {"conditioner.embedders.1.model.ln_final.weight": (1280,)}, "Stable Diffusion XL"),
        ({"model.diffusion_model.joint_blocks.0.context_block.attn.qkv.weight": (1, 1)}, "Stable Diffusion 3"),
        ({"double_blocks.0.img_attn.qkv.weight": (1, 1)}, "FLUX"),
        ({"lora_unet_down_blocks_0.lora_up.weight": (4, 4)}, "LoRA"),
        ({"unet.down_blocks.0.attn.to_k.lora_A.weight": (4, 4)}, "LoRA"),
        ({"first_stage_model.decoder.conv_in.weight": (4, 4)}, "VAE"),
        ({"emb_params": (2, 768)}, "textual inversion"),
        ({"something": (1,)}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_the_kind_is_told_from_the_head(shapes: Mapping[str, tuple[int, ...]], kind: str, tmp_path: Path) -> None:
    path = headed(tmp_path / "model.safetensors", shapes)
    assert kind_of(path) == kind
    if not kind.startswith(("Stable Diffusion 1", "Stable Diffusion 2")):
        with pytest.raises(UnusableModel, match=r"holds .*: only Stable Diffusion 1\.x/2\.x"):
            find_source(str(path))


@pytest.mark.parametrize("length", [0, 7, 8, 500, -1])
def test_a_file_that_is_cut_short_is_told_so(length: int, tmp_path: Path) -> None:
    path = save_single_file(tmp_path / "model.safetensors")
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(UnusableModel, match="not all of it is there"):
        find_source(str(path))


@pytest.mark.parametrize(
    "head",
    [
        "[" * 100_000,
        "[]",
        '{"a":[]}',
        '{"a":{"dtype":"F16","shape":[1]}}',
        '{"a":{"dtype":"F16","shape":"1","data_offsets":[0,0]}}',
        '{"a":{"dtype":"F16","shape":["1","2"],"data_offsets":[0,0]}}',
        '{"a":{"dtype":"F16","shape":[1],"data_offsets":[0]}}',
        '{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,"0"]}}',
    ],
)
def test_a_head_of_another_form_is_no_safetensors(head: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(head)) + head.encode())
    with pytest.raises(UnusableModel, match=r"not a \.safetensors file"):
        find_source(str(path))


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_shapes_are_those_of_the_published_models(name: str) -> None:
    folder = SHAPES / name
    with torch.device("meta"):  # no memory is taken
        networks = (
            UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(folder / "unet")),
            AutoencoderKL.from_config(AutoencoderKL.load_config(folder / "vae")),
            CLIPTextModel(CLIPTextConfig.from_pretrained(folder / "text_encoder")),
        )
    counts = tuple(sum(each.numel() for each in network.parameters()) for network in networks)
    assert counts == PUBLISHED[name]


def test_the_tokenizer_is_clips() -> None:
    made = published_shapes.tokenizer("v1")
    assert made("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert len(made) == 49408
    assert made.decode(made("그림 ümlaut 42").input_ids[1:-1]).split() == ["그림", "ümlaut", "4", "2"]


@pytest.mark.parametrize(("name", "filled"), [("v1", 49407), ("v2", 0), ("v2-base", 0)])
def test_each_edition_fills_prompts_as_it_was_trained(name: str, filled: int) -> None:
    made = published_shapes.tokenizer(name)
    ids = made("cat", padding="max_length").input_ids
    assert len(ids) == 77
    assert set(ids[3:]) == {filled}


def test_inpainting_files_take_nine_channels() -> None:
    with published_shapes.shapes("v1", inpainting=True) as folder:
        assert UNet2DConditionModel.load_config(folder / "unet")["in_channels"] == 9
    assert not folder.exists()
