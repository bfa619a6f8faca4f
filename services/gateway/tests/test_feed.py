"""The link to a relay: over a real WebSocket, whatever the relay does nothing is lost."""

import asyncio

import httpx
import pytest

from libs.testing.eventually import eventually
from libs.wire.frames import Appended, Snapshot, Unwatch, Unwatched
from services.gateway.feed import SILENT_S
from services.gateway.tests.edge import CHANNEL, Edge, edge
from services.gateway.tests.listeners import entries, entry

SILENCE_S = SILENT_S + 5
SECOND = "0" * 25 + "2"


async def ids_of(it: Edge, poll: "asyncio.Task[httpx.Response]") -> list[int]:
    reply = await it.ended(poll)
    return [each["id"] for each in reply.json()["entries"]]


async def followed(it: Edge, after: int, head: int) -> list[int]:
    """What a client gets who polls on from a cursor until it has seen `head`."""
    seen: list[int] = []
    while after < head:
        reply = await it.ended(it.polling(f"1-{after}"))
        told = reply.json()
        seen += [each["id"] for each in told["entries"]]
        after = int(told["cursor"].partition("-")[2])
    return seen


async def test_a_channel_is_watched_once_however_many_listen() -> None:
    async with edge() as it:
        it.channel()
        polls = [it.polling("1-10", user=f"u{number}") for number in range(20)]
        await it.parked(20)
        assert it.relay.watches(CHANNEL) == [-1]
        await it.relay.append(CHANNEL)
        for poll in polls:
            assert await ids_of(it, poll) == [11]


async def test_a_gap_is_watched_anew_from_the_head_and_nothing_is_lost() -> None:
    async with edge() as it:
        it.channel()
        poll = it.polling("1-10")
        await it.parked(1)
        await it.relay.append(CHANNEL, 3, told=False)
        await it.relay.append(CHANNEL)
        assert await ids_of(it, poll) == [11, 12, 13, 14]
        assert it.relay.watches(CHANNEL) == [-1, 10]


async def test_a_gap_that_no_snapshot_can_close_is_read_from_pages() -> None:
    async with edge() as it:
        it.channel()
        poll = it.polling("1-10")
        await it.parked(1)
        await it.relay.append(CHANNEL, 400, told=False)
        await it.relay.append(CHANNEL)
        first = await ids_of(it, poll)
        assert first == list(range(11, 101))
        assert await followed(it, 100, 411) == list(range(101, 412))


async def test_what_was_heard_already_is_ignored() -> None:
    async with edge() as it:
        it.channel()
        await it.poll()
        await it.relay.append(CHANNEL, 2)
        again = Appended(CHANNEL, 1, entries(9, 12))
        for _ in range(3):
            await it.relay.send(again)
        await it.relay.append(CHANNEL)
        assert await followed(it, 8, 13) == [9, 10, 11, 12, 13]
        assert it.relay.watches(CHANNEL) == [-1]


async def test_a_frame_that_overlaps_brings_what_is_new_in_it() -> None:
    async with edge() as it:
        it.channel()
        poll = it.polling("1-10")
        await it.parked(1)
        await it.relay.send(Appended(CHANNEL, 1, entries(8, 12)))
        assert await ids_of(it, poll) == [11, 12]


async def test_a_relay_that_comes_back_is_watched_from_the_head() -> None:
    async with edge() as it:
        it.channel()
        poll = it.polling("1-10")
        await it.parked(1)
        await it.relay.append(CHANNEL, 2)
        assert await ids_of(it, poll) == [11, 12]
        poll = it.polling("1-12", wait=50)
        await it.parked(1)
        await it.relay.stop()
        await it.soon(it.running.lacks, "the gateway is not ready")
        assert not poll.done()
        await it.relay.append(CHANNEL, 3, told=False)
        await it.relay.start()
        assert await ids_of(it, poll) == [13, 14, 15]
        assert it.relay.watches(CHANNEL) == [-1, 12]
        assert it.running.lacks() == []


async def test_a_channel_that_is_asked_for_while_no_relay_is_there_opens_when_one_comes() -> None:
    async with edge() as it:
        it.channel()
        await it.relay.stop()
        poll = it.polling("1-8")
        await it.soon(it.running.lacks, "the gateway is not ready")
        await it.relay.start()
        assert await ids_of(it, poll) == [9, 10]


async def test_a_silent_relay_is_left_and_the_link_made_anew() -> None:
    async with edge() as it:
        it.channel()
        poll = it.polling("1-10", wait=50)
        await it.parked(1)
        began = asyncio.get_running_loop().time()
        await eventually(it.running.lacks, within_s=SILENCE_S, what="the gateway is not ready")
        assert asyncio.get_running_loop().time() - began > SILENT_S - 1
        await it.soon(lambda: it.relay.watches(CHANNEL) == [-1, 10], "the channel is watched")
        assert it.relay.connects == 2
        await it.relay.append(CHANNEL)
        assert await ids_of(it, poll) == [11]


async def test_bytes_that_are_no_frame_break_the_link_and_nothing_else() -> None:
    async with edge() as it:
        it.channel()
        poll = it.polling("1-10")
        await it.parked(1)
        for link in list(it.relay.links):
            await link.send(b"\xc1 no msgpack")
        await it.soon(lambda: it.relay.connects > 1, "the link is made anew")
        await it.soon(lambda: it.relay.watches(CHANNEL) == [-1, 10], "the channel is watched")
        await it.relay.append(CHANNEL)
        assert await ids_of(it, poll) == [11]


async def test_a_channel_that_the_relay_gives_up_refuses_those_who_wait() -> None:
    async with edge() as it:
        it.channel()
        poll = it.polling("1-10")
        await it.parked(1)
        await it.relay.send(Unwatched(CHANNEL, "channel_unknown"))
        reply = await it.ended(poll)
        assert (reply.status_code, reply.json()["code"]) == (404, "channel_unknown")
        assert (await it.poll()).json()["cursor"] == "1-10"


async def test_a_channel_that_the_relay_does_not_know_is_refused_at_once() -> None:
    async with edge() as it:
        it.members.public.add(SECOND)
        reply = await it.poll(SECOND)
        assert (reply.status_code, reply.json()["code"]) == (404, "channel_unknown")
        it.channel(SECOND, head=0)
        assert (await it.poll(SECOND)).json()["cursor"] == "1-0"


@pytest.mark.parametrize("is_asked", [True, False], ids=["gap", "sent"])
async def test_a_new_epoch_resets_those_who_wait(is_asked: bool) -> None:
    async with edge() as it:
        it.channel()
        poll = it.polling("1-10")
        await it.parked(1)
        it.channel(head=25, epoch=2, first=20)
        if is_asked:
            await it.relay.send(Appended(CHANNEL, 2, (entry(25),)))
        else:
            await it.relay.send(Snapshot(CHANNEL, 2, 25, 20, entries(20, 25)))
        told = (await it.ended(poll)).json()
        assert told["reset"] == {"epoch": 2, "head": 25, "first": 20}
        assert told["cursor"] == "2-25"
        again = (await it.poll(after="2-22")).json()
        assert [each["id"] for each in again["entries"]] == [23, 24, 25]


async def test_a_channel_without_listeners_lingers_and_is_watched_no_more() -> None:
    async with edge(linger_s=3.0) as it:
        it.channel()
        await it.poll()
        await it.soon(lambda: Unwatch(CHANNEL) in it.relay.heard, "the channel is unwatched")
        await it.relay.append(CHANNEL, told=False)
        assert (await it.poll()).json()["cursor"] == "1-11"
        assert it.relay.watches(CHANNEL) == [-1, -1]


async def test_a_snapshot_of_a_channel_that_is_watched_no_more_opens_nothing() -> None:
    """A room of it would be full of listeners and never hear of anything."""
    async with edge(linger_s=3.0) as it:
        it.channel()
        await it.poll()
        await it.soon(lambda: Unwatch(CHANNEL) in it.relay.heard, "the channel is unwatched")
        await it.relay.send(Snapshot(CHANNEL, 1, 10, 1, entries(1, 10)))
        it.channel(SECOND)
        await it.poll(SECOND)
        await it.poll()
        assert it.relay.watches(CHANNEL) == [-1, -1]


async def test_a_snapshot_tells_what_is_not_kept_any_more() -> None:
    async with edge() as it:
        it.channel()
        assert (await it.poll(after="1-2")).json()["entries"][0]["id"] == 3

        async def lowest() -> str:
            return str((await it.poll(after="1-2")).json().get("jump"))

        await it.relay.send(Snapshot(CHANNEL, 1, 10, 6, entries(6, 10)))
        await it.until(lowest, str({"unread": 8, "head": 10, "first": 6}))


async def test_frames_of_unknown_channels_are_ignored() -> None:
    async with edge() as it:
        it.channel()
        await it.relay.send(Appended("other", 1, entries(1, 2)))
        await it.relay.send(Unwatched("other", "service_away"))
        assert (await it.poll()).json()["cursor"] == "1-10"
        assert it.relay.connects == 1
