"""Who follows revocations knows whether they would be heard."""

from libs.log.port import READ_RECORDS_MAX, Partition
from libs.runtime.beats import beat_place, sources_of
from libs.testing.eventually import eventually
from libs.wire.records import Heartbeat, decode
from libs.wire.topics import REVOCATIONS
from services.session.tests.desk import World


async def beating(world: World) -> set[Partition]:
    """The sources whose beats are where followers expect them."""
    found = set()
    for index in range(REVOCATIONS.partitions):
        place = Partition(REVOCATIONS.name, index)
        for stored in await world.inner.read(place, 0, limit=READ_RECORDS_MAX):
            record = decode(stored.value)
            assert isinstance(record, Heartbeat)
            source = Partition(record.topic, record.partition)
            assert place == beat_place(REVOCATIONS, source)
            found.add(source)
    return found


async def test_the_owner_of_each_partition_of_sessions_beats(world: World) -> None:
    wanted = set(sources_of(REVOCATIONS))

    async def all_beat() -> bool:
        return await beating(world) == wanted

    async with world.open(is_beating=True):
        await eventually(all_beat, within_s=10, what="all sources beat")
