"""WebSocket streams, over the server of the product, in both forms."""

import asyncio
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from libs.testing.eventually import eventually
from libs.testing.served import served
from libs.wire import streams
from libs.wire.api import PostReply
from libs.wire.frames import Snapshot
from libs.wire.streams import JSON_PROTOCOL
from services.gateway.streams.talk import FRAME_SIZE_MAX
from services.gateway.tests.edge import CHANNEL, WITHIN_S, edge
from services.gateway.tests.fakes import ident
from services.gateway.tests.listeners import entries
from services.gateway.tests.talkers import FORMS, Frame, Talker, open_talk, talking

SECOND = "0" * 25 + "2"

pytestmark = pytest.mark.parametrize("form", FORMS, ids=["json", "msgpack"])


def ids(frame: Frame) -> list[int]:
    assert frame["type"] == "entries", frame
    return [each["id"] for each in frame["entries"]]


async def watched(talker: Talker, cursor: str | None, channel: str = CHANNEL) -> Frame:
    await talker.watch(**{channel: cursor})
    frame = await talker.hear()
    assert frame["type"] == "watched", frame
    return frame


async def test_who_watches_gets_what_was_missed_and_then_what_comes(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        it.channel(head=10)
        frame = await watched(talker, "1-7")
        assert (frame["cursor"], frame["head"], frame["first"]) == ("1-7", 10, 1)
        assert ids(await talker.hear()) == [8, 9, 10]
        for number in (11, 12):
            await it.relay.append(CHANNEL)
            assert ids(await talker.hear()) == [number]


async def test_without_a_cursor_it_goes_on_from_now(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        it.channel(head=10)
        assert (await watched(talker, None))["cursor"] == "1-10"
        await it.relay.append(CHANNEL, 2)
        assert ids(await talker.hear()) == [11, 12]


async def test_who_is_behind_the_memory_is_served_from_pages(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        it.channel(head=950)
        await watched(talker, "1-330")
        seen: list[int] = []
        while len(seen) < 620:
            seen += ids(await talker.hear())
        await it.relay.append(CHANNEL)
        seen += ids(await talker.hear())
        assert seen == list(range(331, 952))


async def test_who_is_far_behind_jumps_and_goes_on(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        it.channel(head=1_500)
        await talker.watch(**{CHANNEL: "1-1"})
        jump = await talker.hear()
        assert (jump["type"], jump["unread"], jump["cursor"]) == ("jump", 1_499, "1-1500")
        assert (await talker.hear())["type"] == "watched"
        await it.relay.append(CHANNEL)
        assert ids(await talker.hear()) == [1_501]


async def test_a_cursor_of_another_epoch_is_reset_and_goes_on(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        it.channel(head=70, epoch=2, first=50)
        await talker.watch(**{CHANNEL: "1-60"})
        reset = await talker.hear()
        assert (reset["type"], reset["epoch"], reset["cursor"]) == ("reset", 2, "2-70")
        assert (await talker.hear())["cursor"] == "2-70"
        await it.relay.append(CHANNEL)
        assert ids(await talker.hear()) == [71]


async def test_a_new_epoch_resets_who_watches(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        it.channel()
        await watched(talker, None)
        it.channel(head=25, epoch=2, first=20)
        await it.relay.send(Snapshot(CHANNEL, 2, 25, 20, entries(20, 25)))
        assert (await talker.hear())["cursor"] == "2-25"
        assert (await talker.hear())["type"] == "watched"
        await it.relay.append(CHANNEL)
        assert ids(await talker.hear()) == [26]


async def test_many_channels_share_a_stream(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        it.channel(head=10)
        it.channel(SECOND, head=20)
        await watched(talker, "1-10")
        await watched(talker, "1-20", SECOND)
        await it.relay.append(SECOND)
        frame = await talker.hear()
        assert (frame["channel"], ids(frame)) == (SECOND, [21])
        await talker.say("unwatch", channels=[SECOND])
        await it.soon(lambda: len(it.relay.links) == 1, "a moment")
        await pinged(talker)
        await it.relay.append(SECOND)
        await it.relay.append(CHANNEL)
        frame = await talker.hear()
        assert (frame["channel"], ids(frame)) == (CHANNEL, [11])


async def pinged(talker: Talker) -> None:
    await talker.say("ping", ref=7)
    assert await talker.hear() == {"type": "pong", "ref": 7}


async def test_what_may_not_be_watched_is_refused_and_the_stream_goes_on(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        it.channel()
        it.members.refusals["ann", CHANNEL] = "banned"
        for channel, cursor, code in (
            (CHANNEL, "1-1", "banned"),
            (SECOND, None, "channel_unknown"),
            (SECOND, "x", "cursor_malformed"),
        ):
            await talker.watch(**{channel: cursor})
            frame = await talker.hear()
            assert (frame["type"], frame["channel"]) == ("unwatched", channel)
            assert (frame["code"], frame["retry"]) == (code, "no")
        await pinged(talker)


@pytest.mark.law("L9")
async def test_a_ban_ends_the_watch_and_nothing_comes_after_it(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        it.channel()
        await watched(talker, "1-10")
        it.members.refusals["ann", CHANNEL] = "banned"
        await it.change("ann")
        frame = await talker.hear()
        assert (frame["type"], frame["code"]) == ("unwatched", "access_ended")
        await it.relay.append(CHANNEL)
        await pinged(talker)


@pytest.mark.law("L9")
async def test_a_session_that_ends_ends_its_streams(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        it.channel()
        await watched(talker, "1-10")
        await it.revoke("s-ann")
        frame = await talker.hear()
        assert (frame["type"], frame["code"]) == ("error", "token_invalid")
        assert await talker.closed() == streams.CLOSE_TOKEN


async def test_a_token_that_expires_closes_the_stream_a_minute_later(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        welcome = await renewed(it, talker, life_s=100)
        assert 0 < welcome["expires_in"] <= 600
        await it.clock.elapse(655)
        await pinged(talker)
        closing = asyncio.create_task(talker.closed())
        await it.soon(closing.done, "the stream is closed")
        assert await closing == streams.CLOSE_TOKEN
        assert 600 + 60 <= it.clock.monotonic() <= 600 + 60 + 10


async def renewed(it: Any, talker: Talker, *, life_s: int) -> Frame:
    """A token that ends earlier than the one of hello takes nothing away."""
    now_s = it.clock.now_ms() // 1000
    await talker.say("auth", token=it.session.token("ann", exp=now_s + life_s))
    frame = await talker.hear()
    assert frame["type"] == "renewed"
    return frame


async def test_a_renewed_token_keeps_the_stream(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        it.channel()
        await watched(talker, "1-10")
        await it.clock.elapse(500)
        await talker.say("auth", token=it.session.token("ann"))
        assert (await talker.hear())["expires_in"] == 600
        await it.clock.elapse(500)
        await it.relay.append(CHANNEL)
        assert ids(await talker.hear()) == [11]


async def test_a_token_of_somebody_else_ends_the_stream(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        await talker.say("auth", token=it.session.token("bob"))
        assert (await talker.hear())["code"] == "token_invalid"
        assert await talker.closed() == streams.CLOSE_TOKEN


async def test_a_ticket_brings_in_again_without_a_token(form: str) -> None:
    async with edge() as it, served(it.running.app, http=it.running.http) as address:
        async with talking(address, form) as talker:
            ticket = (await talker.greet(it.session.token("ann")))["ticket"]
        asked = it.session.asked
        async with talking(address, form) as talker:
            await talker.say("hello", ticket=ticket)
            frame = await talker.hear()
            assert (frame["type"], frame["user"]) == ("welcome", ident("ann"))
        assert it.session.asked == asked
        async with talking(address, form, headers=it.bearer("bob")) as talker:
            await talker.say("hello", ticket=ticket)
            assert (await talker.hear())["type"] == "error"
            assert await talker.closed() == streams.CLOSE_TOKEN


async def test_a_token_may_come_in_the_header(form: str) -> None:
    async with (
        edge() as it,
        served(it.running.app, http=it.running.http) as address,
        talking(address, form, headers=it.bearer("ann")) as talker,
    ):
        await talker.say("hello")
        assert (await talker.hear())["user"] == ident("ann")


@pytest.mark.parametrize(
    ("frame", "code", "close"),
    [
        ({"type": "ping"}, "hello_missing", streams.CLOSE_MALFORMED),
        ({"type": "hello"}, "token_missing", streams.CLOSE_TOKEN),
        ({"type": "hello", "token": "x"}, "token_invalid", streams.CLOSE_TOKEN),
        ({"type": "hello", "ticket": "x"}, "ticket_invalid", streams.CLOSE_TOKEN),
        ({"type": "hello", "name": "x"}, "frame_malformed", streams.CLOSE_MALFORMED),
        ({"type": "who"}, "frame_malformed", streams.CLOSE_MALFORMED),
        ({}, "frame_malformed", streams.CLOSE_MALFORMED),
    ],
    ids=str,
)
async def test_who_does_not_greet_is_told_why_and_closed(
    form: str, frame: Frame, code: str, close: int
) -> None:
    async with (
        edge() as it,
        served(it.running.app, http=it.running.http) as address,
        talking(address, form) as talker,
    ):
        said = dict(frame)
        await talker.say(said.pop("type", None), **said)
        assert (await talker.hear())["code"] == code
        assert await talker.closed() == close


@pytest.mark.parametrize("raw", ["", "{", "[]", "\x00", b"", b"\xc1", b"\x93\x01", "1" * 70_000])
async def test_what_is_no_frame_ends_the_stream(form: str, raw: str | bytes) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        await talker.link.send(raw)
        assert (await talker.hear())["code"] == "frame_malformed"
        assert await talker.closed() == streams.CLOSE_MALFORMED


async def test_a_frame_that_is_too_large_ends_the_stream(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        await talker.say("ping", ref=1)
        await talker.say("hello", token="x" * FRAME_SIZE_MAX)
        assert (await talker.hear())["type"] == "pong"
        assert (await talker.hear())["code"] == "body_too_large"
        assert await talker.closed() == streams.CLOSE_MALFORMED


async def test_who_posts_too_fast_is_told_when_to_go_on(form: str) -> None:
    async with edge(posts_member_burst=1) as it, open_talk(it, form) as talker:
        it.channel()
        for ref in (1, 2):
            message = {"client_id": str(ref), "text": "hi"}
            await talker.say("post", ref=ref, channel=CHANNEL, message=message)
        told = {frame["ref"]: frame for frame in (await talker.hear(), await talker.hear())}
        assert told[1]["type"] == "posted"
        assert (told[2]["code"], told[2]["retry"]) == ("limit_hit", "yes")
        assert told[2]["retry_after_s"] >= 1
        await pinged(talker)


async def test_a_post_is_answered_with_what_chat_says(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        it.channel()
        message = {"client_id": "k", "text": "hi"}
        await talker.say("post", ref=3, channel=CHANNEL, message=message)
        frame = await talker.hear()
        assert (frame["type"], frame["ref"], frame["status"]) == ("posted", 3, 201)
        assert frame["body"] == {"id": 1}
        assert it.chat.heard[0].user == ident("ann")
        it.chat.reply = PostReply(422, b'{"code":"field_invalid"}')
        await talker.say("post", ref=4, channel=CHANNEL, message=message)
        frame = await talker.hear()
        assert (frame["ref"], frame["status"]) == (4, 422)
        await talker.say("post", ref=5, channel="x", message=message)
        frame = await talker.hear()
        assert (frame["type"], frame["ref"], frame["code"]) == ("error", 5, "channel_unknown")


@pytest.mark.parametrize("offered", ["chat", "rostrum.v2.json"])
async def test_another_protocol_is_refused_before_the_socket_opens(form: str, offered: str) -> None:
    async with edge() as it, served(it.running.app, http=it.running.http) as address:
        del form, it
        with pytest.raises(InvalidStatus) as refused:
            async with talking(address, offered):
                pass
        assert refused.value.response.status_code == 400
        assert b"protocol_unknown" in (refused.value.response.body or b"")


async def test_more_connections_than_may_be_are_told_when_to_come_back(form: str) -> None:
    async with (
        edge(connects_per_s=1.0, connects_burst=1) as it,
        served(it.running.app, http=it.running.http) as address,
        talking(address, form),
    ):
        with pytest.raises(InvalidStatus) as refused:
            async with talking(address, form):
                pass
        assert refused.value.response.status_code == 429
        assert int(refused.value.response.headers["retry-after"]) >= 1
        it.clock.advance(1.0)
        async with talking(address, form):
            pass


async def test_a_user_has_only_so_many_streams(form: str) -> None:
    async with (
        edge(connections_user_max=1) as it,
        served(it.running.app, http=it.running.http) as address,
        talking(address, form) as first,
        talking(address, form) as second,
    ):
        assert (await first.greet(it.session.token("ann")))["type"] == "welcome"
        assert (await second.greet(it.session.token("ann")))["code"] == "limit_hit"
        assert await second.closed() == streams.CLOSE_INTERNAL
        await first.link.close()

        async def again() -> bool:
            async with talking(address, form) as third:
                frame = await third.greet(it.session.token("ann"))
                return str(frame["type"]) == "welcome"

        await eventually(again, within_s=WITHIN_S, what="the seat is free")


async def test_a_stream_watches_only_so_many_channels(form: str) -> None:
    async with edge(watches_max=1) as it, open_talk(it, form) as talker:
        it.channel()
        it.channel(SECOND)
        await watched(talker, None)
        await talker.watch(**{SECOND: None})
        frame = await talker.hear()
        assert (frame["type"], frame["code"]) == ("unwatched", "limit_hit")
        assert frame["retry_after_s"] >= 1
        assert (await watched(talker, "1-10"))["channel"] == CHANNEL


async def test_a_drain_tells_when_to_come_back_and_closes(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        it.channel()
        await watched(talker, None)
        drained = asyncio.ensure_future(it.running.drain(0.0))
        frame = await talker.hear()
        assert frame["type"] == "drain"
        assert frame["reconnect_after_ms"] >= 0
        assert await talker.closed() == streams.CLOSE_DRAIN
        await it.soon(drained.done, "the drain ends")


async def test_a_silent_stream_hears_that_we_live(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        beat = asyncio.create_task(talker.link.recv())
        await it.soon(beat.done, "a beat")
        raw = await beat
        assert b"beat" in (raw.encode() if isinstance(raw, str) else raw)
        assert JSON_PROTOCOL in FORMS
