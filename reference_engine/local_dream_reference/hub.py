"""Models of the Hugging Face Hub: what of them is on this machine, and what the Hub says of those that are not.

A model that is whole in the Hub's cache is taken from there, and the Hub is not asked. All of this comes before torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from local_dream_reference.errors import UnusableModel

INDEX: Final = "model_index.json"
PARTS: Final = ("unet", "vae", "text_encoder")
"""Folders of a model without whose weights nothing is drawn."""
PATIENCE: Final = 10.0
"""Seconds that the Hub has for an answer."""


def is_id(model: str) -> bool:
    """Whether a name may be one on the Hub: OWNER/MODEL."""
    return model.count("/") == 1 and not model.startswith(("/", ".", "~")) and not model.endswith("/")


def cached(model: str) -> Path | None:
    """The folder of a model in the Hub's cache, if all of it is there."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        index = try_to_load_from_cache(model, INDEX)
    except HFValidationError as error:
        raise UnusableModel(f"model {model!r}: no such folder or file, and no name of the Hub: {error}") from None
    folder = Path(index).parent if isinstance(index, str) else None
    return folder if folder is not None and is_whole(folder) else None


def is_whole(folder: Path) -> bool:
    """Whether the weights of all :data:`PARTS` are in a folder (an interrupted download leaves some out)."""
    return all(any(file.is_file() and _weighs(file) for file in (folder / part).glob("*")) for part in PARTS)


def _weighs(file: Path) -> bool:
    return file.suffix.lower() in (".safetensors", ".bin")


def cache_folders() -> Iterator[tuple[str, Path]]:
    """Names and folders of the diffusers models in the Hub's cache, by name."""
    from huggingface_hub.constants import HF_HUB_CACHE

    for place in sorted(Path(HF_HUB_CACHE).glob("models--*--*")):
        name = "/".join(place.name.split("--")[1:])
        folder = cached(name)
        if folder is not None:
            yield name, folder


def ask(model: str) -> tuple[str, list[str]]:
    """The pipeline's class of a model that is not here, and the names of its UNet's files, as the Hub says.

    Raises UnusableModel: the Hub cannot be reached, or has no such model, or it is none for diffusers.
    """
    from huggingface_hub import hf_hub_download, model_info
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        names = [each.rfilename for each in model_info(model, timeout=PATIENCE).siblings or ()]
        if INDEX not in names:
            raise UnusableModel(f"model {model!r} is not in the layout of diffusers: it has no {INDEX}")
        index = json.loads(Path(hf_hub_download(model, INDEX, etag_timeout=PATIENCE)).read_text(encoding="utf-8"))
    except UnusableModel:
        raise
    except RepositoryNotFoundError:
        raise UnusableModel(
            f"model {model!r}: no such folder, and the Hub has no model of that name that may be fetched without a "
            "login (hf auth login)"
        ) from None
    # Offline on purpose, no name server, no route, a proxy that refuses, an answer that is no JSON.
    except Exception:
        raise UnusableModel(
            f"model {model!r}: no such folder, not whole in the Hub's cache, and the Hub cannot be reached; where "
            f"there is a network run: hf download {model} --local-dir FOLDER, copy FOLDER here and give --model FOLDER"
        ) from None
    return str(index.get("_class_name")), [name.partition("/")[2] for name in names if name.startswith("unet/")]
