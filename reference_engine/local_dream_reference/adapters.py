"""LoRA files and textual-inversion embeddings, put into a pipeline by diffusers' loaders.

Embeddings are put in at the start: words that the tokenizer then knows. A LoRA is read when a prompt first asks for
it, stays in memory, and counts only while a picture is made whose prompt asks for it.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from diffusers.utils import delete_adapter_layers
from safetensors.torch import load_file

from local_dream_reference.adapter_files import AdapterFiles
from local_dream_reference.adapter_marks import Marks
from local_dream_reference.errors import EngineFailure, UnusableModel

logger = logging.getLogger(__name__)


class Adapters:
    """What can be added to the networks of one pipeline. Raises UnusableModel where LoRA files need what is missing."""

    def __init__(self, pipeline: Any, files: AdapterFiles) -> None:
        if files.loras and find_spec("peft") is None:
            raise UnusableModel("adapters: LoRA files need peft: pip install 'local-dream-conformance[reference]'")
        if files.loras:
            # What the first request with a LoRA would wait for; peft uses the other without importing it.
            import_module("peft")
            if torch.distributed.is_available():
                import_module("torch.distributed.tensor")
        self._pipeline = pipeline
        self._loras = files.loras
        self._loaded: dict[str, str] = {}
        """Names of LoRA files to the names that diffusers has for them, which must be identifiers."""
        refused = dict(files.refused)
        for name, path in files.embeddings.items():
            try:
                pipeline.load_textual_inversion(load_file(path), token=name)
            # A word that the tokenizer has already, and whatever else a foreign file makes diffusers raise.
            except Exception as error:
                refused[path.name] = " ".join(str(error).split())[:200]
        for name, reason in refused.items():
            logger.warning("adapters: %s is left out: %s", name, reason)

    @property
    def reads_marks(self) -> bool:
        """Whether ``<lora:...>`` in a prompt is more than text."""
        return bool(self._loras)

    @contextmanager
    def worn(self, marks: Marks) -> Iterator[None]:
        """While inside, the networks draw with these LoRA files and no other.

        Names that are not there are left out, with one line in the log that does not repeat them.
        """
        known = [(name, weight) for name, weight in marks if name in self._loras]
        if len(known) < len(marks):
            there = ", ".join(sorted(self._loras)[:20])
            logger.warning("a prompt asks for a LoRA that is not among the adapters; there are: %s", there)
        loaded = [(self._load(name), weight) for name, weight in known]
        if not loaded:
            yield
            return
        self._pipeline.enable_lora()
        self._pipeline.set_adapters([name for name, _ in loaded], [weight for _, weight in loaded])
        try:
            yield
        finally:
            self._pipeline.disable_lora()

    def _load(self, name: str) -> str:
        if name in self._loaded:
            return self._loaded[name]
        inner = f"lora{len(self._loaded)}"
        networks = (self._pipeline.unet, self._pipeline.text_encoder)
        formats = [next(network.parameters()).dtype for network in networks]
        try:
            with _silent():
                self._pipeline.load_lora_weights(_weights(self._loras[name]), adapter_name=inner)
        # Whatever a damaged file, or one for another model, makes diffusers raise.
        except Exception as error:
            self._forget(inner)
            raise EngineFailure(f"the LoRA {name!r} does not fit this model") from error
        for network, kind in zip(networks, formats, strict=True):
            network.to(kind).eval().requires_grad_(False)
        self._loaded[name] = inner
        self._pipeline.disable_lora()
        return inner

    def _forget(self, inner: str) -> None:
        for network in (self._pipeline.unet, self._pipeline.text_encoder):
            if inner in getattr(network, "peft_config", {}):
                with _silent():
                    delete_adapter_layers(network, inner)


@contextmanager
def _silent() -> Iterator[None]:
    """peft warns of several adapters in one network, which are meant, and of one that it takes for another."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _weights(path: Path) -> dict[str, torch.Tensor]:
    weights = load_file(path)
    if not all(bool(torch.isfinite(value).all()) for value in weights.values()):
        raise EngineFailure("it has values that are not finite numbers")
    return weights
