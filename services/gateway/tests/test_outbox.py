"""What waits to be written to one stream, without a stream around it."""

import asyncio

from libs.testing.clock import VirtualClock
from libs.testing.eventually import eventually
from services.gateway.streams.outbox import BYTES_MAX, BYTES_MORE, BYTES_READY, Outbox

FRAME = bytes(1 << 10)


class Wire:
    """Takes what is written when the test lets it."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.is_open = asyncio.Event()

    async def write(self, frame: bytes) -> None:
        await self.is_open.wait()
        self.taken.append(frame)


def filled(box: Outbox) -> int:
    """Put until there is no room; how many bytes fitted."""
    count = 0
    while box.put(FRAME):
        count += len(FRAME)
    return count


async def test_entries_are_queued_up_to_the_bound_and_what_must_be_said_beyond_it() -> None:
    box, wire = Outbox(VirtualClock()), Wire()
    assert filled(box) == BYTES_MAX
    more = 0
    while box.push(FRAME):
        more += len(FRAME)
    assert more == BYTES_MORE
    wire.is_open.set()
    await box.flush(wire.write)
    assert len(wire.taken) == (BYTES_MAX + BYTES_MORE) // len(FRAME)
    assert filled(box) == BYTES_MAX


async def test_a_frame_that_is_larger_than_all_goes_when_only_one_is_before_it() -> None:
    box = Outbox(VirtualClock())
    assert box.put(FRAME)
    assert box.put(bytes(2 * BYTES_MAX))
    assert not box.put(FRAME)
    assert box.push(bytes(BYTES_MORE))
    assert not box.push(FRAME)


async def test_who_waits_for_room_goes_on_when_most_is_written() -> None:
    box, wire = Outbox(VirtualClock()), Wire()
    filled(box)
    waiting = asyncio.create_task(box.ready())
    drain = asyncio.create_task(box.drain(wire.write))
    await asyncio.sleep(0)
    assert not waiting.done()
    wire.is_open.set()
    await waiting
    assert (len(wire.taken) + 1) * len(FRAME) >= BYTES_MAX - BYTES_READY
    drain.cancel()


async def test_who_waits_for_room_goes_on_when_the_stream_ends() -> None:
    """It would wait for ever: nobody writes any more."""
    box = Outbox(VirtualClock())
    filled(box)
    waiting = asyncio.create_task(box.ready())
    await asyncio.sleep(0)
    box.end()
    await waiting
    box.push(FRAME)
    await box.ready()


async def test_a_write_that_was_cancelled_while_it_waited_is_repeated() -> None:
    box, wire = Outbox(VirtualClock()), Wire()
    frames = [b"%d" % number for number in range(5)]
    for frame in frames:
        box.put(frame)
    drain = asyncio.create_task(box.drain(wire.write))
    await eventually(lambda: box.since_s is not None, within_s=5, what="a write")
    drain.cancel()
    await asyncio.wait([drain])
    wire.is_open.set()
    await box.flush(wire.write)
    assert wire.taken == frames


async def test_time_without_progress_is_counted_for_each_write() -> None:
    clock = VirtualClock()
    box, wire = Outbox(clock), Wire()
    clock.advance(7)
    assert box.stuck_s() == 0
    box.put(FRAME)
    drain = asyncio.create_task(box.drain(wire.write))
    await asyncio.sleep(0)
    clock.advance(7)
    assert box.stuck_s() == 7
    wire.is_open.set()
    await eventually(lambda: wire.taken, within_s=5, what="it is taken")
    assert box.stuck_s() == 0
    drain.cancel()
