"""The programs in C, made by `make` when they are older than their sources."""

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
OUT = HERE.parent / "build" / "bench"
# Two seconds on an idle machine; others may build on it as well.
BUILD_S = 120
NEEDED = {"make": "make", "cc": "build-essential"}


class CannotBuild(Exception):
    """What is missing or does not compile, and what to do."""


def program(name: str) -> Path:
    """The path of `client` or `floor`, up to date. Raises `CannotBuild`."""
    for tool, package in NEEDED.items():
        if shutil.which(tool) is None:
            raise CannotBuild(f"{tool} is missing: install it (Debian: apt install {package})")
    command = ["make", "--silent", "-C", str(HERE), f"OUT={OUT}", f"{OUT}/{name}"]
    done = subprocess.run(  # noqa: S603 - our own command
        command, capture_output=True, text=True, timeout=BUILD_S, check=False
    )
    if done.returncode != 0:
        raise CannotBuild(f"{name} does not compile:\n{done.stderr}")
    return OUT / name
