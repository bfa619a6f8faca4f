"""The README's examples run as pasted, on a fresh server."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from clients.python.tests.programs import SOURCE
from harness.gateways import QUICK
from harness.suite import Suite

PACKAGE = SOURCE.parent
ADDRESS = "http://localhost:8080"
WITHIN_S = 60
INSTALL_S = 300


@pytest_asyncio.fixture
async def fresh(tmp_path: Path) -> AsyncIterator[Suite]:
    """A gateway where nobody was before."""
    async with Suite(tmp_path / "data", **QUICK) as suite:
        yield suite


def examples() -> list[str]:
    text = (PACKAGE / "README.md").read_text("utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.S)


async def ran(*command: str, folder: Path, within_s: float = WITHIN_S) -> str:
    """What a command printed, without this tree on its path unless it names it."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    program = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=environ, stdout=PIPE, stderr=STDOUT
    )
    async with asyncio.timeout(within_s):
        output, _ = await program.communicate()
    assert program.returncode == 0, output.decode()
    return output.decode()


async def pasted(python: str, example: str, suite: Suite, folder: Path) -> str:
    assert ADDRESS in example
    return await ran(python, "-c", example.replace(ADDRESS, suite.url), folder=folder)


async def test_the_examples_of_the_readme_work_as_pasted_one_after_the_other(
    fresh: Suite, tmp_path: Path
) -> None:
    """Where this tree is on the path."""
    place = f"import sys; sys.path.insert(0, {str(SOURCE)!r})\n"
    shown = [await pasted(sys.executable, place + each, fresh, tmp_path) for each in examples()]
    assert shown == ["1 hello\n", "First light 1\n", "Grace\n", "", "hello\n"]


@pytest.mark.long
@pytest.mark.timeout(2 * INSTALL_S)
async def test_the_package_installs_alone_and_its_first_example_works(
    fresh: Suite, tmp_path: Path
) -> None:
    """`pip install ./clients/python` in a fresh environment brings all that is needed, and nothing
    of the server."""
    python = str(tmp_path / "venv" / "bin" / "python")
    await ran(sys.executable, "-m", "venv", str(tmp_path / "venv"), folder=tmp_path)
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(PACKAGE))
    await ran(python, *install, folder=tmp_path, within_s=INSTALL_S)
    assert await pasted(python, examples()[0], fresh, tmp_path) == "1 hello\n"
    found = await ran(python, "-c", FIND, folder=tmp_path)
    assert found.split() == ["rostrum", "True"]


FIND = """
from importlib.resources import files
from importlib.util import find_spec
print(*(name for name in ("rostrum", "libs", "services", "cli") if find_spec(name)))
print((files("rostrum") / "py.typed").is_file())
"""
