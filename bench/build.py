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
    """What is missing (`is_missing`) or does not compile, and what to do."""

    def __init__(self, why: str, *, is_missing: bool) -> None:
        super().__init__(why)
        self.is_missing = is_missing


def program(name: str) -> Path:
    """The path of `client` or `floor`, up to date. Raises `CannotBuild`."""
    for tool, package in NEEDED.items():
        if shutil.which(tool) is None:
            why = f"{tool} is missing: install it (Debian: apt install {package})"
            raise CannotBuild(why, is_missing=True)
    command = ["make", "--silent", "-C", str(HERE), f"OUT={OUT}", f"{OUT}/{name}"]
    done = subprocess.run(  # noqa: S603 - our own command
        command, capture_output=True, text=True, timeout=BUILD_S, check=False
    )
    if done.returncode != 0:
        raise CannotBuild(f"{name} does not compile:\n{done.stderr}", is_missing=False)
    return OUT / name
