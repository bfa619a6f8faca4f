"""Crowds of hostile clients on real sockets, while somebody well-behaved listens. They leave
nothing: no waiter, seat, stream, task, descriptor or object, and the memory is what it was."""

import asyncio
import contextlib
import gc
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest

from libs.testing.served import served
from services.gateway import ws_line
from services.gateway.http_poll import PollHTTP
from services.gateway.http_polled import PolledRequest
from services.gateway.streams.stream import Stream
from services.gateway.tests.edge import CHANNEL, Edge, edge
from services.gateway.tests.hostile import DEEDS, KERNEL_BYTES, Deed, Hostile, watching
from services.gateway.tests.judged_socket import RATES, UNLIMITED
from services.gateway.tests.returning import Left, left_by, rss_bytes
from services.gateway.ws_line import LeanWS

HEAD = 10
# Of each kind, in each crowd.
EACH = 12
CROWDS = 3
RSS_MORE = 0.1
# Longer than a poll waits.
WAIT_S = 30
KINDS = (PollHTTP, PolledRequest, LeanWS, Stream)


class Rest(NamedTuple):
    """What there is of a crowd, and how many objects of a connection each."""

    counts: Left
    alive: Mapping[str, int]


@pytest.fixture
def _no_collector() -> Iterator[None]:
    """Nothing is left for it either: very many who go at once would keep it busy for a second."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collector")
async def test_a_crowd_of_hostile_clients_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ws_line, "CLOSE_S", 0.5)
    async with (
        edge(connections_address_max=UNLIMITED, **RATES) as it,
        served(it.running.app, http=it.running.http, kernel_bytes=KERNEL_BYTES) as address,
    ):
        it.channel(head=HEAD)
        good = Hostile(address, it.session.token("good"))
        await good.open()
        await good.greet()
        await good.send(watching(f"1-{HEAD}"))
        await it.parked(1)
        # What is remembered of users stays for a while, and so it may: the first crowd is the same.
        await crowd(it, address)
        before, was_bytes = await left(it, None), rss_bytes()
        for number in range(1, CROWDS):
            await crowd(it, address)
            assert await left(it, before) == before, f"after crowd {number}"
        assert rss_bytes() <= was_bytes * (1 + RSS_MORE)
        heard = asyncio.create_task(hears(good, b'"cursor":"1-%d"' % (HEAD + CROWDS)))
        await it.soon(heard.done, "who behaves hears all")
        await heard
        good.reset()


async def crowd(it: Edge, address: str) -> None:
    """All kinds at once, while something comes on the channel."""
    deeds = [asyncio.create_task(done(it, address, deed, n)) for deed in DEEDS for n in range(EACH)]
    await it.relay.append(CHANNEL)
    await it.soon(lambda: all(each.done() for each in deeds), "all are gone")
    for each in deeds:
        each.result()


async def hears(good: Hostile, last: bytes) -> None:
    """Beats come between."""
    while last not in (await good.link.hear()).payload:
        pass


async def done(it: Edge, address: str, deed: Deed, number: int) -> None:
    one = Hostile(address, it.session.token(f"{deed.__name__}{number}"))
    await one.open()
    await deed(one)


async def left(it: Edge, wanted: Rest | None) -> Rest:
    """What there is when nothing moves any more, or what is wanted."""

    def is_so() -> bool:
        there = left_by(it)
        return there.tasks == [] if wanted is None else there == wanted.counts

    # Whose connection is not read is not seen to be gone before it is written to.
    it.clock.advance(WAIT_S)
    with contextlib.suppress(AssertionError):
        # Whoever compares says what differs.
        await it.soon(is_so, "rest")
    kinds = (kind for kind in map(type, gc.get_objects()) if issubclass(kind, KINDS))
    return Rest(left_by(it), Counter(kind.__name__ for kind in kinds))
