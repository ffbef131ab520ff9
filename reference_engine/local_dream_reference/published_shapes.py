"""The shapes of the published Stable Diffusion models, for single files, which do not say them.

They lie in the distribution local-dream-models, with the vocabulary of CLIP's tokenizer, so that no hub is asked.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from transformers import CLIPTokenizer

from local_dream_reference.shipped import SHAPES

START, END = "<|startoftext|>", "<|endoftext|>"
MERGES: Final = 49152 - 256 - 2
PADDING: Final = {"v1": END, "v2": "!", "v2-base": "!"}
"""What fills a prompt up to 77 tokens: the two were trained with different ones."""
OF_KIND: Final = {"Stable Diffusion 1.x": "v1", "Stable Diffusion 2.x": "v2"}


def named(kind: str, config: str | None, distilled: bool = False) -> str | None:
    """The folder of SHAPES that ``config`` names, or else that fits a file of this kind; None where there is none."""
    name = OF_KIND.get(kind.partition(",")[0]) if config is None else config
    if config is None and name == "v2" and distilled:  # SD Turbo was made of the edition at 512 pixels
        name = "v2-base"
    return name if name in PADDING and SHAPES.is_dir() else None


@contextmanager
def shapes(name: str, *, inpainting: bool) -> Iterator[Path]:
    """A folder of configurations as diffusers reads them."""
    if not inpainting:
        yield SHAPES / name
        return
    with TemporaryDirectory(prefix="local-dream-") as folder:
        copied = Path(shutil.copytree(SHAPES / name, Path(folder) / name))
        unet = copied / "unet" / "config.json"
        unet.write_text(json.dumps(json.loads(unet.read_text()) | {"in_channels": 9}))
        yield copied


def tokenizer(name: str) -> Any:
    """CLIP's tokenizer as the model was trained with it."""
    text = gzip.decompress((SHAPES / "bpe_simple_vocab_16e6.txt.gz").read_bytes()).decode("utf-8")
    merges = [tuple(line.split()) for line in text.split("\n")[1 : MERGES + 1]]
    letters = _letters()
    words = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(merge) for merge in merges), START, END]
    vocabulary = {word: number for number, word in enumerate(words)}
    return CLIPTokenizer(
        vocab=vocabulary,
        merges=merges,
        unk_token=END,
        bos_token=START,
        eos_token=END,
        pad_token=PADDING[name],
        model_max_length=77,
    )


def _letters() -> list[str]:
    """A printable character for each byte, in CLIP's order: those that are printable as they are come first."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    return [*map(chr, plain), *(chr(256 + number) for number in range(256 - len(plain)))]
