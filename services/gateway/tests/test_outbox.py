"""What is on its way to one client, without a stream around it."""

import asyncio

import pytest

from libs.testing.clock import VirtualClock
from services.gateway.streams.outbox import BYTES_MAX, BYTES_MORE, BYTES_READY, Outbox
from services.gateway.tests.wires import Wire

FRAME = bytes(1 << 10)


def boxed(clock: VirtualClock | None = None, most: int = 0) -> tuple[Outbox, Wire]:
    """An outbox whose transport has enough with more than `most` bytes."""
    wire = Wire(most)
    wire.outbox = Outbox(wire, clock or VirtualClock())
    return wire.outbox, wire


def full() -> tuple[Outbox, Wire]:
    """One whose transport has enough by now."""
    box, wire = boxed()
    assert box.put(FRAME)
    assert box.is_full
    return box, wire


def filled(box: Outbox) -> int:
    """Put until there is no room; how many bytes fitted."""
    count = 0
    while box.put(FRAME):
        count += len(FRAME)
    return count


def test_what_the_client_takes_is_written_at_once_and_in_order() -> None:
    box, wire = boxed(most=10)
    for number in range(5):
        assert (box.put if number % 2 else box.push)(b"%d" % number)
    assert (wire.carrying(), box.is_full) == (5, False)
    wire.take()
    assert wire.taken == [b"%d" % number for number in range(5)]


def test_entries_are_queued_up_to_the_bound_and_what_must_be_said_beyond_it() -> None:
    box, wire = full()
    assert filled(box) == BYTES_MAX
    more = 0
    while box.push(FRAME):
        more += len(FRAME)
    assert more == BYTES_MORE
    wire.take_all()
    assert len(wire.taken) == 1 + (BYTES_MAX + BYTES_MORE) // len(FRAME)
    assert box.put(FRAME)
    assert filled(box) == BYTES_MAX


def test_what_waits_goes_in_its_order_and_before_what_comes_later() -> None:
    box, wire = boxed(most=2)
    for number in range(9):
        assert (box.put if number % 2 else box.push)(b"%d" % number)
    assert wire.carrying() == 3
    wire.take()
    assert wire.carrying() == 3
    assert box.put(b"9")
    wire.take_all()
    assert wire.taken == [b"%d" % number for number in range(10)]
    assert not box.is_full


def test_a_frame_that_is_larger_than_all_goes_when_only_little_is_before_it() -> None:
    box, _ = full()
    assert box.put(FRAME)
    assert box.put(bytes(2 * BYTES_MAX))
    assert not box.put(FRAME)
    assert box.push(bytes(BYTES_MORE))
    assert not box.push(FRAME)


async def test_who_waits_for_room_goes_on_when_most_is_written() -> None:
    box, wire = full()
    filled(box)
    waiting = asyncio.create_task(box.ready())
    await asyncio.sleep(0)
    assert not waiting.done()
    while not waiting.done():
        assert not box.is_ready
        wire.take()
        await asyncio.sleep(0)
    assert await waiting is False
    assert len(wire.taken) * len(FRAME) == BYTES_MAX - BYTES_READY
    assert await box.ready() is True


async def test_who_waits_for_room_goes_on_when_the_stream_ends() -> None:
    """It would wait for ever: nobody takes any more."""
    box, _ = full()
    filled(box)
    waiting = asyncio.create_task(box.ready())
    await asyncio.sleep(0)
    box.end()
    await waiting
    assert await box.ready() is True


@pytest.mark.parametrize("taken", [0, 1])
def test_time_is_counted_while_the_client_takes_nothing(taken: int) -> None:
    clock = VirtualClock()
    box, wire = boxed(clock, most=len(FRAME))
    clock.advance(7)
    assert box.stuck_s() == 0
    for _ in range(3):
        box.put(FRAME)
    clock.advance(7)
    wire.take(taken)
    assert box.stuck_s() == (0 if taken else 7)
    clock.advance(2)
    assert box.stuck_s() == (2 if taken else 9)
    wire.take_all()
    assert box.stuck_s() == 0
