"""The feed over a real socket."""

import asyncio

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from libs.testing.eventually import eventually
from libs.wire.api import FEED
from libs.wire.frames import (
    SNAPSHOT_ENTRIES_MAX,
    Appended,
    Beat,
    Snapshot,
    Unwatch,
    Unwatched,
    Watch,
)
from services.relay.hub import MALFORMED, RESTART, SLOW
from services.relay.metrics import SLOW_LINKS
from services.relay.settings import Settings
from services.relay.tests.instance import (
    NEWS,
    NOWHERE,
    OTHER,
    SOON_S,
    Relay,
    WatchedLog,
    append,
    entries,
    hear,
    hear_any,
    running,
    tell,
)

# Enough to fill what the sockets take by themselves: 30 entries of 4,000 bytes each time.
FLOODS_MAX = 200


def _slow_links() -> float:
    return sum(metric.samples[0].value for metric in SLOW_LINKS.collect())


async def _watch(link: ClientConnection, channel: str = NEWS, after: int = -1) -> Snapshot:
    await tell(link, Watch(channel, -1, after))
    frame = await hear(link)
    assert isinstance(frame, Snapshot)
    return frame


async def _closed(link: ClientConnection) -> int | None:
    try:
        while True:
            await hear(link)
    except ConnectionClosed:
        return link.close_code


async def test_a_watch_is_a_snapshot_and_then_what_is_appended(
    relay: Relay, log: WatchedLog
) -> None:
    await append(log, 3)
    async with relay.connect() as link:
        snapshot = await _watch(link)
        assert (snapshot.head, snapshot.first, snapshot.epoch) == (3, 1, 1)
        assert list(snapshot.entries) == await entries(log)
        await append(log, 5)
        heard: list[int] = []
        while len(heard) < 5:
            frame = await hear(link)
            assert isinstance(frame, Appended)
            heard += [entry.id for entry in frame.entries]
        assert heard == [4, 5, 6, 7, 8]


async def test_a_link_that_resumes_gets_what_it_lacks(relay: Relay, log: WatchedLog) -> None:
    await append(log, 600, signalled=False)
    async with relay.connect() as link:
        assert [e.id for e in (await _watch(link, after=598)).entries] == [599, 600]
        assert (await _watch(link, after=600)).entries == ()
        far = await _watch(link, after=1)
        assert [e.id for e in far.entries] == list(range(601 - SNAPSHOT_ENTRIES_MAX, 601))


async def test_appends_during_a_watch_are_neither_lost_nor_repeated(
    relay: Relay, log: WatchedLog
) -> None:
    await append(log, 3)
    async with relay.connect() as link:
        posting = asyncio.create_task(append(log, 200))
        heard = [entry.id for entry in (await _watch(link)).entries]
        while not heard or heard[-1] < 203:
            frame = await hear(link)
            assert isinstance(frame, Appended)
            heard += [entry.id for entry in frame.entries]
        await posting
    assert heard == list(range(1, 204))


async def test_after_unwatch_nothing_more_comes(relay: Relay, log: WatchedLog) -> None:
    async with relay.connect() as link:
        await _watch(link)
        await tell(link, Unwatch(NEWS))
        await _watch(link, OTHER)
        await append(log, 1)
        await append(log, 1, channel=OTHER)
        frame = await hear(link)
        assert isinstance(frame, Appended)
        assert frame.channel == OTHER


async def test_a_channel_that_is_not_there_is_unwatched(relay: Relay) -> None:
    async with relay.connect() as link:
        await tell(link, Watch(NOWHERE, -1, -1))
        assert await hear(link) == Unwatched(NOWHERE, "channel_unknown")


async def test_a_slow_watch_holds_up_nobody(relay: Relay, log: WatchedLog) -> None:
    await append(log, 1)
    async with relay.connect() as link:
        await _watch(link, OTHER)
        log.go.clear()
        reads = log.reads
        await tell(link, Watch(NEWS, -1, -1))
        await eventually(lambda: log.reads > reads, within_s=SOON_S, what="the slow read")
        await append(log, 1, channel=OTHER)
        frame = await hear(link)
        assert isinstance(frame, Appended)
        assert frame.channel == OTHER
        log.go.set()
        assert isinstance(await hear(link), Snapshot)


async def test_an_unwatch_beats_a_watch_that_is_being_read(relay: Relay, log: WatchedLog) -> None:
    await append(log, 1)
    async with relay.connect() as link:
        log.go.clear()
        await tell(link, Watch(NEWS, -1, -1))
        await eventually(lambda: log.reads > 0, within_s=SOON_S, what="the read")
        await tell(link, Unwatch(NEWS))
        await tell(link, Watch(OTHER, -1, -1))
        log.go.set()
        frame = await hear(link)
        assert frame.channel == OTHER
        await append(log, 1)
        await append(log, 1, channel=OTHER)
        assert (await hear(link)).channel == OTHER


async def test_a_link_beats_from_its_first_moment(relay: Relay) -> None:
    async with relay.connect() as link:
        first, second = await hear_any(link), await hear_any(link)
    assert isinstance(first, Beat)
    assert isinstance(second, Beat)
    assert second.reconciled_ms >= first.reconciled_ms > 0


@pytest.mark.parametrize("frame", [b"nonsense", b"", "text"])
async def test_a_malformed_frame_ends_the_link(relay: Relay, frame: bytes | str) -> None:
    async with relay.connect() as link:
        await link.send(frame)
        assert await _closed(link) == MALFORMED


async def test_nobody_is_linked_without_an_identity(relay: Relay) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(relay.url + FEED)
    assert refused.value.response.status_code == 403


async def test_a_gateway_that_does_not_read_is_cut_off(log: WatchedLog) -> None:
    async with running(log, Settings(link_frames=16)) as relay, relay.connect() as link:
        await _watch(link)
        link.transport.pause_reading()
        before = _slow_links()
        for _ in range(FLOODS_MAX):
            await append(log, 30, text="x" * 4_000)
            if _slow_links() > before:
                break
        await eventually(lambda: _slow_links() > before, within_s=SOON_S, what="the cut")
        link.transport.resume_reading()
        assert await _closed(link) == SLOW


async def test_more_watches_than_the_bound_are_refused(log: WatchedLog) -> None:
    async with running(log, Settings(watches_per_link=1)) as relay, relay.connect() as link:
        await _watch(link)
        await tell(link, Watch(OTHER, -1, -1))
        assert await hear(link) == Unwatched(OTHER, "limit_hit")
        await _watch(link)


async def test_a_drain_sends_gateways_elsewhere(relay: Relay) -> None:
    async with relay.connect() as link:
        await _watch(link)
        await relay.running.drain(0.0)
        assert await _closed(link) == RESTART


async def test_a_log_that_does_not_answer_unwatches(relay: Relay, log: WatchedLog) -> None:
    async with relay.connect() as link:
        log.cut()
        await tell(link, Watch(NEWS, -1, -1))
        assert await hear(link) == Unwatched(NEWS, "service_away")
        log.heal()
        await _watch(link)
