"""Exports by the command as a process, of a suite as a process."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from cli.tests.deployment import Deployment, deployed
from libs.testing.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

POSTS = 450
SOON_S = 60.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    folder = tmp_path_factory.mktemp("deployment")
    # One page at once, and a second until the next: there is time to kill it.
    async with deployed(folder, gateway_pages_per_s="1", gateway_pages_burst="1") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def channel(there: Deployment) -> str:
    made = (await there.client.create_channel("Exported")).id
    for number in range(1, POSTS + 1):
        await there.client.post(made, f"text {number}")
    return made


def _ids(text: str) -> list[int]:
    return [json.loads(line)["id"] for line in text.splitlines()]


async def test_all_entries_are_written_and_counted(there: Deployment, channel: str) -> None:
    ended = await there.run("export", channel)
    assert _ids(ended.out) == list(range(1, POSTS + 1))
    assert ended.err.strip() == "entries: 450 (450 message)"


@pytest.mark.parametrize("after", ["1-440", "440"])
async def test_only_what_comes_after_a_place_is_written(
    there: Deployment, channel: str, after: str
) -> None:
    ended = await there.run("export", channel, "--after", after)
    assert _ids(ended.out) == list(range(441, POSTS + 1))


async def test_an_export_that_is_killed_goes_on_after_its_last_line(
    there: Deployment, channel: str, tmp_path: Path
) -> None:
    file = tmp_path / "lines"
    for _ in range(3):
        had = file.stat().st_size if file.exists() else 0
        process = await there.start("export", channel, "--output", file)
        await eventually(
            partial(_is_larger, file, had), within_s=SOON_S, every_s=0.001, what="more lines"
        )
        process.kill()
        await process.wait()
    ended = await there.run("export", channel, "--output", file)
    assert ended.code == 0, ended.err
    assert _ids(file.read_text()) == list(range(1, POSTS + 1))
    again = await there.run("export", channel, "--output", file)
    assert again.err.strip() == "entries: 0"


def _is_larger(file: Path, size: int) -> bool:
    return file.exists() and file.stat().st_size > size


@pytest.mark.parametrize(
    ("args", "said", "code"),
    [
        (("0" * 26,), "channel_unknown", 1),
        (("CHANNEL", "--after", "yesterday"), "'yesterday' is no place: give a cursor", 2),
        (("CHANNEL", "--after", "7-1"), "are of epoch 1 now", 1),
        (("CHANNEL", "--after", "9999"), "entries: 0", 0),
        (("CHANNEL", "--output", "/no/such/folder/lines"), "cannot be written", 1),
    ],
)
async def test_what_is_wrong_is_told(
    there: Deployment, channel: str, args: tuple[str, ...], said: str, code: int
) -> None:
    ended = await there.run("export", *(channel if arg == "CHANNEL" else arg for arg in args))
    assert said in ended.err
    assert (ended.code, ended.out) == (code, "")
