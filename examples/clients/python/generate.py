"""python generate.py URL PROMPT OUT.png [FIELD=JSON ...]"""

from __future__ import annotations

import json
import sys

from local_dream import Client, LocalDreamError, Progress
from PIL import Image


def main(url: str, prompt: str, out: str, *fields: str) -> None:
    values = {name: json.loads(value) for name, _, value in (field.partition("=") for field in fields)}
    try:
        with Client(url) as client:
            picture = client.generate(prompt, on_progress=show, **values)
    except LocalDreamError as error:
        sys.exit(f"no picture: {error}")
    Image.frombytes("RGB", (picture.width, picture.height), picture.rgb).save(out)
    print(f"{out}: {picture.width}x{picture.height}, seed {picture.seed}")  # noqa: T201


def show(progress: Progress) -> None:
    print(f"step {progress.step}/{progress.total_steps}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    if len(sys.argv) < 4:
        print(__doc__, file=sys.stderr)  # noqa: T201
        sys.exit(2)
    main(*sys.argv[1:])
