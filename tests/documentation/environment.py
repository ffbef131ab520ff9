"""Where a reader works: a clone, and an environment of its own into which pip installs what a page says.

Nothing comes from a network: what the environment that runs the tests has, but for this project itself, is there
already, and pip builds with its hatchling. All else is what pip does for a reader.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.documentation.blocks import ROOT

ORIGIN = "https://github.com/somebody/local-dream-conformance.git"
OURS = ("local_dream", "_local_dream")
"""How the names of this project's own packages begin, in site-packages."""
SCRIPTS = {"pip": "pip", "pytest": "pytest", "ray": "ray.scripts.scripts"}
"""What a command runs: the scripts are in the other environment, and would run there."""
PIP = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def clone(folder: Path) -> Path:
    """A clone of the working tree as it is, with a commit and an origin."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and not name.startswith("tests/") and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    who = ("-c", "user.name=reader", "-c", "user.email=reader@example.org")
    for arguments in (
        ("init", "-q", "-b", "main"),
        ("add", "-A"),
        (*who, "commit", "-q", "-m", "all"),
        ("remote", "add", "origin", ORIGIN),
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)
    return folder


class Environment:
    """A virtual environment. `variables` is what a shell has in which it is active, with the reader's home."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
        there = folder / "there-already"
        there.mkdir()
        for parent in (Path(path) for path in sys.path if path.endswith("site-packages")):
            for entry in parent.iterdir():
                if not entry.name.startswith(OURS) and entry.suffix != ".pth" and not (there / entry.name).exists():
                    (there / entry.name).symlink_to(entry)
        (packages / "there-already.pth").write_text(f"{there}\n", encoding="utf-8")
        for name, module in SCRIPTS.items():
            script = folder / "bin" / name
            script.write_text(f'#!/bin/sh\nexec "{folder}/bin/python" -m {module} "$@"\n', encoding="utf-8")
            script.chmod(0o755)
        clean = {
            name: text
            for name, text in os.environ.items()
            if not name.startswith(("LOCAL_DREAM_", "GITHUB_", "PYTEST_", "PIP_", "PYTHON"))
        }
        self.variables = (
            clean
            | PIP
            | {
                "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
                "VIRTUAL_ENV": str(folder),
                "HOME": str(home),
                "COLUMNS": "250",
            }
        )

    def where(self, module: str) -> Path:
        """The file that an import takes in this environment."""
        code = f"import {module}; print({module}.__file__)"
        done = subprocess.run(
            [self.folder / "bin" / "python", "-c", code],
            cwd=self.folder,
            env=self.variables,
            check=True,
            capture_output=True,
            text=True,
        )
        return Path(done.stdout.strip())
