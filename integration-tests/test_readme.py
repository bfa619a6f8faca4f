"""The README's first lines work as pasted."""

import asyncio
import re
from pathlib import Path

import pytest

from harness.suite import ROOT, Suite

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_readme_curl_lines_work_as_pasted(embedded: Suite, tmp_path: Path) -> None:
    """Account, sign-in and channel in one terminal, the poll in another, the post in the first: the
    other one shows the message."""
    first, second, third = _blocks()
    await _paste(embedded, tmp_path, first)
    poll = asyncio.ensure_future(_paste(embedded, tmp_path, second))
    posted = await _paste(embedded, tmp_path, third)
    async with asyncio.timeout(60):
        polled = await poll
    assert '"id":1' in posted
    assert "hello" in polled


def _blocks() -> list[str]:
    text = (ROOT / "README.md").read_text()
    return [block for block in re.findall(r"```sh\n(.*?)```", text, re.S) if "curl" in block]


async def _paste(suite: Suite, home: Path, block: str) -> str:
    pasted = block.replace("localhost:8080", f"localhost:{suite.port}").replace(
        "/tmp/rostrum.env", str(home / "rostrum.env")
    )
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-euc",
        pasted,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()
