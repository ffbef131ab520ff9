"""peft, imported with the first LoRA: diffusers imports all of it to ask whether something is one of its own."""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final

TUNERS: Final = "peft.tuners.tuners_utils"


def put_off_peft() -> None:
    """Import what of diffusers knows of LoRAs, and peft itself not yet.

    Until somebody imports that, nothing is made by it, which is what diffusers is told.
    """
    if "peft" in sys.modules or "diffusers.loaders.lora_base" in sys.modules or find_spec("peft") is None:
        return
    for name in ("scale_lora_layers", "unscale_lora_layers"):
        _only_with_peft(name)
    tuners = ModuleType(TUNERS)
    vars(tuners)["BaseTunerLayer"] = _Layer
    sys.modules[TUNERS] = tuners
    try:
        importlib.import_module("diffusers.loaders.lora_base")
    finally:
        if sys.modules.get(TUNERS) is tuners:
            del sys.modules[TUNERS]
    from diffusers.pipelines import pipeline_loading_utils as loading

    if hasattr(loading, "is_peft_available"):
        available = loading.is_peft_available
        loading.is_peft_available = lambda: "peft" in sys.modules and available()


class _MadeByPeft(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return TUNERS in sys.modules and isinstance(instance, sys.modules[TUNERS].BaseTunerLayer)


class _Layer(metaclass=_MadeByPeft):
    """What is an instance of peft's class of layers is one of this."""


def _only_with_peft(name: str) -> None:
    """Let a function that diffusers calls with each prompt, or each step, not import peft to find nothing of it."""
    from diffusers import utils
    from diffusers.utils import peft_utils

    asked = getattr(peft_utils, name, None)

    def ask(model: Any, weight: float | None = None) -> None:
        if asked is not None and "peft" in sys.modules:
            asked(model, weight)

    for place in (utils, peft_utils):
        if hasattr(place, name):  # other versions may call it something else, and import peft
            setattr(place, name, ask)
