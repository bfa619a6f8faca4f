"""Windows are few, and each is read once."""

import asyncio
from collections.abc import Sequence

from libs.log.faults import FaultyLog, Script
from libs.log.port import Appended, Log, Partition, Stored
from libs.runtime.tasks import GroupTasks
from libs.wire.records import encode
from services.chat.model import Post
from services.chat.tests.instance import CHANNEL, HOME, append
from services.chat.window import ChannelWindow, Windows


class CountingLog(FaultyLog):
    """Counts reads."""

    def __init__(self, inner: Log) -> None:
        super().__init__(inner, Script())
        self.reads = 0

    async def read(self, partition: Partition, start: int, *, limit: int) -> Sequence[Stored]:
        self.reads += 1
        return await super().read(partition, start, limit=limit)


def _post(client_id: str) -> Post:
    return Post(CHANNEL, "a", client_id, "t")


async def test_all_who_ask_at_once_share_one_read(log: Log) -> None:
    await append(log, "c1")
    counting = CountingLog(log)
    async with asyncio.TaskGroup() as group:
        windows = Windows(counting, GroupTasks(group), channels_max=1, keys_max=1)
        found = await asyncio.gather(*(windows.of(HOME) for _ in range(5)))
    assert {window.head for window in found} == {1}
    assert counting.reads == 1


async def test_the_channel_used_longest_ago_goes_first(log: Log) -> None:
    homes = [HOME, HOME._replace(channel="d", partition=4), HOME._replace(channel="e", partition=5)]
    async with asyncio.TaskGroup() as group:
        windows = Windows(log, GroupTasks(group), channels_max=2, keys_max=10)
        first = [await windows.of(home) for home in homes]
        assert len(windows) == 2
        assert await windows.of(homes[2]) is first[2]
        assert await windows.of(homes[0]) is not first[0]


async def test_posts_over_the_bound_push_out_other_channels(log: Log) -> None:
    for number in range(5):
        await append(log, f"c{number}")
    async with asyncio.TaskGroup() as group:
        windows = Windows(log, GroupTasks(group), channels_max=10, keys_max=4)
        await windows.of(HOME)
        await windows.of(HOME)
        await windows.of(HOME._replace(channel="d", partition=4))
        assert len(windows) == 1


async def test_completions_out_of_order_are_taken_in_the_order_of_the_log(log: Log) -> None:
    window = ChannelWindow(log, HOME)
    await window.refresh()
    raws = [encode(_post(client_id).record()) for client_id in ("c1", "c1", "c2")]
    done = [await log.append(window.partition, raw) for raw in raws]
    for index in (2, 0, 1):
        await window.landed(done[index], raws[index])
        assert window.head == 3
    known = await window.find(_post("c1").key)
    assert known is not None
    assert known.id == 1


async def test_a_new_claim_of_the_channel_is_read_anew(log: Log) -> None:
    async with asyncio.TaskGroup() as group:
        windows = Windows(log, GroupTasks(group), channels_max=2, keys_max=10)
        await append(log, "c1")
        assert (await windows.of(HOME)).head == 1
        moved = HOME._replace(epoch=2, partition=5, base_id=1_000_002)
        assert (await windows.of(moved)).head == 1_000_001


async def test_an_own_append_is_taken_without_a_read(log: Log) -> None:
    counting = CountingLog(log)
    window = ChannelWindow(counting, HOME)
    await window.refresh()
    raw = encode(_post("c1").record())
    await window.landed(Appended(0, 0), raw)
    assert (window.head, counting.reads) == (1, 0)
