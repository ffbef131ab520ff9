"""``python -m local_dream_reference.training STAGE --work DIR``: train the text-to-image model, resuming where it
stopped.
"""

from __future__ import annotations

from local_dream_reference.training.command import main

if __name__ == "__main__":
    main()
