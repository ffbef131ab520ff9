"""Builds the three networks of the pipeline from a :class:`~local_dream_reference.training.recipe.Networks`."""

from __future__ import annotations

import torch
from diffusers import AutoencoderTiny, DDPMScheduler, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from local_dream_reference.training.recipe import Networks

LATENT_CHANNELS = 4


def build_vae(networks: Networks) -> AutoencoderTiny:
    """Build the autoencoder: RGB in -1..1 (n, 3, h, w) to latents (n, 4, h/8, w/8) of about unit deviation, and
    back.
    """
    widths = (networks.vae_width,) * 4
    vae = AutoencoderTiny(
        encoder_block_out_channels=widths,
        decoder_block_out_channels=widths,
        num_encoder_blocks=networks.vae_encoder_blocks,
        num_decoder_blocks=networks.vae_decoder_blocks,
        latent_channels=LATENT_CHANNELS,
        scaling_factor=1.0,
    )
    # There is no normalisation inside. With torch's default the signal fades from layer to layer, and learning starts
    # late; kept at its strength, with branches that begin at zero, it starts at once.
    for module in vae.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in vae.modules():
        if type(module).__name__ == "AutoencoderTinyBlock":
            nn.init.zeros_(module.conv[-1].weight)
    nn.init.kaiming_normal_(vae.encoder.layers[-1].weight, nonlinearity="linear")
    nn.init.normal_(vae.decoder.layers[-1].weight, std=0.02)
    nn.init.constant_(vae.decoder.layers[-1].bias, 0.5)  # mid grey
    return vae


def build_text_encoder(networks: Networks, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """Build the text encoder: token ids (n, 77) to states (n, 77, width)."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=networks.text_width,
            intermediate_size=networks.text_width * 4,
            projection_dim=networks.text_width,
            num_hidden_layers=networks.text_layers,
            num_attention_heads=networks.text_heads,
            max_position_embeddings=networks.text_length,
            hidden_act="quick_gelu",
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def build_unet(networks: Networks, crossed: int) -> UNet2DConditionModel:
    """Build the denoiser: UNet2DConditionModel with text in two ways, by attention at the ``crossed`` deepest levels
    and, pooled into the time embedding, as scale and shift of every residual block. The second is what a small network
    learns colours and kinds from within minutes. Every residual branch starts at zero, which halves the time to the
    first recognisable picture.
    """
    widths = networks.unet_widths
    plain = len(widths) - crossed
    unet = UNet2DConditionModel(
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=("DownBlock2D",) * plain + ("CrossAttnDownBlock2D",) * crossed,
        mid_block_type="UNetMidBlock2DCrossAttn",
        up_block_types=("CrossAttnUpBlock2D",) * crossed + ("UpBlock2D",) * plain,
        block_out_channels=widths,
        layers_per_block=1,
        cross_attention_dim=networks.text_width,
        attention_head_dim=networks.unet_heads,
        norm_num_groups=networks.unet_groups,
        time_embedding_dim=networks.unet_time_width,
        resnet_time_scale_shift="scale_shift",
        addition_embed_type="text",
        addition_embed_type_num_heads=networks.text_heads,
    )
    nn.init.zeros_(unet.conv_out.weight)
    nn.init.zeros_(unet.conv_out.bias)
    for module in unet.modules():
        name = type(module).__name__
        if name == "ResnetBlock2D":
            nn.init.zeros_(module.conv2.weight)
        elif name == "BasicTransformerBlock":
            for branch in (module.attn1.to_out[0], module.attn2.to_out[0], module.ff.net[2]):
                nn.init.zeros_(branch.weight)
    return unet


def adopt(unet: UNet2DConditionModel, weights: dict[str, torch.Tensor]) -> None:
    """Load the weights of a denoiser that has attention at as many levels or fewer; what it lacks begins without
    effect.
    """
    added, unknown = unet.load_state_dict(weights, strict=False)
    if unknown or any(".attentions." not in name for name in added):
        raise ValueError(f"not the weights of such a denoiser: unknown {unknown[:3]}, missing {added[:3]}")
    parameters = dict(unet.named_parameters())
    for name in added:
        if ".proj_out." in name:
            nn.init.zeros_(parameters[name])


def build_noise_schedule() -> DDPMScheduler:
    """Build the schedule that training and sampling share: v-prediction with zero terminal SNR."""
    return DDPMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        steps_offset=1,  # without meaning for this spacing, but diffusers warns of anything else
        clip_sample=False,
    )


def as_pixels(pictures: torch.Tensor) -> torch.Tensor:
    """Turn uint8 pictures (n, h, w, 3) into floats (n, 3, h, w) in -1..1."""
    return pictures.permute(0, 3, 1, 2).to(torch.float32).div_(127.5).sub_(1.0)
