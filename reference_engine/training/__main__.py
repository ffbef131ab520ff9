"""``python -m reference_engine.training STAGE --work DIR``: train the text-to-image model, resuming where it
stopped.
"""

from __future__ import annotations

from reference_engine.training.command import main

if __name__ == "__main__":
    main()
