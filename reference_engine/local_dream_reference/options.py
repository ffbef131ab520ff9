"""The engine's options as text, as a command line or a configuration file gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from local_dream_reference.errors import UnusableModel


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that can be chosen when the engine starts."""

    model: str = "default"
    """"default", a diffusers folder, a .safetensors file, or a Hub id."""
    generate: bool = True
    """False: load no model for pictures; only enlarge."""
    config: str | None = None
    """For a single file: the diffusers folder or Hub id that its tokenizer and network shapes come from."""
    device: str = "auto"
    """auto, cpu, cuda or mps."""
    dtype: str = "auto"
    """auto, float32, bfloat16 or float16."""
    runtime: str = "auto"
    """auto, torch or openvino: what runs the networks."""
    threads: int | None = None
    """CPU threads; unset: as many as this process may use."""
    warmup: bool = False
    """Make one small picture before being ready, so that the first request is not slower than the others."""
    max_pixels: int = 1024 * 1024
    """Greatest width x height of a generation."""
    upscalers: Path | None = None
    """Folder of further upscaling models."""
    adapters: Path | None = None
    """Folder of LoRA files and textual-inversion embeddings."""
    long_prompts: str = "cut"
    """What becomes of prompts beyond the text encoder's window: cut, or chunk (read in several)."""
    any_upscaler: bool = False
    """Answer every unknown upscaler name with the default one, for clients that send paths of a phone."""


def parse_options(given: Mapping[str, str]) -> Options:
    """Read options by name (``-`` and ``_`` are the same). Raises UnusableModel that names the option and the fix."""
    known = {field.name for field in fields(Options)}
    values = {name.replace("-", "_"): text for name, text in given.items()}
    for name in values:
        if name not in known:
            raise UnusableModel(f"option {name!r}: unknown; use one of {', '.join(sorted(known))}")
    parsed: dict[str, object] = {}
    for name, text in values.items():
        if name in ("threads", "max_pixels"):
            parsed[name] = _whole(name, text)
        elif name == "long_prompts":
            parsed[name] = _one_of(name, text, ("cut", "chunk"))
        elif name in ("generate", "warmup", "any_upscaler"):
            parsed[name] = _flag(name, text)
        else:
            parsed[name] = Path(text) if name in ("upscalers", "adapters") else text
    return Options(**parsed)  # type: ignore[arg-type]  # checked field by field above


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**31):
        raise UnusableModel(f"option {name!r}: {text!r} is not a whole number above 0")
    return int(text)


def _flag(name: str, text: str) -> bool:
    if text.lower() not in ("true", "1", "yes", "on", "false", "0", "no", "off"):
        raise UnusableModel(f"option {name!r}: {text!r} is neither true nor false")
    return text.lower() in ("true", "1", "yes", "on")


def _one_of(name: str, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise UnusableModel(f"option {name!r}: {text!r} is not one of {', '.join(known)}")
    return text
