"""Mentions: parsed from the text, resolved by session in one call, and never waited for long."""

import asyncio
import re

import pytest

from libs.log.port import Log
from libs.testing.clock import VirtualClock
from libs.testing.eventually import eventually
from libs.wire import ids
from libs.wire.api import HANDLES_MAX
from libs.wire.codes import Refused
from libs.wire.records import Message, decode
from services.chat.clients import AWAY_S
from services.chat.metrics import MENTIONS_UNRESOLVED
from services.chat.model import MENTIONS_MAX, handles_in
from services.chat.settings import Settings
from services.chat.tests.instance import (
    ANNA,
    BEN,
    SOON_S,
    Instance,
    entries,
    item,
    records,
    running,
)
from services.session.model import HANDLE_PATTERN


@pytest.mark.parametrize(
    ("text", "handles"),
    [
        ("hello", ()),
        ("@anna", ("anna",)),
        ("@Anna, @BEN and @anna!", ("anna", "ben")),
        ("(@anna) \u201c@ben\u201d\n@cleo_9", ("anna", "ben", "cleo_9")),
        ("Thanks @anna.", ("anna",)),
        ("@anna's", ("anna",)),
        ("write to anna@example.com", ()),
        ("a.b+c-@example.com or ann\u00e9@example.com", ()),
        ("@anna@example.social", ()),
        ("@@anna", ()),
        ("https://example.com/@anna", ()),
        ("@an @9anna @_anna @", ()),
        ("@" + "a" * 32, ("a" * 32,)),
        ("@" + "a" * 33, ()),
        ("@ann\u00e9", ()),
    ],
)
def test_handles_are_found_in_texts(text: str, handles: tuple[str, ...]) -> None:
    assert handles_in(text) == handles


def test_a_mention_has_the_form_that_session_gives_out() -> None:
    for handle in ("abc", "a" * 32, "A_9", "ab", "a" * 33, "9ab", "a-b"):
        is_mention = handles_in(f"@{handle} ") == (handle.lower(),)
        assert is_mention == (re.fullmatch(HANDLE_PATTERN, handle) is not None)


def test_more_than_fifty_are_refused() -> None:
    text = " ".join(f"@user_{number}" for number in range(MENTIONS_MAX))
    assert len(handles_in(text + " @USER_0")) == MENTIONS_MAX
    with pytest.raises(Refused):
        handles_in(text + " @more")


async def _mentions(log: Log) -> list[tuple[str, ...]]:
    found = [decode(stored.value) for stored in await records(log)]
    return [record.mentions for record in found if isinstance(record, Message)]


def _people(chat: Instance) -> None:
    chat.accounts.users |= {"anna": ANNA, "ben": BEN}


async def test_a_record_names_the_users_meant_each_once(chat: Instance, log: Log) -> None:
    _people(chat)
    await chat.post("@BEN @anna @nobody @Ben")
    assert await _mentions(log) == [(BEN, ANNA)]
    assert (await entries(log))[0].mentions == (BEN, ANNA)


async def test_a_text_with_too_many_is_refused_and_nobody_is_asked(
    chat: Instance, log: Log
) -> None:
    answer = await chat.post(" ".join(f"@user_{number}" for number in range(51)))
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["field"]) == (422, "field_invalid", "text")
    assert await entries(log) == []
    assert chat.accounts.asked == []


async def test_a_batch_asks_once_and_posts_without_mentions_never(chat: Instance, log: Log) -> None:
    _people(chat)
    await chat.post("nobody")
    await chat.batch(item("@anna @ben", "d1"), item("@ben", "d2"), item("@cleo", "d3"))
    assert [set(asked) for asked in chat.accounts.asked] == [{"anna", "ben", "cleo"}]
    assert await _mentions(log) == [(), (ANNA, BEN), (BEN,), ()]


async def test_an_answer_is_remembered_for_a_while(log: Log) -> None:
    clock = VirtualClock()
    async with running(log, clock=clock) as chat:
        _people(chat)
        for number in range(2):
            await chat.post("@anna @cleo", f"c{number}")
        assert len(chat.accounts.asked) == 1
        chat.accounts.users["cleo"] = ids.derived("user", "cleo")
        clock.advance(10)
        await chat.post("@cleo", "c3")
        assert chat.accounts.asked[1:] == [("cleo",)]
    assert (await _mentions(log))[-1] == (ids.derived("user", "cleo"),)


async def test_without_session_posts_go_on_unresolved_and_are_counted(log: Log) -> None:
    clock, before = VirtualClock(), MENTIONS_UNRESOLVED._value.get()
    async with running(log, clock=clock) as chat:
        _people(chat)
        await chat.post("@anna", "c0")
        chat.accounts.away = True
        assert (await chat.post("@ben @anna", "c1")).status_code == 201
        assert (await chat.post("@ben", "c2")).status_code == 201
        # It was asked once and is left alone for a moment.
        assert len(chat.accounts.asked) == 2
        chat.accounts.away = False
        clock.advance(AWAY_S)
        await chat.post("@ben", "c3")
    assert await _mentions(log) == [(ANNA,), (ANNA,), (), (BEN,)]
    assert MENTIONS_UNRESOLVED._value.get() - before == 2


async def test_a_session_that_hangs_is_waited_for_shortly(log: Log) -> None:
    async with running(log, Settings(handles_s=0.02), clock=VirtualClock()) as chat:
        chat.accounts.go.clear()
        replies = await chat.batch(*(item(f"@user_{n}", f"c{n}") for n in range(20)))
        assert {reply.status for reply in replies} == {201}
        assert len(chat.accounts.asked) == 1


async def test_who_waits_behind_a_call_that_fails_is_not_asked_for(log: Log) -> None:
    async with running(log, Settings(handles_s=0.05), clock=VirtualClock()) as chat:
        chat.accounts.go.clear()
        first = asyncio.create_task(chat.post("@anna", "c1"))
        await eventually(lambda: chat.accounts.asked, within_s=SOON_S, what="the first call")
        second = asyncio.create_task(chat.post("@ben", "c2"))
        assert {(await first).status_code, (await second).status_code} == {201}
        assert chat.accounts.asked == [("anna",)]


async def test_memory_and_questions_have_bounds(log: Log) -> None:
    settings = Settings(handles_memory=HANDLES_MAX, handles_kept_s=60)
    async with running(log, settings, clock=VirtualClock()) as chat:
        texts = [" ".join(f"@u{batch}_{n}" for n in range(50)) for batch in range(21)]
        await chat.batch(*(item(text, f"c{n}") for n, text in enumerate(texts)))
        assert [len(asked) for asked in chat.accounts.asked] == [HANDLES_MAX, 50]
        # The first were pushed out by the last.
        await chat.post(texts[0], "d0")
        await chat.post(texts[0], "d1")
        assert [len(asked) for asked in chat.accounts.asked[2:]] == [50]
