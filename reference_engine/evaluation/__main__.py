"""``python -m reference_engine.evaluation``."""

from __future__ import annotations

from reference_engine.evaluation.command import main

if __name__ == "__main__":
    main()
