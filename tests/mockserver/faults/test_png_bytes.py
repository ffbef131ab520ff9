"""Files with their samples' bytes swapped are read as what the lower bytes were."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from local_dream_conformance.scenarios.picture_files import Colour, PictureFile
from local_dream_conformance.scenarios.test_images import card
from local_dream_mockserver.faults.png_bytes import with_bytes_swapped


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("colour", ["rgb", "rgba"])
def test_the_lower_bytes_become_the_upper_ones(colour: Colour, interlaced: bool) -> None:
    shown = card(21, 13)
    swapped = with_bytes_swapped(PictureFile(shown, colour, 16, interlaced).file())
    with Image.open(io.BytesIO(swapped)) as image:
        read = np.asarray(image.convert("RGB")).astype(int)
    assert (read == np.minimum(shown.astype(int) + 80, 255)).all()
    with Image.open(io.BytesIO(with_bytes_swapped(swapped))) as image:
        assert (np.asarray(image.convert("RGB")) == shown).all()
