"""Polls through the whole gateway. Nothing here knows how a request is parsed or parked."""

import asyncio

import pytest

from libs.testing.eventually import eventually
from services.gateway.polls import AHEAD_S
from services.gateway.tests.edge import CHANNEL, edge


def ids(told: dict[str, list[dict[str, int]]]) -> list[int]:
    return [each["id"] for each in told["entries"]]


async def test_what_is_in_memory_is_answered_at_once_and_without_the_relay() -> None:
    async with edge() as it:
        it.channel(head=30)
        reply = await it.poll(after="1-20")
        assert reply.status_code == 200
        assert reply.headers["content-type"] == "application/json"
        assert ids(reply.json()) == list(range(21, 31))
        assert (reply.json()["cursor"], reply.json()["more"]) == ("1-30", False)
        assert it.relay.pages == []


async def test_a_poll_without_a_cursor_learns_where_the_channel_is() -> None:
    async with edge() as it:
        it.channel(head=30)
        told = (await it.poll()).json()
        assert (told["cursor"], told["head"], told["entries"]) == ("1-30", 30, [])


async def test_a_parked_poll_is_answered_when_something_comes() -> None:
    async with edge() as it:
        it.channel(head=30)
        polls = [it.polling("1-30", user=f"u{number}") for number in range(3)]
        await it.parked(3)
        await it.relay.append(CHANNEL)
        replies = await asyncio.gather(*polls)
        assert [ids(each.json()) for each in replies] == [[31]] * 3
        assert len({each.content for each in replies}) == 1
        await it.parked(0)


async def test_when_the_time_is_over_the_cursor_comes_back() -> None:
    async with edge() as it:
        it.channel(head=30)
        poll = it.polling("1-30", wait=5)
        await it.parked(1)
        began_s = it.clock.monotonic()
        told = (await it.ended(poll)).json()
        assert (told["cursor"], told["entries"], told["more"]) == ("1-30", [], False)
        assert it.clock.monotonic() - began_s < 8


async def test_a_poll_that_will_not_wait_is_answered_at_once() -> None:
    async with edge() as it:
        it.channel(head=30)
        told = (await it.poll(after="1-30", wait=0)).json()
        assert (told["cursor"], told["entries"]) == ("1-30", [])
        await it.parked(0)


async def test_who_is_over_a_thousand_behind_jumps() -> None:
    async with edge() as it:
        it.channel(head=1_500)
        told = (await it.poll(after="1-499")).json()
        assert told["jump"] == {"unread": 1_001, "head": 1_500, "first": 1}
        assert told["cursor"] == "1-1500"


async def test_a_cursor_of_another_epoch_is_reset() -> None:
    async with edge() as it:
        it.channel(head=70, epoch=2, first=50)
        told = (await it.poll(after="1-60")).json()
        assert told["reset"] == {"epoch": 2, "head": 70, "first": 50}
        assert told["cursor"] == "2-70"


async def test_who_is_behind_the_memory_gets_the_rest_of_one_aligned_page() -> None:
    async with edge() as it:
        it.channel(head=950)
        polls = [it.polling("1-330", user=f"u{number}") for number in range(5)]
        replies = await asyncio.gather(*polls)
        for each in replies:
            assert ids(each.json()) == list(range(331, 401))
            assert (each.json()["cursor"], each.json()["more"]) == ("1-400", True)
        assert {(asked.first, asked.limit) for asked in it.relay.pages} == {(301, 100)}
        assert ids((await it.poll(after="1-400")).json()) == list(range(401, 501))


async def test_following_the_cursors_gives_every_entry_once() -> None:
    async with edge() as it:
        it.channel(head=777)
        seen: list[int] = []
        told = {"cursor": "1-0", "more": True}
        while told["more"]:
            told = (await it.poll(after=str(told["cursor"]))).json()
            seen += [each["id"] for each in told["entries"]]
        assert seen == list(range(1, 778))


async def test_a_cursor_ahead_of_the_channel_is_refused_after_a_second() -> None:
    async with edge() as it:
        it.channel(head=30)
        poll = it.polling("1-31")
        await eventually(lambda: it.relay.pages, within_s=5, what="the relay is asked")
        assert not poll.done()
        began_s = it.clock.monotonic()
        reply = await it.ended(poll)
        assert AHEAD_S <= it.clock.monotonic() - began_s <= 3 * AHEAD_S
        assert (reply.status_code, reply.json()["code"]) == (409, "cursor_ahead")


async def test_a_cursor_ahead_of_this_gateway_only_is_served_when_the_feed_has_caught_up() -> None:
    async with edge() as it:
        it.channel(head=30)
        await it.poll()
        await it.relay.append(CHANNEL, 3, told=False)
        poll = it.polling("1-32")
        reply = await it.ended(poll)
        assert ids(reply.json()) == [33]


@pytest.mark.parametrize("after", ["", "1", "x-1", "1-x", "1--1", "0-1", f"1-{1 << 63}", "1-01"])
async def test_a_malformed_cursor_is_a_bad_request(after: str) -> None:
    async with edge() as it:
        it.channel()
        reply = await it.poll(after=after)
        assert (reply.status_code, reply.json()["code"]) == (400, "cursor_malformed")
        assert reply.json()["field"] == "after"


@pytest.mark.parametrize("wait", ["-1", "51", "nan", "inf", "soon", ""])
async def test_a_wait_that_is_no_time_is_refused(wait: str) -> None:
    async with edge() as it:
        it.channel()
        reply = await it.poll(after="1-10", wait=wait)
        assert (reply.status_code, reply.json()["code"]) == (422, "field_invalid")
        assert reply.json()["field"] == "wait"


async def test_a_channel_that_is_not_there_is_not_found() -> None:
    async with edge() as it:
        reply = await it.poll("nowhere", after="1-1")
        assert (reply.status_code, reply.json()["code"]) == (404, "channel_unknown")
        assert it.relay.heard == []


async def test_who_is_banned_is_told_so() -> None:
    async with edge() as it:
        it.channel()
        it.members.refusals["ann", CHANNEL] = "banned"
        reply = await it.poll(after="1-1")
        assert (reply.status_code, reply.json()["code"]) == (403, "banned")
        assert (await it.poll(after="1-1", user="bob")).status_code == 200


async def test_nobody_listens_without_a_token() -> None:
    async with edge() as it:
        it.channel()
        reply = await it.client.get(f"/v1/channels/{CHANNEL}/poll?after=1-1")
        assert (reply.status_code, reply.json()["code"]) == (401, "token_missing")
        assert reply.headers["www-authenticate"] == "Bearer"


async def test_a_ban_ends_the_polls_of_the_banned_and_of_nobody_else() -> None:
    async with edge() as it:
        it.channel()
        banned = [it.polling("1-10", user="ann") for _ in range(2)]
        other = it.polling("1-10", user="bob")
        await it.parked(3)
        it.members.refusals["ann", CHANNEL] = "banned"
        await it.change("ann")
        for each in banned:
            reply = await it.ended(each)
            assert (reply.status_code, reply.json()["code"]) == (403, "access_ended")
        assert not other.done()
        assert (await it.poll(after="1-10")).json()["code"] == "banned"
        await it.relay.append(CHANNEL)
        assert ids((await it.ended(other)).json()) == [11]


async def test_a_change_of_the_whole_channel_ends_the_polls_of_those_it_shuts_out() -> None:
    async with edge() as it:
        it.channel()
        out, still = it.polling("1-10", user="ann"), it.polling("1-10", user="bob")
        await it.parked(2)
        it.members.refusals["ann", CHANNEL] = "access_denied"
        await it.change(None)
        assert (await it.ended(out)).json()["code"] == "access_ended"
        assert not still.done()


@pytest.mark.parametrize("after", ["1-10", "1-3"])
@pytest.mark.law("L9")
async def test_a_ban_that_comes_while_a_poll_is_decided_counts(after: str) -> None:
    """Another request of the same user has learnt of it meanwhile, and they share the grant."""
    async with edge(relay_s=10.0) as it:
        it.channel()
        it.relay.goes_on.clear()
        poll = it.polling(after)
        watched = "the channel is watched"
        await eventually(lambda: it.relay.watches(CHANNEL), within_s=5, what=watched)
        it.members.refusals["ann", CHANNEL] = "banned"
        await it.change("ann")
        # As long as the change has not arrived, this poll waits for the relay like the first one.
        refused = await it.refused_soon("ann")
        assert refused == "banned"
        it.relay.goes_on.set()
        reply = await it.ended(poll)
        assert (reply.status_code, reply.json()["code"]) == (403, "banned")


async def test_without_a_relay_a_channel_that_is_not_open_yet_is_away() -> None:
    async with edge(relay_s=0.05) as it:
        it.channel()
        await it.relay.stop()
        reply = await it.poll(after="1-1")
        assert (reply.status_code, reply.json()["code"]) == (503, "service_away")
        assert reply.headers["retry-after"] == "1"


async def test_a_page_that_the_relay_cannot_read_is_away_and_read_again_by_the_next() -> None:
    async with edge() as it:
        it.channel(head=500)
        it.relay.is_away = True
        reply = await it.poll(after="1-1")
        assert (reply.status_code, reply.json()["code"]) == (503, "service_away")
        it.relay.is_away = False
        assert ids((await it.poll(after="1-1")).json())[0] == 2


async def test_a_drain_answers_parked_polls_with_their_cursor() -> None:
    async with edge() as it:
        it.channel()
        poll = it.polling("1-10")
        await it.parked(1)
        await it.running.drain(0.0)
        told = (await it.ended(poll)).json()
        assert (told["cursor"], told["entries"]) == ("1-10", [])
        assert told["drain"]["reconnect_after_ms"] > 0


STRANGE = ("%00", "%ff", "%2e%2e", "..%2f..", "a" * 5_000, "%F0%9F%92%A5", "a%3Fb", "{c}")


@pytest.mark.parametrize("name", STRANGE, ids=lambda name: name[:9])
async def test_a_strange_name_of_a_channel_is_not_found_and_breaks_nothing(name: str) -> None:
    async with edge() as it:
        assert (await it.get(f"/v1/channels/{name}/poll")).status_code == 404
