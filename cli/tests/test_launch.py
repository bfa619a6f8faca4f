"""The command `.venv/bin/rostrum`: that of its tree, wherever it is and whoever calls."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Stands for the package `cli` of a tree: says where it is, and what it was given.
TOY = "import sys\nprint(__file__.rpartition('/')[0], *sys.argv[1:])\n"


def _tree(folder: Path) -> Path:
    """A tree with a toy of ours and a .venv whose python is this one."""
    binaries = folder / ".venv" / "bin"
    binaries.mkdir(parents=True)
    python = binaries / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    shutil.copy(ROOT / "cli" / "launch.sh", binaries / "rostrum")
    (binaries / "rostrum").chmod(0o755)
    _package(folder)
    return folder


def _package(folder: Path) -> None:
    (folder / "cli").mkdir(parents=True)
    (folder / "cli" / "__init__.py").touch()
    (folder / "cli" / "__main__.py").write_text(TOY)


def _said(command: Path | str, *arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [str(command), *arguments], cwd=cwd, capture_output=True, text=True, check=True
    )
    return done.stdout.rstrip("\n")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with a package of the same name in it."""
    folder = tmp_path / "else where"
    _package(folder)
    return folder


def test_it_is_the_command_of_its_tree_from_any_folder(tmp_path: Path, elsewhere: Path) -> None:
    tree = _tree(tmp_path / "a tree")
    assert _said(tree / ".venv/bin/rostrum", "x y", cwd=elsewhere) == f"{tree}/cli x y"
    assert _said(".venv/bin/rostrum", cwd=tree) == f"{tree}/cli"
    assert _said("../a tree/.venv/bin/rostrum", cwd=elsewhere) == f"{tree}/cli"


def test_it_goes_along_when_the_tree_is_moved_or_copied(tmp_path: Path, elsewhere: Path) -> None:
    tree = _tree(tmp_path / "before")
    copy = shutil.copytree(tree, tmp_path / "copy", symlinks=True)
    moved = tree.rename(tmp_path / "after")
    for each in (copy, moved):
        assert _said(each / ".venv/bin/rostrum", cwd=elsewhere) == f"{each}/cli"


def test_trees_that_share_a_venv_have_their_own_command(tmp_path: Path, elsewhere: Path) -> None:
    tree, other = _tree(tmp_path / "tree"), tmp_path / "other"
    _package(other)
    (other / ".venv").symlink_to(tree / ".venv")
    assert _said(other / ".venv/bin/rostrum", cwd=elsewhere) == f"{other}/cli"
    assert _said(".venv/bin/rostrum", cwd=other) == f"{other}/cli"


def test_a_link_to_it_is_it(tmp_path: Path, elsewhere: Path) -> None:
    tree = _tree(tmp_path / "tree")
    (tmp_path / "bin").mkdir()
    link = tmp_path / "bin" / "rostrum"
    link.symlink_to(os.path.relpath(tree / ".venv/bin/rostrum", link.parent))
    assert _said(link, cwd=elsewhere) == f"{tree}/cli"


def test_it_is_found_by_a_path(tmp_path: Path, elsewhere: Path) -> None:
    tree = _tree(tmp_path / "tree")
    environment = {"PATH": f"{tree}/.venv/bin:/usr/bin:/bin", "PYTHONPATH": str(elsewhere)}
    done = subprocess.run(
        ["sh", "-c", "rostrum a"], cwd=elsewhere, env=environment, capture_output=True, check=True
    )
    assert done.stdout.decode() == f"{tree}/cli a\n"


def test_the_real_command_answers_through_it(tmp_path: Path) -> None:
    tree = _tree(tmp_path / "tree")
    shutil.rmtree(tree / "cli")
    for part in ("cli", "libs", "services", "clients"):
        (tree / part).symlink_to(ROOT / part)
    assert _said(tree / ".venv/bin/rostrum", "--help", cwd=tmp_path).startswith("Usage: rostrum")


def test_make_puts_it_there(tmp_path: Path) -> None:
    """Without installing anything: the lock is as the last install left it."""
    tree = _tree(tmp_path / "tree")
    shutil.rmtree(tree / "cli")
    (tree / "cli").symlink_to(ROOT / "cli")
    (tree / ".venv/bin/rostrum").unlink()
    (tree / ".venv/bin/pip").touch()
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(ROOT / name, tree / name)
    shutil.copy(ROOT / "requirements.lock", tree / ".venv" / "requirements.lock")
    subprocess.run(["make", "environment"], cwd=tree, check=True, capture_output=True)
    made = tree / ".venv/bin/rostrum"
    assert made.read_text() == (ROOT / "cli" / "launch.sh").read_text()
    assert os.access(made, os.X_OK)
