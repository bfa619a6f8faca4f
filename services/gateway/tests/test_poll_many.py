"""`POST /v1/poll`: many channels in one request, through the whole gateway."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from libs.testing.eventually import eventually
from libs.testing.served import served
from libs.wire.frames import Snapshot
from services.gateway.routes.poll_many import CHANNELS_MAX
from services.gateway.tests.edge import CHANNEL, WITHIN_S, Edge, edge
from services.gateway.tests.listeners import entries

SECOND = "0" * 25 + "2"
THIRD = "0" * 25 + "3"

Told = dict[str, dict[str, Any]]


async def sent(it: Edge, body: bytes) -> httpx.Response:
    """The answer to any bytes."""
    headers = {"content-type": "application/json", **it.bearer()}
    return await it.client.post("/v1/poll", content=body, headers=headers)


async def ask(it: Edge, cursors: Mapping[str, str | None], **fields: Any) -> httpx.Response:
    return await sent(it, json.dumps({"cursors": cursors, **fields}).encode())


def asking(
    it: Edge, cursors: Mapping[str, str | None], **fields: Any
) -> "asyncio.Task[httpx.Response]":
    return asyncio.create_task(ask(it, cursors, **fields))


def told(reply: httpx.Response) -> Told:
    """The answers by channel."""
    assert reply.status_code == 200, reply.text
    return {each["channel"]: each for each in reply.json()["channels"]}


def ids(answer: Mapping[str, Any]) -> list[int]:
    return [each["id"] for each in answer["entries"]]


class NeverRead:
    """A body that nobody may look at."""

    def __aiter__(self) -> "NeverRead":
        return self

    async def __anext__(self) -> bytes:
        raise AssertionError("the body is read")


def three(it: Edge) -> None:
    for channel in (CHANNEL, SECOND, THIRD):
        it.channel(channel, head=10)


async def test_it_answers_at_once_when_one_channel_has_something() -> None:
    async with edge(poll_after_ms=20) as it:
        three(it)
        reply = await ask(it, {CHANNEL: "1-10", SECOND: "1-7", THIRD: "1-10"})
        found = told(reply)
        assert list(found) == [SECOND]
        assert ids(found[SECOND]) == [8, 9, 10]
        assert (found[SECOND]["cursor"], found[SECOND]["more"]) == ("1-10", False)
        assert reply.json()["poll_after_ms"] == 20
        await it.parked(0)


async def test_it_parks_and_any_of_its_channels_wakes_it() -> None:
    async with edge() as it:
        three(it)
        poll = asking(it, {CHANNEL: "1-10", SECOND: "1-10", THIRD: "1-10"})
        await it.parked(3)
        await it.relay.append(THIRD, 2)
        found = told(await it.ended(poll))
        assert {channel: ids(each) for channel, each in found.items()} == {THIRD: [11, 12]}
        await it.parked(0)


async def test_when_the_time_is_over_the_cursors_come_back() -> None:
    async with edge() as it:
        three(it)
        poll = asking(it, {CHANNEL: "1-10", SECOND: "1-10"}, wait=5)
        await it.parked(2)
        began_s = it.clock.monotonic()
        found = told(await it.ended(poll))
        assert {each["cursor"] for each in found.values()} == {"1-10"}
        assert [ids(each) for each in found.values()] == [[], []]
        assert it.clock.monotonic() - began_s < 8


async def test_who_will_not_wait_gets_what_there_is_which_may_be_nothing() -> None:
    async with edge() as it:
        three(it)
        assert told(await ask(it, {CHANNEL: "1-10", SECOND: "1-10"}, wait=0)) == {}
        found = told(await ask(it, {CHANNEL: "1-10", SECOND: "1-9"}, wait=0))
        assert {channel: ids(each) for channel, each in found.items()} == {SECOND: [10]}
        await it.parked(0)


async def test_a_channel_without_a_cursor_tells_at_once_where_it_is() -> None:
    async with edge() as it:
        three(it)
        found = told(await ask(it, {CHANNEL: "1-10", SECOND: None}))
        assert list(found) == [SECOND]
        assert (found[SECOND]["cursor"], found[SECOND]["head"], ids(found[SECOND])) == (
            "1-10",
            10,
            [],
        )


async def test_a_refused_channel_is_a_problem_among_the_answers() -> None:
    async with edge() as it:
        it.channel()
        it.channel(SECOND)
        it.members.refusals["ann", SECOND] = "banned"
        found = told(await ask(it, {CHANNEL: "1-3", SECOND: "1-3", THIRD: "1-3", "no id": None}))
        assert ids(found[CHANNEL]) == list(range(4, 11))
        codes = {name: each["problem"]["code"] for name, each in found.items() if name != CHANNEL}
        assert codes == {SECOND: "banned", THIRD: "channel_unknown", "no id": "channel_unknown"}
        assert {"status", "title", "detail", "retry"} <= set(found[SECOND]["problem"])


async def test_special_answers_come_for_their_channel() -> None:
    async with edge() as it:
        it.channel(head=1_500)
        it.channel(SECOND, head=70, epoch=2, first=50)
        found = told(await ask(it, {CHANNEL: "1-1", SECOND: "1-60"}))
        assert found[CHANNEL]["jump"] == {"unread": 1_499, "head": 1_500, "first": 1}
        assert found[SECOND]["reset"] == {"epoch": 2, "head": 70, "first": 50}
        assert (found[CHANNEL]["cursor"], found[SECOND]["cursor"]) == ("1-1500", "2-70")


async def test_a_new_epoch_wakes_it() -> None:
    async with edge() as it:
        three(it)
        poll = asking(it, {CHANNEL: "1-10", SECOND: "1-10"})
        await it.parked(2)
        it.channel(head=25, epoch=2, first=20)
        await it.relay.send(Snapshot(CHANNEL, 2, 25, 20, entries(20, 25)))
        assert told(await it.ended(poll))[CHANNEL]["cursor"] == "2-25"


async def test_a_drain_sends_it_away_with_its_cursors() -> None:
    async with edge() as it:
        three(it)
        poll = asking(it, {CHANNEL: "1-10", SECOND: "1-10"})
        await it.parked(2)
        await it.running.drain(0.0)
        drained = told(await it.ended(poll))
        assert drained
        for each in drained.values():
            assert (each["cursor"], ids(each)) == ("1-10", [])
            assert each["drain"]["reconnect_after_ms"] >= 0
        found = told(await ask(it, {CHANNEL: "1-10", SECOND: "1-9"}))
        assert ids(found[SECOND]) == [10]
        assert "drain" in found[CHANNEL]


async def test_a_hundred_channels_are_followed_and_no_more() -> None:
    async with edge() as it:
        names = [f"{number:026}" for number in range(CHANNELS_MAX + 1)]
        for name in names:
            it.channel(name)
        found = told(await ask(it, dict.fromkeys(names[:CHANNELS_MAX], "1-9")))
        assert len(found) == CHANNELS_MAX == 100
        assert {tuple(ids(each)) for each in found.values()} == {(10,)}
        assert sum(it.members.batches) == CHANNELS_MAX
        for wanted in (names, []):
            reply = await ask(it, dict.fromkeys(wanted, "1-9"))
            assert (reply.status_code, reply.json()["code"]) == (422, "field_invalid")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "field_invalid"),
        (b"{", 400, "json_malformed"),
        (b"[]", 422, "field_invalid"),
        (b'{"wait":1}', 422, "field_invalid"),
        (b'{"cursors":{"%b":1}}' % CHANNEL.encode(), 422, "field_invalid"),
        (b'{"cursors":{"%b":"1"}}' % CHANNEL.encode(), 400, "cursor_malformed"),
        (b'{"cursors":{"%b":"0-1"}}' % CHANNEL.encode(), 400, "cursor_malformed"),
        (b'{"cursors":{"%b":null},"wait":-1}' % CHANNEL.encode(), 422, "field_invalid"),
        (b'{"cursors":{"%b":null},"wait":51}' % CHANNEL.encode(), 422, "field_invalid"),
        (b'{"cursors":{"%b":null},"wait":NaN}' % CHANNEL.encode(), 422, "field_invalid"),
        (b'{"cursors":{"%b":null},"wait":Infinity}' % CHANNEL.encode(), 422, "field_invalid"),
        (b'{"cursors":{"%b":null},"after":""}' % CHANNEL.encode(), 422, "field_invalid"),
        (b'{"cursors":{"%b":null}}' % (b"x" * 70_000), 413, "body_too_large"),
    ],
    ids=lambda value: value[:60].decode() if isinstance(value, bytes) else str(value),
)
async def test_what_is_no_question_is_refused(body: bytes, status: int, code: str) -> None:
    async with edge() as it:
        it.channel()
        reply = await sent(it, body)
        assert (reply.status_code, reply.json()["code"]) == (status, code), reply.text
        assert it.relay.heard == []


async def test_the_longest_wait_is_taken() -> None:
    async with edge() as it:
        it.channel()
        assert ids(told(await ask(it, {CHANNEL: "1-9"}, wait=50))[CHANNEL]) == [10]


async def test_a_channel_that_is_named_twice_is_followed_from_the_later_cursor() -> None:
    async with edge() as it:
        it.channel()
        body = b'{"cursors":{"%b":"1-2","%b":"1-8"}}' % (CHANNEL.encode(), CHANNEL.encode())
        reply = await sent(it, body)
        assert ids(told(reply)[CHANNEL]) == [9, 10]


async def test_without_a_token_nothing_of_the_body_is_read() -> None:
    """A server would take in whatever a stranger likes to send."""
    async with edge() as it:
        reply = await it.client.post("/v1/poll", content=NeverRead())
        assert (reply.status_code, reply.json()["code"]) == (401, "token_missing")


async def test_a_client_that_goes_away_leaves_nobody_parked() -> None:
    async with edge() as it, served(it.running.app, http=it.running.http) as address:
        three(it)
        async with httpx.AsyncClient(base_url=address, headers=it.bearer()) as client:
            body = {"cursors": dict.fromkeys((CHANNEL, SECOND, THIRD), "1-10")}
            poll = asyncio.create_task(client.post("/v1/poll", json=body))
            await it.parked(3)
            poll.cancel()
            await asyncio.wait([poll])
        await it.parked(0)


@pytest.mark.law("L9")
async def test_a_ban_from_one_of_several_channels_ends_just_that_part() -> None:
    async with edge() as it:
        three(it)
        poll = asking(it, {CHANNEL: "1-10", SECOND: "1-10"})
        await it.parked(2)
        it.members.refusals["ann", SECOND] = "banned"
        await it.change("ann", SECOND)
        found = told(await it.ended(poll))
        assert found[SECOND]["problem"]["code"] == "access_ended"
        await it.relay.append(SECOND)
        poll = asking(it, {CHANNEL: "1-10", SECOND: "1-10"})
        assert told(await it.ended(poll))[SECOND]["problem"]["code"] == "banned"
        poll = asking(it, {CHANNEL: "1-10"})
        await it.parked(1)
        await it.relay.append(CHANNEL)
        assert ids(told(await it.ended(poll))[CHANNEL]) == [11]


@pytest.mark.law("L9")
async def test_a_sign_out_ends_it_whatever_it_has_gathered() -> None:
    async with edge(relay_s=10.0) as it:
        three(it)
        assert told(await ask(it, {CHANNEL: "1-9"}))
        parked = asking(it, {CHANNEL: "1-10"})
        await it.parked(1)
        it.relay.goes_on.clear()
        gathering = asking(it, {CHANNEL: "1-9", SECOND: "1-9"})
        await eventually(lambda: it.relay.watches(SECOND), within_s=WITHIN_S, what="it gathers")
        await it.revoke("s-ann")
        reply = await it.ended(parked)
        assert (reply.status_code, reply.json()["code"]) == (401, "token_invalid")
        it.relay.goes_on.set()
        reply = await it.ended(gathering)
        assert (reply.status_code, reply.json()["code"]) == (401, "token_invalid")
        await it.parked(0)


@pytest.mark.law("L8")
async def test_following_the_cursors_gives_every_entry_of_every_channel_once() -> None:
    async with edge() as it:
        heads = {CHANNEL: 777, SECOND: 60, THIRD: 0}
        for channel, head in heads.items():
            it.channel(channel, head=head)
        cursors = dict.fromkeys(heads, "1-0")
        seen: dict[str, list[int]] = {channel: [] for channel in heads}
        while (found := told(await ask(it, cursors, wait=0))) != {}:
            for channel, answer in found.items():
                seen[channel] += ids(answer)
                cursors[channel] = answer["cursor"]
        assert seen == {channel: list(range(1, head + 1)) for channel, head in heads.items()}
