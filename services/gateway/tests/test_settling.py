"""Who begins to follow a channel of which all is remembered, and has no room on the way."""

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from libs.runtime.web import Person
from libs.wire.cursor import Cursor
from services.gateway.answers import Form
from services.gateway.limits import Limits
from services.gateway.settings import Settings
from services.gateway.streams.stream import Stream, Surroundings
from services.gateway.streams.watch import Watch
from services.gateway.tests.flowing import CHANNELS, Flow, Place, Reader, flowing
from services.gateway.tests.listeners import entry
from services.gateway.tests.wires import Wire

CHANNEL = CHANNELS[0]
TURNS = 20
# Two answers of a hundred such entries are more than an outbox wants to have when it asks for more.
TEXT = "x" * 400
HEAD = 230


def follower(at: Cursor) -> tuple[Watch, Reader]:
    reader = Reader(random.Random(0), Place(at))
    return Watch(reader, "ann", CHANNEL, at=at), reader


def streaming(flow: Flow, *, most: int = 1 << 30, **settings: Any) -> tuple[Stream, Wire]:
    """A stream whose transport has enough with more than `most` bytes."""
    limits = Limits(Settings(**settings), flow.clock)
    wire = Wire(most)
    about = Surroundings(flow.clock, flow.tasks, limits, flow.polls)
    stream = Stream(Person("ann", "s1"), Form.JSON, about, wire)
    wire.outbox = stream.outbox
    return stream, wire


@asynccontextmanager
async def remembering() -> AsyncIterator[Flow]:
    """The channel and the right to read it are remembered: somebody follows it."""
    async with flowing() as flow:
        at = Cursor(1, 10)
        first, _ = follower(at)
        flow.follow(first, CHANNEL, at)
        await turned(flow)
        assert first.room is not None
        yield flow


async def turned(flow: Flow) -> None:
    for _ in range(TURNS):
        await flow.clock.elapse(0.01)
        flow.link.answer()


async def test_who_has_no_room_is_told_nothing_and_seated_later() -> None:
    async with remembering() as flow:
        at = Cursor(1, 7)
        watch, reader = follower(at)
        reader.stall()
        assert not flow.polls.settle(watch, CHANNEL, at)
        assert (reader.place.cursor, watch.room) == (at, None)
        reader.go_on()
        assert flow.polls.settle(watch, CHANNEL, at)
        assert reader.place.cursor == Cursor(1, 10)
        assert watch.room is not None


async def test_who_has_no_room_half_way_goes_on_from_there() -> None:
    """Each entry once: three answers, of which the outbox takes two at once."""
    async with remembering() as flow:
        log = flow.logs[CHANNEL]
        log.entries = [entry(ident, TEXT) for ident in range(1, HEAD + 1)]
        room = flow.hub.rooms[CHANNEL]
        room.restart(log.entries, HEAD)
        stream, wire = streaming(flow, most=0)
        stream.watch({CHANNEL: "1-0"})
        assert not stream.outbox.is_ready
        wire.take_all()
        await turned(flow)
        wire.take_all()
        said = [json.loads(each) for each in wire.taken]
        assert [one["id"] for each in said for one in each.get("entries", ())] == list(
            range(1, HEAD + 1)
        )
        stream.gone()


async def test_who_has_all_may_watch_as_often_as_it_likes_and_who_reads_may_not() -> None:
    async with remembering() as flow:
        stream, _ = streaming(flow, polls_burst=1, polls_per_s=1.0)
        room = flow.hub.rooms[CHANNEL]
        before = len(room.waiters)
        for cursor in (None, "1-10", "1-10", "1-9"):
            stream.watch({CHANNEL: cursor})
            assert len(room.waiters) == before + 1
        stream.watch({CHANNEL: "1-9"})
        assert len(room.waiters) == before
        for _ in range(TURNS):
            await flow.clock.elapse(0.1)
        assert len(room.waiters) == before + 1
        stream.gone()
