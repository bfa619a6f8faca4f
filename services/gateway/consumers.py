"""What the gateway follows in the log: changes of access, and sessions that ended."""

from collections.abc import Callable, Sequence

from libs.log.port import LogError, Partition, PositionGone, Stored
from libs.runtime.logging import logger
from libs.runtime.service import Ports
from libs.wire.codec import Malformed
from libs.wire.records import AccessChanged, Record, Revocation, decode
from libs.wire.tokens import LIFE_S_MAX
from libs.wire.topics import ACCESS_CHANGES, REVOCATIONS, Topic

from .access import AccessMemory
from .hub import Waiter
from .tokens import Tokens

# Takes waiters whose access is to be decided anew.
Hold = Callable[[Sequence[Waiter]], None]

RETRY_S = 0.5

_log = logger("gateway.consumers")


class Changes:
    """Tails both topics; ready once it has begun."""

    def __init__(self, ports: Ports, access: AccessMemory, tokens: Tokens, *, hold: Hold) -> None:
        self._ports = ports
        self._access = access
        self._hold = hold
        self._tokens = tokens
        self._faults = {ACCESS_CHANGES.name: "not read yet", REVOCATIONS.name: "not read yet"}

    def lacks(self) -> list[str]:
        """Why changes might be missed now."""
        return [f"{topic}: {fault}" for topic, fault in self._faults.items() if fault]

    async def follow_access(self) -> None:
        """From now on: nothing is remembered from before."""
        await self._follow(ACCESS_CHANGES, back_ms=0, take=self._access_changed)

    async def follow_revocations(self) -> None:
        """From as far back as a token may live."""
        await self._follow(REVOCATIONS, back_ms=LIFE_S_MAX * 1000, take=self._revoked)

    async def _follow(self, topic: Topic, *, back_ms: int, take: Callable[[Record], None]) -> None:
        since = self._ports.clock.now_ms() - back_ms
        starts: dict[Partition, int] = {}
        while True:
            try:
                starts = starts or await self._starts(topic, since)
                self._faults[topic.name] = ""
                await self._read(starts, take)
            except PositionGone as gone:
                # The topic forgot records that were not read here: what they said is not known.
                starts[Partition(*gone.partition)] = gone.first
                self._hold(self._access.missed())
            except LogError as fault:
                self._faults[topic.name] = str(fault)
                _log.warning("changes wait", topic=topic.name, fault=str(fault))
                await self._ports.clock.sleep(RETRY_S)

    async def _starts(self, topic: Topic, since_ms: int) -> dict[Partition, int]:
        parts = [Partition(topic.name, index) for index in range(topic.partitions)]
        return dict(await self._ports.log.offsets_at(parts, since_ms))

    async def _read(self, starts: dict[Partition, int], take: Callable[[Record], None]) -> None:
        """Take what comes; `starts` moves along, so that the next try goes on from there."""
        async with self._ports.log.tail(starts) as tail:
            async for batch in tail:
                for stored in batch:
                    _take(stored, take)
                starts[batch[0].partition] = batch[-1].offset + 1

    def _access_changed(self, record: Record) -> None:
        if isinstance(record, AccessChanged):
            self._hold(self._access.changed(record.channel, record.user))

    def _revoked(self, record: Record) -> None:
        if isinstance(record, Revocation):
            self._tokens.revoke(record.session)


def _take(stored: Stored, take: Callable[[Record], None]) -> None:
    try:
        take(decode(stored.value))
    except Malformed as fault:
        _log.error("record skipped", topic=stored.partition.topic, fault=str(fault))
