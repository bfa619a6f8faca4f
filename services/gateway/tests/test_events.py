"""Server-sent events, over the server of the product."""

import asyncio

import httpx
import pytest

from libs.testing.served import served
from services.gateway.tests.edge import CHANNEL, edge
from services.gateway.tests.talkers import Events, events

SECOND = "0" * 25 + "2"


async def entry_ids(stream: Events) -> list[int]:
    frame = await stream.hear()
    assert frame["type"] == "entries", frame
    return [each["id"] for each in frame["entries"]]


async def begun(stream: Events, channels: int = 1) -> None:
    assert stream.reply.headers["content-type"].startswith("text/event-stream")
    welcome = await stream.hear()
    # A WebSocket may follow more: this is what the query of this route may name.
    assert (welcome["type"], welcome["watches_max"]) == ("welcome", 100)
    for _ in range(channels):
        assert (await stream.hear())["type"] == "watched"


async def test_events_bring_what_comes_and_their_id_resumes() -> None:
    async with edge() as it, served(it.running.app, http=it.running.http) as address:
        it.channel(head=10)
        it.channel(SECOND, head=20)
        both = f"{CHANNEL},{SECOND}"
        async with events(it, address, both) as stream:
            await begun(stream, 2)
            await it.relay.append(SECOND)
            assert await entry_ids(stream) == [21]
        assert stream.last_id == f"{CHANNEL}=1-10,{SECOND}=1-21"
        await it.relay.append(CHANNEL, 3)
        async with events(it, address, both, last_id=stream.last_id) as stream:
            await begun(stream, 1)
            frames = [await stream.hear(), await stream.hear()]
            told = {frame["type"]: frame for frame in frames}
            assert [each["id"] for each in told["entries"]["entries"]] == [11, 12, 13]
            assert told["watched"]["channel"] == SECOND
        assert stream.last_id == f"{CHANNEL}=1-13,{SECOND}=1-21"


@pytest.mark.law("L9")
async def test_a_ban_ends_one_channel_and_a_sign_out_the_stream() -> None:
    async with edge() as it, served(it.running.app, http=it.running.http) as address:
        it.channel()
        async with events(it, address, CHANNEL) as stream:
            await begun(stream)
            it.members.refusals["ann", CHANNEL] = "banned"
            await it.change("ann")
            assert (await stream.hear())["code"] == "access_ended"
            assert stream.last_id == ""
            await it.revoke("s-ann")
            assert (await stream.hear())["code"] == "token_invalid"
            with pytest.raises(EOFError):
                await stream.hear()


async def test_a_drain_ends_the_stream() -> None:
    async with edge() as it, served(it.running.app, http=it.running.http) as address:
        it.channel()
        async with events(it, address, CHANNEL) as stream:
            await begun(stream)
            drained = asyncio.ensure_future(it.running.drain(0.0))
            assert (await stream.hear())["type"] == "drain"
            with pytest.raises(EOFError):
                await stream.hear()
            await it.soon(drained.done, "the drain ends")
        async with httpx.AsyncClient(base_url=address) as client:
            reply = await client.get(f"/v1/stream?channels={CHANNEL}", headers=it.bearer())
        assert (reply.status_code, reply.json()["code"]) == (503, "draining")


@pytest.mark.parametrize(
    ("channels", "last_id", "code"),
    [
        ("", "", "field_invalid"),
        (",".join(f"{number:026}" for number in range(101)), "", "field_invalid"),
        ("nowhere", "", "channel_unknown"),
        (CHANNEL, "x", "cursor_malformed"),
        (CHANNEL, f"{CHANNEL}=1", "cursor_malformed"),
    ],
)
async def test_what_cannot_be_followed_is_refused(channels: str, last_id: str, code: str) -> None:
    async with edge() as it:
        headers = {**it.bearer(), "last-event-id": last_id}
        reply = await it.client.get("/v1/stream", params={"channels": channels}, headers=headers)
        assert reply.json()["code"] == code
        assert reply.status_code in {400, 404, 422}


async def test_nobody_follows_without_a_token() -> None:
    async with edge() as it:
        reply = await it.client.get("/v1/stream", params={"channels": CHANNEL})
        assert (reply.status_code, reply.json()["code"]) == (401, "token_missing")
