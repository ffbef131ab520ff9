"""The synthetic engine as the mock runs it: its pace can change, and its pictures can be kept."""

from __future__ import annotations

from collections.abc import Iterator

from local_dream_mockserver.mock.pace import Pace
from local_dream_mockserver.mock.saved_pictures import SavedPictures
from local_dream_mockserver.mock.synthetic import Pacing, SyntheticEngine, SyntheticPicture, SyntheticStep
from local_dream_mockserver.server.engine import Cancelled, GenerationRequest, Rgb


class MockEngine(SyntheticEngine):
    """`pace` says how slow it plays, `saved` where its pictures are kept (None: nowhere)."""

    def __init__(self, pace: Pace, *, any_upscaler: bool = False, saved: SavedPictures | None = None) -> None:
        super().__init__(any_upscaler=any_upscaler)
        self.pace = pace
        self._saved = saved

    @property
    def pacing(self) -> Pacing:
        return self.pace.now

    def generate(self, request: GenerationRequest, cancelled: Cancelled) -> Iterator[SyntheticStep | SyntheticPicture]:
        for made in super().generate(request, cancelled):
            if self._saved and isinstance(made, SyntheticPicture):
                others = {f"reference{number}": one for number, one in enumerate(request.reference_images, 1)}
                self._saved.keep(image=request.image, mask=request.mask, **others, generated=made.rgb)
            yield made

    def upscale(self, rgb: Rgb, upscaler: str, use_opencl: bool, cancelled: Cancelled) -> Rgb:
        large = super().upscale(rgb, upscaler, use_opencl, cancelled)
        if self._saved and not cancelled():
            self._saved.keep(small=rgb, upscaled=large)
        return large
