"""Each law finds the sin that is planted for it, and leaves alone what only looks like one."""

from importlib import import_module
from pathlib import Path

import pytest

from tests.sins import GOOD_TABLE, SINS, TABLE, Sin

INNOCENT = {
    "imports": ("services/chat/handlers.py", "from libs.wire import ids\nfrom .model import f\n"),
    "doors": (
        "services/chat/store.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from redis.asyncio import Redis\n"
        "async def f(group, clock):\n    group.create_task(clock.time())\n",
    ),
    "purity": ("services/chat/model.py", "import re\nfrom libs.wire.ids import UserId\n"),
    "budgets": (
        "libs/a.py",
        "def f(self, a, b, c, d, *, e):\n    if a:\n        pass\n    elif b:\n        pass\n"
        "    elif c:\n        pass\n",
    ),
    "names": ("libs/database.py", "def inform(base): ...\n"),
    "leftovers": ("docs/a.md", "GET /v1/network/home and ./work/x, type: ignore\n"),
    "once": ("services/chat/app.py", "x = {'members': 1, 'session': 2}\n"),
    "readmes": (
        "services/chat/README.md",
        "# chat\n## Owns\n## Reads\n## Writes\n## Calls\n## If it dies\n## Limits\n",
    ),
    "tests_run": (
        "tests/test_a.py",
        "import asyncio\nimport pytest\n"
        "@pytest.mark.skipif(True, reason='a fact')\nasync def test_a():\n"
        "    await asyncio.sleep(0)\n",
    ),
    "codes": (
        "libs/a.py",
        "from libs.log.port import OutcomeUnknown\nfrom libs.wire.codes import Refused, TryAgain\n"
        "raise OutcomeUnknown('late', Refused('route_unknown', TryAgain('draining', '')))\n",
    ),
}


@pytest.mark.parametrize("sin", SINS, ids=lambda sin: f"{sin.law}-{sin.says}")
def test_a_planted_sin_is_named_with_file_and_line(sin: Sin, tmp_path: Path) -> None:
    plant(tmp_path, sin.law, sin.path, sin.text)
    found = judged(sin.law, tmp_path)
    place = f"{sin.path}:{sin.line}: "
    assert any(line.startswith(place) and sin.says in line for line in found), found


@pytest.mark.parametrize("law", INNOCENT)
def test_what_only_looks_like_a_sin_is_left_alone(law: str, tmp_path: Path) -> None:
    path, text = INNOCENT[law]
    plant(tmp_path, law, path, text)
    assert judged(law, tmp_path) == []


def test_every_law_has_a_sin_and_an_innocent() -> None:
    laws = {
        path.stem
        for path in (Path(__file__).parent / "law").glob("*.py")
        if "\ndef violations(" in path.read_text("utf-8")
    }
    assert laws == {sin.law for sin in SINS} == set(INNOCENT)


def test_what_git_ignores_is_not_judged(tmp_path: Path) -> None:
    plant(tmp_path, "names", "var/utils.py", "")
    (tmp_path / ".gitignore").write_text("var/\n", "utf-8")
    assert judged("names", tmp_path) == []


def plant(root: Path, law: str, path: str, text: str) -> None:
    """Write the file, and what its law needs beside it."""
    beside = {"codes": (TABLE, GOOD_TABLE), "readmes": ("services/chat/app.py", "")}
    for where, content in (beside.get(law, (path, text)), (path, text)):
        target = root / where
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, "utf-8")


def judged(law: str, root: Path) -> list[str]:
    """What a law says about a tree."""
    found: list[str] = import_module(f"tests.law.{law}").violations(root)
    return found
