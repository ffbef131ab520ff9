"""The denoiser: v-prediction on latents, small pictures first, the native size last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from diffusers import AutoencoderTiny, DDPMScheduler, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer

from local_dream_reference.training.drawings import Drawing, Drawings, generator, stream
from local_dream_reference.training.ema import Average
from local_dream_reference.training.networks import adopt, as_pixels, build_noise_schedule, build_unet
from local_dream_reference.training.recipe import Resolution
from local_dream_reference.training.run import Loop, Run, adam, load_state, set_rate
from local_dream_reference.training.samples import check_samples
from local_dream_reference.training.text import load_text, tokenize
from local_dream_reference.training.vae import load_vae, require_gate
from local_dream_reference.training.window import Window, choose

_CHECK_EVERY = 1200  # steps
_SPARE_PADDING = 8  # text states kept after the longest caption: they repeat what the whole caption says


@dataclass(frozen=True, slots=True)
class Example:
    """A drawing made ready: latents (4, h, w), text states (77, width), both bf16; loss weights (h, w) of mean 1; and
    how many of the states belong to the caption, the rest being padding.
    """

    latents: torch.Tensor
    states: torch.Tensor
    weights: torch.Tensor
    tokens: int


class _Preparation:
    """Turns drawings into examples with the frozen autoencoder and text encoder."""

    def __init__(self, run: Run, vae: AutoencoderTiny, tokenizer: CLIPTokenizer, text: CLIPTextModel) -> None:
        self._run, self._vae, self._tokenizer, self._text = run, vae, tokenizer, text
        states, _ = self._encode([""])
        self.unconditional = states[0]

    @torch.no_grad()
    def _encode(self, texts: list[str]) -> tuple[torch.Tensor, list[int]]:
        ids = tokenize(self._tokenizer, texts, self._run.device)
        with self._run.autocast():
            states: torch.Tensor = self._text(input_ids=ids).last_hidden_state
        ends: list[int] = (ids == self._tokenizer.eos_token_id).int().argmax(dim=1).tolist()
        return states.to(torch.bfloat16), [end + 1 for end in ends]

    @torch.no_grad()
    def __call__(self, drawings: list[Drawing]) -> list[Example]:
        pictures = as_pixels(torch.from_numpy(np.stack([d.picture for d in drawings])).to(self._run.device))
        with self._run.autocast():
            latents = self._vae.encoder(pictures.contiguous(memory_format=torch.channels_last)).to(torch.bfloat16)
        states, tokens = self._encode([d.caption.text for d in drawings])
        weights = torch.from_numpy(np.stack([d.weights for d in drawings])).to(self._run.device)
        weights = weights / weights.mean(dim=(1, 2), keepdim=True)
        return [Example(*parts) for parts in zip(latents, states, weights, tokens, strict=True)]


def _windows(run: Run, stage: Resolution, prepare: _Preparation) -> dict[tuple[int, int], Window[Drawing, Example]]:
    """One window per size: a batch has to be of one shape."""
    windows = {}
    for width, height in dict.fromkeys(stage.sizes):
        name = f"{stage.name} {width}x{height}"
        drawings = Drawings(
            name,
            (width, height),
            seed=run.seed,
            box_weight=run.recipe.box_weight,
            pairs=stage.pairs,
            calm=stage.calm,
        )
        fresh = max(1, batch_size(stage, (width, height)) // stage.reuse)
        windows[width, height] = Window(
            lambda start, drawings=drawings: stream(drawings, start, run.workers),  # type: ignore[misc]
            prepare,
            stage.window,
            fresh,
        )
    return windows


def batch_size(stage: Resolution, size: tuple[int, int]) -> int:
    """Return how many pictures of ``size`` make a step: about the same number of pixels at every size of the stage."""
    (width, height), (first_width, first_height) = size, stage.sizes[0]
    return max(1, round(stage.fit.batch * first_width * first_height / (width * height)))


def turn(stage: Resolution, step: int) -> tuple[tuple[int, int], int]:
    """Return the size of a step and how many steps of that size came before it."""
    cycle = len(stage.sizes)
    size = stage.sizes[step % cycle]
    return size, (step // cycle) * stage.sizes.count(size) + stage.sizes[: step % cycle].count(size)


def train_unet(run: Run, stage: Resolution, before: Resolution | None) -> bool:
    """Train one resolution, from the averaged weights of the stage before; return whether it is finished."""
    require_gate(run)
    fit = stage.fit
    vae = load_vae(run, refined=False)
    tokenizer, text = load_text(run, "words" if stage.calm else "text")
    prepare = _Preparation(run, vae, tokenizer, text)
    torch.manual_seed(run.seed + 3)
    unet = build_unet(run.recipe.networks, stage.crossed)
    if before is not None and load_state(run, stage.name) is None:
        adopt(unet, _averaged(run, before.name))
    unet = unet.to(run.device, memory_format=torch.channels_last)
    optimizer = adam(unet.parameters(), decay=0.01)
    average = Average(unet, run.recipe.ema)
    loop = Loop(run, stage.name, fit, {"unet": unet, "optimizer": optimizer, "average": average})
    schedule = build_noise_schedule()
    levels = schedule.alphas_cumprod.to(run.device)
    windows = _windows(run, stage, prepare)
    for step in loop:
        set_rate(optimizer, loop.rate())
        size, number = turn(stage, step)
        rng = generator(run.seed, f"{stage.name} batch", step)
        batch = choose(windows[size].at(number), batch_size(stage, size), rng)
        whole = rng.random() < stage.whole_texts
        loss = _denoising_loss(run, unet, batch, prepare.unconditional, schedule, levels, rng, whole_texts=whole)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        norm = nn.utils.clip_grad_norm_(unet.parameters(), 1.0)
        optimizer.step()
        average.update(unet)
        if step % 20 == 0:
            loop.note(loss=loss.item(), norm=float(norm), pixels=size[0] * size[1])
        if (step + 1) % _CHECK_EVERY == 0:
            shown = build_unet(run.recipe.networks, stage.crossed).to(run.device).eval()
            average.copy_to(shown)
            loop.note(
                **{f"check_{k}": v for k, v in check_samples(run, stage, load_vae(run), tokenizer, text, shown).items()}
            )
    return loop.finished


def _denoising_loss(
    run: Run,
    unet: UNet2DConditionModel,
    batch: list[Example],
    unconditional: torch.Tensor,
    schedule: DDPMScheduler,
    levels: torch.Tensor,
    rng: np.random.Generator,
    *,
    whole_texts: bool,
) -> torch.Tensor:
    """Weighted mean square error of the predicted velocity."""
    count = len(batch)
    latents = torch.stack([example.latents for example in batch]).float()
    length = len(unconditional) if whole_texts else max(example.tokens for example in batch) + _SPARE_PADDING
    states = torch.stack([example.states[:length] for example in batch]).float()
    weights = torch.stack([example.weights for example in batch]).unsqueeze(1)
    dropped = torch.from_numpy(rng.random(count) < run.recipe.prompt_dropout).to(run.device)
    states = torch.where(dropped[:, None, None], unconditional[:length].float(), states)
    # One time in each of `count` equal slices: far less noise in the loss than independent times.
    slices = ((rng.permutation(count) + rng.random(count)) / count) ** run.recipe.noisy
    times = torch.from_numpy((slices * schedule.config.num_train_timesteps).astype(np.int64)).to(run.device)
    noise = torch.from_numpy(rng.standard_normal(tuple(latents.shape), dtype=np.float32)).to(run.device)
    signal = levels[times].sqrt()[:, None, None, None]
    spread = (1.0 - levels[times]).sqrt()[:, None, None, None]
    noisy = (signal * latents + spread * noise).contiguous(memory_format=torch.channels_last)
    velocity = signal * noise - spread * latents
    with run.autocast():
        guess = unet(noisy, times, encoder_hidden_states=states).sample
    loss: torch.Tensor = (weights * (guess.float() - velocity).square()).mean()
    return loss


def _averaged(run: Run, stage: str) -> dict[str, torch.Tensor]:
    state = load_state(run, stage)
    if state is None:
        raise FileNotFoundError(f"the {stage} stage has not run yet in this --work folder: run it first")
    average: dict[str, torch.Tensor] = state["average"]["average"]
    return average


def load_unet(run: Run) -> tuple[UNet2DConditionModel, str]:
    """Load the averaged denoiser of the furthest stage that has run, frozen, and the stage's name."""
    for stage in reversed(run.recipe.unet):
        if (run.work / stage.name / "state.pt").exists():
            unet = build_unet(run.recipe.networks, stage.crossed)
            unet.load_state_dict(_averaged(run, stage.name))
            return unet.to(run.device).eval().requires_grad_(False), stage.name
    raise FileNotFoundError("no unet stage has run yet in this --work folder: run it first")
