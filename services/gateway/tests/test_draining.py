"""How a gateway goes away: everybody is moved, evenly over the seconds that it has."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from libs.runtime.web import Person
from libs.testing.clock import VirtualClock
from libs.testing.served import served
from libs.wire import streams
from services.gateway.answers import Form
from services.gateway.draining import Draining
from services.gateway.hub import Hub, Room
from services.gateway.sessions import Sessions
from services.gateway.streams.registry import Registry
from services.gateway.streams.stream import Stream, Surroundings
from services.gateway.tests.edge import CHANNEL, Edge, edge
from services.gateway.tests.listeners import entries, hub, parked, room
from services.gateway.tests.talkers import open_talk, talking
from services.gateway.tests.wires import Wire

OVER_S = 2.0
POLLERS, STREAMS = 150, 50
STEP_S = 0.1


class Leaving:
    """A hub with pollers, a registry with streams, and their drain."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.room: Room = room(head=5, kept=5)
        self.hub: Hub = hub(self.room)
        self.registry = Registry(Sessions(), self.clock)
        self.pollers = parked(self.hub, self.room, POLLERS)
        # Nothing of what streams share is asked by a stream that follows nothing.
        about = Surroundings(self.clock, None, None, None)  # type: ignore[arg-type]
        wire = Wire()
        self.streams = [
            Stream(Person(f"u{n}", f"s{n}"), Form.JSON, about, wire) for n in range(STREAMS)
        ]
        for stream in self.streams:
            self.registry.enter(stream)
        self.draining = Draining(self.hub, self.registry, self.clock)

    @property
    def moved(self) -> int:
        """How many were sent away; streams leave the registry as their connections do."""
        for stream in self.streams:
            if stream.closing is not None:
                self.registry.leave(stream)
        return sum(len(each.bodies) for each in self.pollers) + sum(
            stream.closing is not None for stream in self.streams
        )


@asynccontextmanager
async def leaving() -> AsyncIterator[tuple[Leaving, "asyncio.Task[None]"]]:
    it = Leaving()
    task = asyncio.create_task(it.draining.run(OVER_S))
    yield it, task
    assert task.done()
    await task


async def test_everybody_is_moved_evenly_and_in_time() -> None:
    """Each tenth of two seconds moves 10 of 200."""
    counts = []
    async with leaving() as (it, task):
        # Between two steps, so that each tenth has two of them.
        await it.clock.elapse(STEP_S / 4)
        first = before = it.moved
        while not task.done() and it.clock.monotonic() < OVER_S + 1:
            await it.clock.elapse(STEP_S)
            counts.append(it.moved - before)
            before = it.moved
        assert it.moved == POLLERS + STREAMS
        assert (it.hub.parked, list(it.registry)) == (0, [])
    per_step = (POLLERS + STREAMS) * STEP_S / OVER_S
    assert first == per_step / 2
    assert set(counts[:-1]) == {per_step}, str(counts)
    assert len(counts) <= OVER_S / STEP_S


async def test_those_who_were_not_moved_yet_are_still_served() -> None:
    async with leaving() as (it, _):
        await it.clock.elapse(OVER_S / 2)
        left = [each for each in it.pollers if not each.bodies]
        assert 0 < len(left) < POLLERS
        assert all(waiter.room is it.room for waiter in left)
        it.room.take(entries(6, 6))
        for waiter in left:
            it.hub.leave(waiter)
            said = it.room.said(waiter.form, waiter.after)
            assert said is not None
            it.room.pass_on(waiter, said)
        assert [each["id"] for each in left[0].told["entries"]] == [6]
        await it.clock.elapse(OVER_S)


async def test_without_anybody_it_ends_at_once() -> None:
    it = Leaving()
    for waiter in it.pollers:
        it.hub.leave(waiter)
    for stream in it.streams:
        it.registry.leave(stream)
    await it.draining.run(OVER_S)
    assert it.clock.monotonic() == 0


async def test_without_time_everybody_is_moved_at_once() -> None:
    it = Leaving()
    await it.draining.run(0.0)
    assert it.moved == POLLERS + STREAMS


async def test_a_poller_is_told_when_to_come_back_spread_over_half_a_second() -> None:
    it = Leaving()
    await it.draining.run(0.0)
    told = {each.told["drain"]["reconnect_after_ms"] for each in it.pollers}
    assert len(told) > POLLERS / 4
    assert 0 <= min(told) <= max(told) < 500


async def test_who_comes_meanwhile_is_sent_away_at_once_and_the_rest_is_served_on() -> None:
    async with edge() as it, open_talk(it) as talker:
        it.channel()
        await talker.watch(**{CHANNEL: "1-10"})
        assert (await talker.hear())["type"] == "watched"
        # The first whom the drain moves; as the clock stands still, the only one.
        first = it.polling("1-10", user="bob")
        await it.parked(2)
        draining = asyncio.ensure_future(it.running.drain(20.0))
        assert "drain" in (await first).json()
        await it.until(lambda: _drained(it), "drain")
        assert [each["id"] for each in (await it.poll(after="1-8")).json()["entries"]] == [9, 10]
        refused = await it.client.get(f"/v1/stream?channels={CHANNEL}", headers=it.bearer())
        assert (refused.status_code, refused.json()["code"]) == (503, "draining")
        assert refused.headers["retry-after"] == "1"
        await it.relay.append(CHANNEL)
        assert [each["id"] for each in (await talker.hear())["entries"]] == [11]
        closing = asyncio.create_task(talker.closed())
        await it.soon(draining.done, "it is drained")
        assert (await talker.hear())["type"] == "drain"
        assert await closing == streams.CLOSE_DRAIN


async def test_an_answer_with_entries_ends_its_connection_while_all_are_moved() -> None:
    """Who always finds some would never hear of the drain."""
    async with edge() as it:
        it.channel(head=10)
        stays = await it.poll(after="1-8")
        await it.running.drain(0.0)
        goes = await it.poll(after="1-8")
        assert [each["id"] for each in goes.json()["entries"]] == [9, 10]
        assert "connection" not in stays.headers
        assert goes.headers["connection"] == "close"


async def _drained(it: Edge) -> str:
    reply = await it.poll(after="1-10", wait=25)
    return "drain" if "drain" in reply.json() else ""


async def test_who_says_hello_after_the_drain_began_does_not_begin() -> None:
    """It would be cut without a word when the process ends."""
    async with (
        edge() as it,
        served(it.running.app, http=it.running.http) as address,
        talking(address) as talker,
    ):
        await it.running.drain(0.0)
        assert (await talker.greet(it.session.token("ann")))["code"] == "draining"
        assert await talker.closed() == streams.CLOSE_DRAIN
