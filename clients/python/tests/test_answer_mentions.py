"""The bot answers each mention once, and asks for its password once."""

import random
from pathlib import Path

import pytest

from clients.python.tests.people import PASSWORD, person
from clients.python.tests.programs import ended, example
from clients.python.tests.stage import WITHIN_S, channel_for, line_of, messages
from libs.testing.eventually import eventually
from rostrum import Client

KILLS = 6
MENTIONS = 30


@pytest.mark.timeout(240)
async def test_each_mention_is_answered_once_however_often_the_bot_is_killed(
    url: str, tmp_path: Path
) -> None:
    dice = random.Random(11)
    async with channel_for("helper", url, tmp_path) as (owner, channel):
        words = (url, "helper", channel, str(tmp_path))
        bot = await example("answer_mentions", *words)
        try:
            assert await line_of(bot) == "listens"
            for kill in range(KILLS):
                await _mention(owner, channel, kill)
                await _until_answered(owner, channel, dice.randrange(MENTIONS // KILLS * kill + 1))
                await ended(bot)
                bot = await example("answer_mentions", *words)
            await _until_answered(owner, channel, MENTIONS)
        finally:
            await ended(bot)
        posted = await messages(owner, channel)
    mentions = [one for one in posted if one.text.startswith("@")]
    answers = [one for one in posted if one.reply_to is not None]
    assert len(mentions) == MENTIONS
    assert [one.reply_to for one in answers] == [one.id for one in mentions]
    assert [one.text for one in answers] == [f"you said: {one.text}" for one in mentions]


async def test_what_was_answered_and_not_ticked_off_is_not_answered_again(
    url: str, tmp_path: Path
) -> None:
    """As if it had been killed right after each of its answers."""
    cursors = tmp_path / "cursors.json"
    async with channel_for("lost", url, tmp_path) as (owner, channel):
        words = (url, "lost", channel, str(tmp_path))
        before = b""
        for run in range(3):
            bot = await example("answer_mentions", *words)
            try:
                assert await line_of(bot) == "listens"
                before = before or cursors.read_bytes()
                await owner.post(channel, f"@lost {run}")
                await _until_answered(owner, channel, run + 1)
            finally:
                await ended(bot)
            cursors.write_bytes(before)
        texts = [one.text for one in await messages(owner, channel) if one.reply_to is not None]
    assert texts == [f"you said: @lost {run}" for run in range(3)]


async def _mention(owner: Client, channel: str, kill: int) -> None:
    for number in range(MENTIONS // KILLS):
        await owner.post(channel, f"@helper {kill} {number}")
        await owner.post(channel, "nobody is meant")


async def _until_answered(owner: Client, channel: str, count: int) -> None:
    async def answered() -> bool:
        found = await messages(owner, channel)
        return sum(one.reply_to is not None for one in found) >= count

    await eventually(answered, within_s=WITHIN_S, every_s=0.02, what=f"{count} answers")


async def test_it_asks_for_its_password_once(url: str, tmp_path: Path) -> None:
    async with person(url, "asked") as owner:
        channel = (await owner.create_channel("Asked")).id
    words = (url, "asked", channel, str(tmp_path))
    for typed in [f"{PASSWORD}\n".encode(), b""]:
        bot = await example("answer_mentions", *words)
        assert bot.stdin is not None
        bot.stdin.write(typed)
        try:
            assert (await line_of(bot)).endswith("listens")
        finally:
            await ended(bot)
