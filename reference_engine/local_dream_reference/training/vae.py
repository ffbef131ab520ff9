"""The autoencoder: trained on crops, judged by what the judge still sees in its reconstructions."""

from __future__ import annotations

import json

import numpy as np
import torch
from diffusers import AutoencoderTiny
from PIL import Image
from torch import nn

from local_dream_reference.training.attribute_classifier import compare, load_judge, look, shares
from local_dream_reference.training.drawings import Crops, Drawings, generator, stream
from local_dream_reference.training.networks import as_pixels, build_vae
from local_dream_reference.training.run import Loop, Run, adam, load_state, set_rate
from local_dream_reference.training.window import Window, choose

_LATENT_NOISE = 0.06
_CHECK_EVERY = 1000  # steps
_GATE_FILE = "gate.json"
_GATE_DRAWINGS = 128


class GateNotPassed(Exception):
    """The autoencoder loses too much for a denoiser on its latents to be worth the time."""


def _loss(output: torch.Tensor, target: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """L1 + MSE + L1 of the gradients, weighted per pixel. Pictures (n, 3, h, w) in -1..1, weights (n, 1, h, w)."""
    difference = output - target
    across, down = difference[..., :, 1:] - difference[..., :, :-1], difference[..., 1:, :] - difference[..., :-1, :]
    total = (weights * (difference.abs() + 2.0 * difference.square())).mean()
    edges = (weights[..., :, 1:] * across.abs()).mean() + (weights[..., 1:, :] * down.abs()).mean()
    return total + edges


def _unit(latents: torch.Tensor) -> torch.Tensor:
    """Penalty that keeps every latent channel near mean 0 and deviation 1: the pipeline has one scaling factor only."""
    mean, deviation = latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3))
    return mean.square().mean() + (deviation - 1.0).square().mean()


def _halved(values: torch.Tensor) -> torch.Tensor:
    return nn.functional.avg_pool2d(values, 2)


def train_vae(run: Run) -> bool:
    """Train encoder and decoder; return whether the stage is finished."""
    recipe, fit = run.recipe, run.recipe.vae
    torch.manual_seed(run.seed + 2)
    vae = build_vae(recipe.networks).to(run.device, memory_format=torch.channels_last)
    optimizer = adam(vae.parameters())
    loop = Loop(run, "vae", fit, {"vae": vae, "optimizer": optimizer})
    window = _crop_window(run, fit.batch)
    for step in loop:
        set_rate(optimizer, loop.rate())
        pictures, weights = _crop_batch(run, window, step, fit.batch)
        source = torch.Generator(run.device).manual_seed(step)
        with run.autocast():
            latents = vae.encoder(pictures)
            noisy = latents + _LATENT_NOISE * torch.randn(latents.shape, generator=source, device=run.device)
            # Now and then the latents are halved and must decode to the halved picture: that makes them mean the
            # same at every size, which a denoiser that starts small needs.
            if step % 4 == 3:
                noisy, pictures, weights = _halved(noisy), _halved(pictures), _halved(weights)
            output = vae.decoder(noisy)
        loss = _loss(output.float(), pictures, weights)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss + 0.1 * _unit(latents.float()))
        nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        _report(run, loop, vae, step, loss, output, pictures)
    if loop.finished and (loop.trained or not (loop.folder / _GATE_FILE).exists()):
        check_gate(run, vae)
    return loop.finished


def check_gate(run: Run, vae: AutoencoderTiny) -> None:
    """Measure what survives the finished autoencoder, and note it for :func:`require_gate`."""
    table = check_reconstructions(run, vae, "vae", _GATE_DRAWINGS)
    (run.folder("vae") / _GATE_FILE).write_text(json.dumps(table, indent=2) + "\n")


def require_gate(run: Run) -> None:
    """Raise GateNotPassed if the finished autoencoder's reconstructions lose kinds or colours, FileNotFoundError
    without one.
    """
    path = run.folder("vae") / _GATE_FILE
    if not path.exists():
        raise FileNotFoundError("the vae stage has not finished yet in this --work folder: run it first")
    table = json.loads(path.read_text())
    for name in ("kind", "colour"):
        if table[name] < run.recipe.vae_gate:
            raise GateNotPassed(
                f"vae: {name} survives in {table[name]:.1%} of the pictures, less than {run.recipe.vae_gate:.0%}: "
                "give the vae stage more steps in the recipe and run it again"
            )


def train_decoder(run: Run) -> bool:
    """Refine the decoder alone on the frozen encoder's latents, which may go on while the denoiser trains on them."""
    recipe, fit = run.recipe, run.recipe.decoder
    vae = load_vae(run, refined=False).to(memory_format=torch.channels_last)
    vae.decoder.requires_grad_(True)
    optimizer = adam(vae.decoder.parameters())
    loop = Loop(run, "decoder", fit, {"decoder": vae.decoder, "optimizer": optimizer})
    window = _crop_window(run, fit.batch)
    for step in loop:
        set_rate(optimizer, loop.rate())
        pictures, weights = _crop_batch(run, window, step + recipe.vae.steps, fit.batch)
        source = torch.Generator(run.device).manual_seed(step)
        with run.autocast():
            with torch.no_grad():
                latents = vae.encoder(pictures)
                latents = latents + _LATENT_NOISE * torch.randn(latents.shape, generator=source, device=run.device)
            output = vae.decoder(latents)
        loss = _loss(output.float(), pictures, weights)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(vae.decoder.parameters(), 1.0)
        optimizer.step()
        _report(run, loop, vae, step, loss, output, pictures)
    return loop.finished


def _crop_window(run: Run, batch: int) -> Window[np.ndarray, np.ndarray]:
    crops = Crops(run.recipe.vae_crop, run.recipe.vae_sizes, seed=run.seed)
    # One drawing gives four crops; each is used about three times.
    return Window(
        lambda start: stream(crops, start, run.workers),
        lambda group: [crop for four in group for crop in four],
        size=64 * batch,
        fresh=max(1, batch // 12),
    )


def _crop_batch(
    run: Run, window: Window[np.ndarray, np.ndarray], step: int, batch: int
) -> tuple[torch.Tensor, torch.Tensor]:
    rng = generator(run.seed, "vae batch", step)
    chosen: list[np.ndarray] = choose(window.at(step), batch, rng)
    crops = torch.from_numpy(np.stack(chosen)).to(run.device)
    pictures = as_pixels(crops[..., :3]).contiguous(memory_format=torch.channels_last)
    weights = 1.0 + (run.recipe.box_weight - 1.0) * (crops[..., 3].unsqueeze(1) > 127).float()
    return pictures, weights / weights.mean()


def _report(
    run: Run,
    loop: Loop,
    vae: AutoencoderTiny,
    step: int,
    loss: torch.Tensor,
    output: torch.Tensor,
    target: torch.Tensor,
) -> None:
    if step % 25 == 0:
        error = (output.detach().float().clamp(-1, 1) - target).div(2).square().mean()
        loop.note(loss=loss.item(), psnr=float(-10 * torch.log10(error)))
    if (step + 1) % _CHECK_EVERY == 0:
        loop.note(**{f"check_{name}": value for name, value in check_reconstructions(run, vae, loop.stage, 64).items()})


def load_vae(run: Run, *, refined: bool = True) -> AutoencoderTiny:
    """Load the trained autoencoder, frozen; with the refined decoder if there is one and ``refined``."""
    state = load_state(run, "vae")
    if state is None:
        raise FileNotFoundError("the vae stage has not run yet in this --work folder: run it first")
    vae = build_vae(run.recipe.networks)
    vae.load_state_dict(state["vae"])
    if refined and (better := load_state(run, "decoder")) is not None:
        vae.decoder.load_state_dict(better["decoder"])
    return vae.to(run.device).eval().requires_grad_(False)


@torch.no_grad()
def check_reconstructions(run: Run, vae: AutoencoderTiny, stage: str, count: int) -> dict[str, float]:
    """Judge reconstructions of held-out drawings at the largest size; save a sheet of originals and copies.

    Returns the share of right verdicts per attribute, and ``psnr`` in dB.
    """
    size = max(run.recipe.vae_sizes)
    drawings = Drawings("vae check", (size, size), seed=run.seed, held_out=True)
    judge = load_judge(run)
    results, errors, rows = [], [], []
    for index in range(count):
        drawing = drawings[index]
        picture = as_pixels(torch.from_numpy(drawing.picture)[None].to(run.device))
        with run.autocast():
            copy = vae.decoder(vae.encoder(picture.contiguous(memory_format=torch.channels_last)))
        copy = copy.float().clamp(-1, 1)
        errors.append(float((copy - picture).div(2).square().mean()))
        results.append(compare(drawing.scene, look(judge, copy)[0]))
        if index < 6:
            rows.append(torch.cat([picture[0], copy[0]], dim=1).cpu())
    sheet = torch.cat(rows, dim=2).add(1).mul(127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
    Image.fromarray(sheet).save(run.folder(stage) / "reconstructions.png")
    return shares(results) | {"psnr": float(-10 * np.log10(np.mean(errors)))}
