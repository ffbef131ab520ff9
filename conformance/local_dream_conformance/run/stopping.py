"""SIGTERM and SIGHUP: a run that is told to end does so as one that is interrupted, and leaves nothing behind."""

from __future__ import annotations

import signal
import threading
from types import FrameType

SIGNALS = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]


class Stop:
    """Whether the run was told to end, and by which signal."""

    def __init__(self) -> None:
        self.by: signal.Signals | None = None

    def listen(self) -> None:
        """Ends the run at such a signal. Does nothing in any other than the main thread."""
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores SIGHUP, and others have their own
                    signal.signal(number, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self.by is None:
            self.by = signal.Signals(number)
            raise KeyboardInterrupt(f"stopped by {self.by.name}")

    def leave(self) -> None:
        """Nothing is to be ended any more."""
        for number in SIGNALS:
            if signal.getsignal(number) == self._stop:
                signal.signal(number, signal.SIG_DFL)
