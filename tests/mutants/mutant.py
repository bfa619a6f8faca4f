"""One mutant: a patch that breaks a law, and the tests' run on the patched tree.

A patch begins with what it is, in lines that `git apply` passes over:

    Law: L1
    Sin: a post is acknowledged before the log has taken it
"""

import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.law.tree import files

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent
HEAD = re.compile(r"\ALaw: (L\d+)\nSin: (.+)\n")
# Of the tests as they are those that hold a law: one of them must fail, and say which law. A mutant
# that breaks five is dead.
COMMAND = ("make", "test", "ARGS=--maxfail=5 -m 'law and not long and not faults'")
APPLY_S = 30
# Longer than the whole of `make test` takes: a mutant that hangs is not found.
RUN_S = 900
TAIL_CHARACTERS = 3_000


@dataclass(frozen=True)
class Mutant:
    """A patch with the law that it breaks, and how."""

    patch: Path
    law: str
    sin: str


def mutants() -> list[Mutant]:
    """All of this folder. Raises `ValueError` for one that does not say what it is."""
    return [_read(patch) for patch in sorted(FOLDER.glob("*.patch"))]


def apply(mutant: Mutant, tree: Path) -> None:
    """Copy the repository to `tree` and break it. Raises `CalledProcessError` when the patch does
    not fit any more."""
    for file in files(ROOT):
        copy = tree / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)
    command = ["git", "apply", "--whitespace=error", str(mutant.patch)]
    # The copy is no repository of its own, nor part of one that lies above it.
    environ = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)}
    subprocess.run(
        command, cwd=tree, env=environ, check=True, capture_output=True, text=True, timeout=APPLY_S
    )


def broken_laws(tree: Path) -> tuple[set[str], str]:
    """Run the tests in `tree`; the laws that the run names as broken, and the end of its output."""
    (tree / ".venv").symlink_to(ROOT / ".venv")
    running = subprocess.Popen(
        COMMAND,
        cwd=tree,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = running.communicate(timeout=RUN_S)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        output, _ = running.communicate()
    if running.returncode == 0:
        return set(), output[-TAIL_CHARACTERS:]
    found = re.findall(r"^law broken: (L\d+) by", output, re.MULTILINE)
    return set(found), output[-TAIL_CHARACTERS:]


def _read(patch: Path) -> Mutant:
    head = HEAD.match(patch.read_text("utf-8"))
    if head is None:
        raise ValueError(f"{patch.name}: begin with 'Law: L<number>' and 'Sin: <what is broken>'")
    return Mutant(patch, head[1], head[2])
