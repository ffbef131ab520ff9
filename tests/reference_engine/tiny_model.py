"""A tiny Stable Diffusion 1.x style model with random weights, as a diffusers folder and as one file in the layout
that people share.

It has what the shipped model has not: a KL autoencoder, an epsilon schedule, a PNDM scheduler in its folder.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

_START, _END = "<|startoftext|>", "<|endoftext|>"


def tiny_pipeline(*, unet_channels: int = 4, seed: int = 0, time_cond: int | None = None) -> Any:
    """Build the pipeline; ``unet_channels`` 9 makes an inpainting model of it, ``time_cond`` one that is told its
    guidance.
    """
    torch.manual_seed(seed)
    letters = [*"abcdefghijklmnopqrstuvwxyz,.0123456789"]
    vocab = {token: n for n, token in enumerate([*letters, *(a + "</w>" for a in letters), _START, _END])}
    tokenizer = CLIPTokenizer(vocab=vocab, merges=[], model_max_length=77)
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(vocab),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=1,
            num_attention_heads=2,
            bos_token_id=vocab[_START],
            eos_token_id=vocab[_END],
            pad_token_id=vocab[_END],
        )
    )
    unet = UNet2DConditionModel(
        sample_size=16,
        in_channels=unet_channels,
        out_channels=4,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32,
        time_cond_proj_dim=time_cond,
        attention_head_dim=4,
    )
    vae = AutoencoderKL(
        block_out_channels=(8, 8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        norm_num_groups=4,
        sample_size=128,
    )
    scheduler = PNDMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1
    )
    return StableDiffusionPipeline(
        vae=vae,
        text_encoder=text,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def save_folder(folder: Path, *, unet_channels: int = 4) -> Path:
    """Save as a diffusers folder."""
    tiny_pipeline(unet_channels=unet_channels).save_pretrained(folder)
    return folder


def save_single_file(path: Path) -> Path:
    """Save the same weights as one ``.safetensors`` file with the keys of the original Stable Diffusion code."""
    pipeline = tiny_pipeline()
    tensors = {f"model.diffusion_model.{_unet_key(key)}": value for key, value in pipeline.unet.state_dict().items()}
    for key, value in pipeline.vae.state_dict().items():
        # The original code has 1x1 convolutions where diffusers has linear layers.
        attention = re.search(r"mid_block\.attentions\.0\.(to_|out)", key) and value.ndim == 2
        tensors[f"first_stage_model.{_vae_key(key)}"] = value[:, :, None, None] if attention else value
    for key, value in pipeline.text_encoder.state_dict().items():
        tensors[f"cond_stage_model.transformer.text_model.{key.removeprefix('text_model.')}"] = value
    save_file({key: value.contiguous() for key, value in tensors.items()}, path)
    return path


def save_configs(folder: Path, source: Path) -> Path:
    """Copy the configurations and the tokenizer of a diffusers folder, without any weights."""
    for path in source.rglob("*"):
        if path.is_file() and path.suffix != ".safetensors":
            target = folder / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return folder


_UNET = [
    (r"^conv_in", "input_blocks.0.0"),
    (r"^time_embedding\.linear_1", "time_embed.0"),
    (r"^time_embedding\.linear_2", "time_embed.2"),
    (r"^conv_norm_out", "out.0"),
    (r"^conv_out", "out.2"),
    (r"^down_blocks\.0\.resnets\.0", "input_blocks.1.0"),
    (r"^down_blocks\.0\.attentions\.0", "input_blocks.1.1"),
    (r"^down_blocks\.0\.downsamplers\.0\.conv", "input_blocks.2.0.op"),
    (r"^down_blocks\.1\.resnets\.0", "input_blocks.3.0"),
    (r"^mid_block\.resnets\.0", "middle_block.0"),
    (r"^mid_block\.attentions\.0", "middle_block.1"),
    (r"^mid_block\.resnets\.1", "middle_block.2"),
    (r"^up_blocks\.0\.resnets\.(\d)", r"output_blocks.\1.0"),
    (r"^up_blocks\.0\.upsamplers\.0\.conv", "output_blocks.1.1.conv"),
    (r"^up_blocks\.1\.resnets\.0", "output_blocks.2.0"),
    (r"^up_blocks\.1\.attentions\.0", "output_blocks.2.1"),
    (r"^up_blocks\.1\.resnets\.1", "output_blocks.3.0"),
    (r"^up_blocks\.1\.attentions\.1", "output_blocks.3.1"),
]
_UNET_RESNET = {
    ".norm1.": ".in_layers.0.",
    ".conv1.": ".in_layers.2.",
    ".time_emb_proj.": ".emb_layers.1.",
    ".norm2.": ".out_layers.0.",
    ".conv2.": ".out_layers.3.",
    ".conv_shortcut.": ".skip_connection.",
}
_VAE = [
    (r"coder\.mid_block\.resnets\.0", "coder.mid.block_1"),
    (r"coder\.mid_block\.resnets\.1", "coder.mid.block_2"),
    (r"coder\.mid_block\.attentions\.0\.group_norm", "coder.mid.attn_1.norm"),
    (r"coder\.mid_block\.attentions\.0\.to_([qkv])", r"coder.mid.attn_1.\1"),
    (r"coder\.mid_block\.attentions\.0\.to_out\.0", "coder.mid.attn_1.proj_out"),
    (r"encoder\.down_blocks\.(\d)\.resnets", r"encoder.down.\1.block"),
    (r"encoder\.down_blocks\.(\d)\.downsamplers\.0", r"encoder.down.\1.downsample"),
    (r"conv_norm_out", "norm_out"),
    (r"conv_shortcut", "nin_shortcut"),
]


def _unet_key(key: str) -> str:
    in_resnet = ".resnets." in key
    for pattern, replacement in _UNET:
        key = re.sub(pattern, replacement, key)
    for part, original in _UNET_RESNET.items() if in_resnet else ():
        key = key.replace(part, original)
    return key


def _vae_key(key: str) -> str:
    for pattern, replacement in _VAE:
        key = re.sub(pattern, replacement, key)
    # The original code counts the decoder's levels from the finest.
    key = re.sub(r"up_blocks\.(\d)\.resnets", lambda match: f"up.{3 - int(match[1])}.block", key)
    return re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda match: f"up.{3 - int(match[1])}.upsample", key)


def break_json(path: Path) -> None:
    """Cut a JSON file in the middle."""
    text = json.dumps(json.loads(path.read_text()))
    path.write_text(text[: len(text) // 2])
