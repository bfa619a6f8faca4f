"""Following partitions: the loop's side of a consumer's thread.

One question is under way at a time, and it outlives a caller that is cancelled: the next caller
waits for the same answer, so nothing is missed. What waits in this process is one answer and the
driver's own bounded queue; who does not ask is not sent more.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence

from libs.log.kafka.desk import Desk
from libs.log.kafka.puller import Batch, Pulled, Puller, Start
from libs.log.port import Ends, LogUnavailable, Partition, PositionGone, Stored

# A question, a start and an end: more does not come together.
WAITING_MAX = 4

EndsOf = Callable[[Iterable[Partition]], Awaitable[Mapping[Partition, Ends]]]


class KafkaTail:
    """`Tail`. A start is checked with the first question: below the first kept offset it is gone,
    beyond the end it is waited for."""

    def __init__(self, puller: Puller, ends_of: EndsOf, starts: Mapping[Partition, int]) -> None:
        self._puller = puller
        self._ends_of = ends_of
        self._unstarted = dict(starts)
        self._thread = Desk("kafka-consumer", threads=1, waiting_max=WAITING_MAX)
        self._asked: asyncio.Future[Pulled] | None = None
        self._batches: deque[Batch] = deque()
        self._is_closed = False

    def __aiter__(self) -> AsyncIterator[Sequence[Stored]]:
        return self

    async def __anext__(self) -> Sequence[Stored]:
        while True:
            self._check_open()
            if self._batches:
                return self._batches.popleft()
            await self._pull()

    async def close(self) -> None:
        """End it; who waits for records has `LogUnavailable`. Twice is as good as once."""
        self._puller.is_stopping = True
        if not self._is_closed:
            self._is_closed = True
            # One that cannot leave its group is put out of it when its session is over.
            self._thread.begin(self._puller.close)
            await self._thread.close()

    async def _settle(self) -> None:
        """Start what has no start yet."""
        if not self._unstarted:
            return
        starts, gone = await self._decided(self._unstarted)
        if gone:
            raise gone[0]
        await self._do(lambda: self._puller.start(starts))
        self._unstarted = {}

    async def _decided(
        self, positions: Mapping[Partition, int]
    ) -> tuple[Mapping[Partition, Start], Sequence[PositionGone]]:
        """Where to start at these positions, and which of them are gone."""
        ends = await self._ends_of(positions)
        gone = [
            PositionGone(*p, ends[p].first) for p, at in positions.items() if at < ends[p].first
        ]
        starts = {
            p: Start(fetched=min(at, ends[p].next), wanted=at)
            for p, at in positions.items()
            if at >= ends[p].first
        }
        return starts, gone

    async def _pull(self) -> None:
        if self._asked is None:
            await self._settle()
            self._check_open()
            self._asked = self._thread.begin(self._puller.pull)
        await asyncio.wait([self._asked])
        answered, self._asked = self._asked, None
        pulled = answered.result()
        self._batches.extend(pulled.batches)
        self._refuse(pulled.refused)

    def _refuse(self, refused: Mapping[Partition, int]) -> None:
        """These are not followed any longer; their ends are asked for with the next question."""
        self._unstarted.update(refused)

    async def _do(self, call: Callable[[], None]) -> None:
        self._check_open()
        await self._thread.do(call)

    def _check_open(self) -> None:
        if self._is_closed:
            raise LogUnavailable("the log is closed")
