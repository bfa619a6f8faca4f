"""What polls are told when the channel, or who may read it, is not what the gateway knew."""

import asyncio

import httpx
import pytest

from services.gateway.polls import PAGE_BYTES_MAX
from services.gateway.tests.edge import CHANNEL, Edge, edge
from services.gateway.tests.listeners import entry

LONG = "x" * 8_000


async def _asked_again(it: Edge, poll: "asyncio.Task[httpx.Response]") -> None:
    asked = len(it.members.batches)
    await it.soon(lambda: poll.done() or len(it.members.batches) > asked, "access is asked for")


async def test_changes_of_access_do_not_make_a_poll_longer() -> None:
    """Whoever still may listen is parked anew, until the same time as before."""
    async with edge() as it:
        it.channel()
        poll = it.polling("1-10", wait=10)
        await it.parked(1)
        began_s = it.clock.monotonic()
        while not poll.done() and it.clock.monotonic() < began_s + 20:
            await it.change(None)
            await _asked_again(it, poll)
        told = (await it.ended(poll)).json()
        assert (told["cursor"], told["entries"]) == ("1-10", [])
        assert it.clock.monotonic() - began_s <= 12


@pytest.mark.law("L8")
async def test_entries_of_another_epoch_are_not_given_for_a_cursor_of_this_one() -> None:
    """A relay may know of the new epoch before the feed says so."""
    async with edge() as it:
        it.channel(head=950)
        await it.poll()
        it.channel(head=950, epoch=2)
        reply = await it.poll(after="1-330")
        assert (reply.status_code, reply.json()["code"]) == (503, "service_away")

        async def where() -> str:
            return str((await it.poll(after="1-330")).json().get("cursor"))

        await it.until(where, "2-950")


@pytest.mark.law("L8")
async def test_who_is_before_what_is_kept_by_now_jumps() -> None:
    """Served from the first entry that is kept, the cursor would count from the wrong place."""
    async with edge() as it:
        it.channel(head=950)
        await it.poll()
        it.channel(head=950, first=350)
        told = (await it.poll(after="1-330")).json()
        assert told["jump"] == {"unread": 620, "head": 950, "first": 350}
        assert told["cursor"] == "1-950"
        told = (await it.poll(after="1-349")).json()
        assert (told["entries"][0]["id"], told["cursor"]) == (350, "1-400")


@pytest.mark.law("L8")
async def test_long_entries_come_in_answers_of_a_bounded_size_each_once() -> None:
    async with edge() as it:
        it.channel(head=0)
        log = it.relay.channels[CHANNEL]
        log.entries = [entry(number, LONG) for number in range(1, 301)]
        seen: list[int] = []
        told = {"cursor": "1-0", "more": True}
        while told["more"]:
            reply = await it.poll(after=str(told["cursor"]))
            assert len(reply.content) <= PAGE_BYTES_MAX
            told = reply.json()
            seen += [each["id"] for each in told["entries"]]
        assert seen == list(range(1, 301))
