"""Imports and exports by the commands as processes, to a suite as a process."""

import asyncio
import json
import random
import re
import time
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from cli.importing.plan import Planner
from cli.importing.sample import RESULT, SHIPPED
from cli.importing.sample.writing import one_chat as sample
from cli.importing.sample.writing import whole_account
from cli.importing.tests.expected import Wanted, originals, wanted
from cli.importing.tests.json_values import message, one_chat
from cli.importing.wording import Wording
from cli.tests.deployment import Deployment, deployed
from libs.testing.eventually import eventually
from rostrum import Client, Message

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

# Of the sample: two texts of them are long.
SOME = 450
KILLS = 6
SEED = 20_210_517
SOON_S = 60.0
ODD = "a\0b\x1f\x7f \u202e\ufeff\ufffe \U0001f468\u200d\U0001f469 \u0600 </script> &amp; '\"\\"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    async with deployed(tmp_path_factory.mktemp("deployment")) as running:
        yield running


def _file(folder: Path, messages: list[Any]) -> Path:
    file = folder / "result.json"
    file.write_text(json.dumps(one_chat(messages)))
    return file


async def _entries(client: Client, channel: str) -> list[Message]:
    return [each async for each in client.history(channel) if isinstance(each, Message)]


def _as_wanted(entries: Sequence[Message]) -> list[Wanted]:
    """Texts with the numbers of those that they answer; an id may be that of something void."""
    numbers = {entry.id: number for number, entry in enumerate(entries, start=1)}
    return [
        Wanted(entry.text, None if entry.reply_to is None else numbers[entry.reply_to])
        for entry in entries
    ]


async def test_the_shipped_export_is_imported_and_exported_again(
    there: Deployment, tmp_path: Path
) -> None:
    progress, lines = tmp_path / "progress", tmp_path / "lines"
    to = ("--create", "Allotments", "--progress", progress, "--json")
    told = (await there.run("import", RESULT, *to)).document
    assert told["is_complete"]
    assert told["messages"] == SHIPPED == told["taken"] + told["not_taken"]
    ended = await there.run("export", told["channel"], "--output", lines)
    assert f"entries: {told['entries']:,} ({told['entries']:,} message)" in ended.err
    exported = [json.loads(line) for line in lines.read_text("utf-8").splitlines()]
    assert [line["id"] for line in exported] == list(range(1, told["entries"] + 1))
    assert [Wanted(line["text"], line.get("reply_to")) for line in exported] == wanted(RESULT)
    again = (await there.run("import", RESULT, *to)).document
    assert again == told | {"entries_of_earlier_runs": told["entries"]}
    assert (await there.client.channel(told["channel"])).head == told["entries"]


async def test_plain_texts_come_back_as_they_were(there: Deployment, tmp_path: Path) -> None:
    """Those of messages without media; parts put together."""
    file = tmp_path / "result.json"
    file.write_text("".join(sample(SOME)), "utf-8")
    told = (
        await there.run("import", file, "--create", "Plain", "--plain", "--no-media-notes",
                        "--progress", tmp_path / "progress", "--json")
    ).document  # fmt: skip
    ended = await there.run("export", told["channel"])
    texts = [json.loads(line)["text"] for line in ended.out.splitlines()]
    joined: list[str] = []
    for text in texts:
        part = re.match(r"part (\d+) of \d+\n", text)
        if part is None:
            joined.append(text)
        elif part[1] == "1":
            joined.append(text[part.end() :])
        else:
            joined[-1] += text[part.end() :]
    missing = [text for text in originals(file) if text not in joined]
    assert missing == []
    assert len(joined) == told["taken"]


async def test_one_chat_of_an_account_goes_after_what_the_channel_had(
    there: Deployment, tmp_path: Path
) -> None:
    file = tmp_path / "result.json"
    file.write_text("".join(whole_account(100)), "utf-8")
    channel = (await there.client.create_channel("Older")).id
    old = await there.client.post(channel, "older than all of it")
    refused = await there.run("import", file, "--channel", channel)
    assert refused.code == 1
    assert (
        "say with --chat which one; there are\n  5100001: saved_messages (10 messages)"
        in refused.err
    )
    ended = await there.run(
        "import", file, "--channel", channel, "--chat", "Harbour Allotments", "--service", "--json"
    )
    assert ended.document["messages"] == 100
    assert (tmp_path / "result.json.progress").exists()
    planner = Planner(Wording(), with_service=True)
    imported = (await _entries(there.client, channel))[old.id :]
    assert _as_wanted(imported) == wanted(file, planner, chat=1)


@pytest.mark.parametrize("what", ["file", "channel", "options"])
async def test_a_progress_file_is_of_one_import(
    there: Deployment, tmp_path: Path, what: str
) -> None:
    file = _file(tmp_path, [message()])
    await there.run("import", file, "--create", "Shed")
    if what == "file":
        _file(tmp_path, [message(), message(2)])
    channel = "4TXDC0WM478S8295VKKM0AAMCJ"
    to = ("--channel", channel) if what == "channel" else ("--create", "Shed")
    ended = await there.run("import", file, *to, *(["--plain"] if what == "options" else []))
    assert ended.code == 1
    assert "belongs to an import whose " in ended.err
    assert "name another file with --progress" in ended.err


async def test_odd_texts_come_through_and_a_refused_one_is_told(
    there: Deployment, tmp_path: Path
) -> None:
    crowd = " ".join(f"@handle{number:03}" for number in range(51))
    file = _file(tmp_path, [message(1, ODD), message(2, crowd), message(3, "after")])
    told = (await there.run("import", file, "--create", "Odd", "--plain", "--json")).document
    assert [entry.text for entry in await _entries(there.client, told["channel"])] == [ODD, "after"]
    assert told["not_taken_by_reason"] == {"refused: field_invalid": {"count": 1, "first_ids": [2]}}


async def test_whoever_may_not_post_is_told_so_and_may_go_on_later(
    there: Deployment, tmp_path: Path
) -> None:
    file, progress = _file(tmp_path, [message()]), tmp_path / "progress"
    async with Client(there.suite.url) as jonas:
        await jonas.sign_up("jonas", "correct horse battery", name="Jonas")
        await jonas.sign_in("jonas", "correct horse battery")
        channel = (await jonas.create_channel("Gate", visibility="public", handle="gate")).id
        args = ("import", file, "--channel", "@gate", "--progress", progress)
        ended = await there.run(*args)
        assert ended.code == 1
        assert "0 of 1 messages so far" in ended.err
        assert "run the same command again to go on" in ended.err
        await there.client.join(channel)
        assert (await there.run(*args)).code == 0
        assert "entries: 1 (1 message)" in (await there.run("export", "@gate")).err


async def test_with_a_token_alone_nothing_else_is_needed(there: Deployment, tmp_path: Path) -> None:
    file = _file(tmp_path, [message()])
    token = ("--token", there.client.session.access_token, "--sessions", tmp_path / "none")
    assert (await there.run("import", file, "--create", "Token", *token)).code == 0
    nobody = await there.run("import", file, "--create", "Token", "--sessions", tmp_path / "none")
    assert nobody.code == 1
    assert "give an access token with --token" in nobody.err


async def test_killed_again_and_again_it_goes_on_without_a_double_or_a_hole(
    there: Deployment, tmp_path: Path
) -> None:
    dice = random.Random(SEED)
    file = tmp_path / "result.json"
    file.write_text("".join(sample(SOME)), "utf-8")
    channel = (await there.client.create_channel("Killed")).id
    whole = wanted(file)
    moments = sorted(dice.sample(range(20, len(whole)), KILLS))
    args = ("import", file, "--channel", channel)
    for moment in moments:
        process = await there.start(*args)
        await eventually(
            partial(_has, there.client, channel, moment),
            within_s=SOON_S,
            every_s=dice.uniform(0.01, 0.05),
            what=f"{moment} entries are there",
        )
        process.kill()
        await process.wait()
    told = (await there.run(*args, "--json")).document
    assert _as_wanted(await _entries(there.client, channel)) == whole
    assert told["entries"] == len(whole)
    assert told["taken"] + told["not_taken"] == SOME


async def _has(client: Client, channel: str, count: int) -> bool:
    return (await client.page(channel, limit=1)).head >= count


async def test_a_suite_that_is_killed_meanwhile_breaks_nothing(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    file.write_text("".join(sample(SOME)), "utf-8")
    async with deployed(tmp_path / "own") as own:
        channel = (await own.client.create_channel("Restarted")).id
        process = await own.start("import", file, "--channel", channel, "--json")
        for moment in (50, 200):
            await eventually(
                partial(_has, own.client, channel, moment),
                within_s=SOON_S,
                what=f"{moment} entries are there",
            )
            await own.suite.kill()
            await own.suite.start()
        out, err = await process.communicate()
        assert process.returncode == 0, err
        assert json.loads(out)["entries"] == len(wanted(file))
        assert _as_wanted(await _entries(own.client, channel)) == wanted(file)


async def test_it_goes_at_the_limit_that_the_gateway_gives(tmp_path: Path) -> None:
    rate, burst, posts = 20, 10, 60
    file = _file(tmp_path, [message(ident) for ident in range(1, posts + 1)])
    limits = {"gateway_posts_per_s": str(rate), "gateway_posts_burst": str(burst)}
    async with deployed(tmp_path / "own", **limits) as own:
        began = time.monotonic()
        told = (await own.run("import", file, "--create", "Slow", "--json")).document
        took_s = time.monotonic() - began
    assert told["taken"] == posts
    assert took_s >= (posts - burst) / rate


async def test_an_import_that_is_interrupted_tells_how_far_it_is(tmp_path: Path) -> None:
    """Ctrl-C amid a wait for the limit."""
    limits = {"gateway_posts_per_s": "1", "gateway_posts_burst": "5"}
    file = _file(tmp_path, [message(ident) for ident in range(1, 100)])
    async with deployed(tmp_path / "own", **limits) as own:
        channel = (await own.client.create_channel("Interrupted")).id
        process = await own.start("import", file, "--channel", channel, "--json")
        await eventually(
            partial(_has, own.client, channel, 5), within_s=SOON_S, what="the first entries"
        )
        process.send_signal(2)
        out, err = await asyncio.wait_for(process.communicate(), SOON_S)
    assert process.returncode == 1
    told = json.loads(out)
    assert not told["is_complete"]
    assert 5 <= told["taken"] < 99
    assert f"{told['taken']} of 99 messages so far: interrupted" in err.decode()
