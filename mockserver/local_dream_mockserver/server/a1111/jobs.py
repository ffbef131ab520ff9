"""Which requests are under way, and how far they are: what /progress tells and /interrupt stops."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_dream_mockserver.server import clock


@dataclass(eq=False)
class Job:
    """A request for `pictures` pictures of `steps` steps each. Only in the event loop."""

    name: str
    pictures: int
    steps: int
    picture: int = 0
    """Finished ones."""
    step: int = 0
    """Of the one that is being made."""
    preview: str | None = None
    """The picture so far, as base64 of a PNG file."""
    interrupted: asyncio.Event = field(default_factory=asyncio.Event)
    stamp: str = field(default_factory=lambda: datetime.now().strftime("%Y%m%d%H%M%S"))
    _began: float = field(default_factory=clock.monotonic)

    @property
    def seconds(self) -> float:
        """Since it came."""
        return clock.monotonic() - self._began

    @property
    def progress(self) -> float:
        """0.01..1, counted as there."""
        return min(1.0, 0.01 + (self.picture + self.step / max(1, self.steps)) / self.pictures)


class Jobs:
    """The jobs under way in the order in which they came; the first is the one that is told of. Only in the event
    loop."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []

    def begin(self, name: str, pictures: int, steps: int) -> Job:
        job = Job(name, pictures, steps)
        self._jobs.append(job)
        return job

    def end(self, job: Job) -> None:
        self._jobs.remove(job)

    def interrupt(self) -> None:
        """Stops the one that is told of; those that wait behind it are made."""
        for job in self._jobs[:1]:
            job.interrupted.set()

    def told(self, with_image: bool) -> dict[str, Any]:
        """The answer of GET /sdapi/v1/progress."""
        job = self._jobs[0] if self._jobs else None
        state = {
            "skipped": False,
            "interrupted": job is not None and job.interrupted.is_set(),
            "stopping_generation": False,
            "job": job.name if job else "",
            "job_count": job.pictures if job else 0,
            "job_timestamp": job.stamp if job else "0",
            "job_no": job.picture if job else 0,
            "sampling_step": job.step if job else 0,
            "sampling_steps": job.steps if job else 0,
        }
        return {
            "progress": job.progress if job else 0.0,
            "eta_relative": job.seconds / job.progress - job.seconds if job else 0.0,
            "state": state,
            "current_image": job.preview if job and with_image else None,
            "textinfo": None,
        }
