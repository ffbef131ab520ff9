"""Every number of the training in one place: network sizes, batch sizes, steps, learning rates."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Networks:
    """Shapes of the networks that the export ships."""

    vae_width: int = 32
    vae_encoder_blocks: tuple[int, ...] = (1, 2, 2, 2)
    vae_decoder_blocks: tuple[int, ...] = (2, 2, 2, 1)
    text_width: int = 256
    text_layers: int = 3
    text_heads: int = 4
    vocabulary: int = 2400  # tokens, specials included
    text_length: int = 77  # tokens of a prompt, as in Stable Diffusion 1.x
    unet_widths: tuple[int, ...] = (32, 64, 128, 128, 192)  # five levels: at 512 px the deepest sees the whole picture
    unet_time_width: int = 256  # of the vector, made of time and text, that scales and shifts every residual block
    unet_groups: int = 16
    unet_heads: int = 4
    judge_width: int = 32


@dataclass(frozen=True, slots=True)
class Fit:
    """How one network is fitted."""

    steps: int
    batch: int
    rate: float
    warmup: int = 200


@dataclass(frozen=True, slots=True)
class Resolution:
    """One resolution stage of the UNet.

    Attributes:
        sizes: (width, height) of the training pictures in pixels; step ``s`` uses ``sizes[s % len(sizes)]``.
        fit: ``fit.batch`` pictures of the area of the first size make a step; smaller sizes get more of them.
        window: pictures kept at hand; each is used about ``reuse`` times before a fresh one replaces it.
        whole_texts: share of the steps that see all 77 text states; the rest see little more than the longest
            caption of the batch, which at small sizes saves a quarter of the time.
        crossed: how many of the deepest levels have attention. A stage may have more than the one before: what is
            added begins without effect.
        pairs: share of the drawings that must show two kinds of thing, beside the one in seven that does anyway.
        calm: share of the drawings that are calm in most respects, as in :class:`Drawings`.
    """

    name: str
    sizes: tuple[tuple[int, int], ...]
    fit: Fit
    window: int
    reuse: int = 4
    whole_texts: float = 1.0
    crossed: int = 2
    pairs: float = 0.0
    calm: float = 0.0


_NATIVE: Final = ((512, 512), (512, 512), (512, 384), (384, 512), (512, 512), (256, 256))
_MIXED: Final = ((512, 512), (256, 256), (512, 384), (128, 128), (384, 512), (256, 256))


@dataclass(frozen=True, slots=True)
class Recipe:
    """The whole training. The defaults took six hours on two shared CPU cores."""

    networks: Networks = field(default_factory=Networks)
    text: Fit = Fit(steps=1200, batch=48, rate=8e-4)
    words: Fit = Fit(steps=240, batch=48, rate=3e-4, warmup=50)
    judge: Fit = Fit(steps=1000, batch=48, rate=2e-3)
    judge_size: int = 128  # pixels; pictures of any size are shrunk to it
    vae: Fit = Fit(steps=5000, batch=6, rate=1e-3)
    vae_crop: int = 96  # pixels; far from the end more steps are worth more than more pixels
    vae_sizes: tuple[int, ...] = (128, 256, 512, 512)  # a crop comes from a picture of one of these heights
    decoder: Fit = Fit(steps=3000, batch=8, rate=5e-4)
    vae_gate: float = 0.93  # least share of things whose kind, and whose colour, survives the autoencoder
    unet: tuple[Resolution, ...] = (
        Resolution(
            "unet128", ((128, 128),), Fit(steps=2500, batch=96, rate=1e-3), window=3072, reuse=8, whole_texts=0.25
        ),
        Resolution(
            "unet256", ((256, 256),) * 7 + ((128, 128),), Fit(steps=1500, batch=32, rate=6e-4), window=1536, reuse=10
        ),
        Resolution("unet512", _NATIVE, Fit(steps=1700, batch=8, rate=4e-4), window=512, reuse=8),
        # Which colour belongs to which of two things is learned here: attention one level up, many such scenes, and
        # small pictures too, of which a step holds sixteen times as many.
        Resolution(
            "mixed",
            _MIXED,
            Fit(steps=4800, batch=8, rate=5e-4),
            window=256,
            reuse=8,
            whole_texts=0.25,
            crossed=3,
            pairs=0.4,
        ),
        Resolution(
            "calm",
            _MIXED,
            Fit(steps=1800, batch=8, rate=3e-4, warmup=60),
            window=128,
            reuse=8,
            whole_texts=0.25,
            crossed=3,
            pairs=0.25,
            calm=0.4,
        ),
    )
    prompt_dropout: float = 0.1
    noisy: float = 0.7  # below 1: more of the noisy times, where the prompt decides
    box_weight: float = 3.0  # how much more a pixel inside a thing's box counts
    ema: float = 0.999


CPU: Final = Recipe()

#: The same networks and files, more of everything: a CPU run's checkpoints may go on with it and the other way round.
GPU: Final = replace(
    CPU,
    vae=Fit(steps=20000, batch=32, rate=1e-3),
    vae_crop=128,
    decoder=Fit(steps=20000, batch=32, rate=5e-4),
    unet=(
        Resolution("unet128", ((128, 128),), Fit(steps=16000, batch=256, rate=1e-3), window=16384),
        Resolution("unet256", ((256, 256),) * 7 + ((128, 128),), Fit(steps=16000, batch=96, rate=6e-4), window=6144),
        Resolution("unet512", _NATIVE, Fit(steps=6000, batch=32, rate=4e-4), window=2048),
        Resolution(
            "mixed", _MIXED, Fit(steps=10000, batch=32, rate=5e-4), window=2048, whole_texts=0.5, crossed=3, pairs=0.4
        ),
        Resolution(
            "calm",
            _MIXED,
            Fit(steps=10000, batch=32, rate=4e-4),
            window=2048,
            whole_texts=0.5,
            crossed=3,
            pairs=0.25,
            calm=0.4,
        ),
    ),
)

#: For tests: everything runs in seconds and nothing is learned.
TOY: Final = Recipe(
    networks=Networks(
        vae_width=8, vae_encoder_blocks=(1, 1, 1, 1), vae_decoder_blocks=(1, 1, 1, 1), text_width=32, text_layers=1,
        text_heads=2, vocabulary=600, unet_widths=(32, 32), unet_time_width=32, unet_heads=2,
        judge_width=8,
    ),
    text=Fit(steps=4, batch=4, rate=1e-3, warmup=2),
    words=Fit(steps=2, batch=4, rate=1e-3, warmup=2),
    judge=Fit(steps=4, batch=4, rate=1e-3, warmup=2),
    judge_size=32,
    vae=Fit(steps=4, batch=4, rate=1e-3, warmup=2),
    vae_crop=32,
    vae_sizes=(32, 64),
    decoder=Fit(steps=2, batch=4, rate=1e-3, warmup=2),
    vae_gate=0.0,
    unet=(
        Resolution("unet32", ((32, 32),), Fit(steps=4, batch=4, rate=1e-3, warmup=2), window=8, reuse=2, crossed=1),
        Resolution(
            "unet64", ((64, 64), (64, 48)), Fit(steps=2, batch=2, rate=1e-3, warmup=2), window=4, reuse=2, calm=0.5
        ),
    ),
)  # fmt: skip

RECIPES: Final = {"cpu": CPU, "gpu": GPU, "toy": TOY}
