"""``python -m local_dream_reference.evaluation``."""

from __future__ import annotations

from local_dream_reference.evaluation.command import main

if __name__ == "__main__":
    main()
