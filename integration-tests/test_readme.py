"""The README's first lines work as pasted."""

import asyncio
import re
from asyncio.subprocess import Process
from pathlib import Path

import pytest

from harness.suite import ROOT, Suite

WITHIN_S = 60

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_readme_curl_lines_work_as_pasted(embedded: Suite, tmp_path: Path) -> None:
    """Account, sign-in and channel in one terminal, the poll and the stream in others, the post in
    the first: the others show the message."""
    first, second, third, fourth = _blocks()
    await _paste(embedded, tmp_path, first)
    poll = asyncio.ensure_future(_paste(embedded, tmp_path, second))
    # The shell becomes the stream, so that it ends when it is told to.
    stream = await _start(embedded, tmp_path, third.replace("curl", "exec curl"))
    try:
        await _shown(stream, '"type":"watched"')
        posted = await _paste(embedded, tmp_path, fourth)
        await _shown(stream, "hello")
    finally:
        stream.terminate()
        await stream.communicate()
    async with asyncio.timeout(WITHIN_S):
        polled = await poll
    assert '"id":1' in posted
    assert "hello" in polled


def _blocks() -> list[str]:
    text = (ROOT / "README.md").read_text()
    return [block for block in re.findall(r"```sh\n(.*?)```", text, re.S) if "curl" in block]


async def _shown(process: Process, text: str) -> None:
    """Return when it has shown a line with this."""
    assert process.stdout is not None
    line = ""
    async with asyncio.timeout(WITHIN_S):
        while text not in line:
            line = (await process.stdout.readline()).decode()
            assert line, f"it ended before {text}"


async def _paste(suite: Suite, home: Path, block: str) -> str:
    process = await _start(suite, home, block)
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def _start(suite: Suite, home: Path, block: str) -> Process:
    pasted = block.replace("localhost:8080", f"localhost:{suite.port}").replace(
        "/tmp/rostrum.env", str(home / "rostrum.env")
    )
    return await asyncio.create_subprocess_exec(
        "bash",
        "-euc",
        pasted,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
