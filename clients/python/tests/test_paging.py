"""Pages of scripted gateways: at the pace that is allowed, of one epoch, never half of one."""

import asyncio
from typing import Any

import pytest

from clients.python.tests.people import person
from clients.python.tests.scripted import Reply, Request, Scripted, in_turn, problem, said
from harness.gateways import QUICK
from harness.suite import Suite
from rostrum import Backoff, Client, EpochChanged, Session, Unreadable

AT = "2026-11-21T08:00:00.123Z"
CHANNEL = "01KA3Q5V8Z0J6T4M2N7R9X1C3E"
BACKOFF = Backoff(first_s=0.001, most_s=0.002)


def page(first: int, last: int, *, head: int, epoch: int = 1) -> dict[str, Any]:
    entries = [{"id": ident, "type": "void", "at": AT} for ident in range(first, last + 1)]
    return {
        "entries": entries,
        "cursor": f"{epoch}-{last}",
        "head": head,
        "first": 1,
        "more": last < head,
    }


def reader(url: str) -> Client:
    return Client(url, session=Session.of_token("token"), backoff=BACKOFF)


async def ids(client: Client) -> list[int]:
    return [entry.id async for entry in client.history(CHANNEL)]


async def test_history_ends_where_its_caller_stops() -> None:
    async with (
        Scripted(in_turn(said(page(1, 2, head=9)))) as gateway,
        reader(gateway.url) as client,
    ):
        async for entry in client.history(CHANNEL):
            if entry.id == 2:
                break
    assert len(gateway.requests) == 1


async def test_a_channel_that_begins_anew_amid_its_history_says_so() -> None:
    replies = in_turn(said(page(1, 2, head=4)), said(page(3, 4, head=4, epoch=2)))
    async with Scripted(replies) as gateway, reader(gateway.url) as client:
        with pytest.raises(EpochChanged) as changed:
            await ids(client)
    assert (changed.value.channel, changed.value.epoch) == (CHANNEL, 2)


@pytest.mark.parametrize(
    "more", [{"cursor": "here"}, {"entries": [{"type": "void"}]}, {"entries": [7]}, {"head": None}]
)
async def test_a_page_that_cannot_be_read_is_no_page(more: dict[str, Any]) -> None:
    replies = in_turn(said({**page(1, 1, head=1), **more}))
    async with Scripted(replies) as gateway, reader(gateway.url) as client:
        with pytest.raises(Unreadable, match="another version"):
            await client.page(CHANNEL)
    assert len(gateway.requests) == 1


async def test_pages_that_were_limited_once_are_asked_for_at_the_pace_that_was_told() -> None:
    """One page is refused, and none after it: the reader has learnt the pace."""
    loop = asyncio.get_running_loop()
    came: list[float] = []

    async def one_a_second(request: Request) -> Reply:
        now, place = loop.time(), int(request.target.rpartition("=")[2])
        if came and now - came[-1] < 1.0:
            return problem(429, "limit_hit", "yes", after="1")
        came.append(now)
        return said(page(place + 1, place + 1, head=4))

    async with Scripted(one_a_second) as gateway, reader(gateway.url) as client:
        assert await ids(client) == [1, 2, 3, 4]
    assert len(gateway.requests) == len(came) + 1


async def test_the_whole_history_comes_at_the_pace_of_a_real_gateway(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    limits = {"gateway_pages_burst": "1", "gateway_pages_per_s": "1"}
    async with (
        Suite(tmp_path_factory.mktemp("paced"), **{**QUICK, **limits}) as suite,
        person(suite.url, "ada") as client,
    ):
        channel = (await client.create_channel("Long")).id
        for number in range(1, 202):
            await client.post(channel, str(number))
        found = [entry.id async for entry in client.history(channel)]
    assert found == list(range(1, 202))
