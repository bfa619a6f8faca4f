"""The entries of a channel straight from the log, decided as every reader decides them."""

import json
from collections.abc import Sequence

from cli import show
from cli.address import Where
from cli.finding import Found, find
from cli.lines import Line, Shown, Span
from cli.looking import looking_at
from libs.log.port import READ_RECORDS_MAX, Inspection, PositionGone, Stored
from libs.wire.codec import to_json
from libs.wire.entries import Entry
from libs.wire.fold import WINDOW, ChannelFold


async def from_log(where: Where, channel: str, span: Span, shown: Shown) -> None:
    """Print what is wanted. Raises `Trouble`."""
    async with looking_at(where) as log:
        found = await find(log, channel)
        reading = _Reading(log, found, span.begin(found.first, found.head), shown)
        await reading.to_head()
        if span.follow and not shown.is_all:
            await reading.on()


class _Reading:
    """Folds from `WINDOW` entries before the first that is shown: a repetition is one here as for
    everybody else."""

    def __init__(self, log: Inspection, found: Found, begin: int, shown: Shown) -> None:
        self._log = log
        self._found = found
        self._begin = begin
        self._shown = shown
        self._start = min(max(found.first, begin - WINDOW), found.head + 1)
        self._fold = ChannelFold(found.placement.channel, self._start)

    @property
    def _offset(self) -> int:
        return self._found.placement.offset_of(self._fold.head + 1)

    async def to_head(self) -> None:
        """All that was there when it began."""
        while self._fold.head < self._found.head and not self._shown.is_all:
            left = self._found.head - self._fold.head
            limit = min(left, READ_RECORDS_MAX)
            self._take(await self._log.read(self._found.partition, self._offset, limit=limit))

    async def on(self) -> None:
        """What comes, for ever or until all is shown."""
        while not self._shown.is_all:
            try:
                await self._follow()
            except PositionGone as gone:
                first = self._found.placement.id_of(gone.first)
                show.note(f"ids {self._fold.head + 1} to {first - 1} went before they were read")
                self._fold = ChannelFold(self._found.placement.channel, first)

    async def _follow(self) -> None:
        async with self._log.tail({self._found.partition: self._offset}) as tail:
            async for batch in tail:
                self._take(batch)
                if self._shown.is_all:
                    return

    def _take(self, batch: Sequence[Stored]) -> None:
        for stored in batch:
            entry = self._fold.push(stored.value, stored.at_ms)
            if entry.id >= self._begin and not self._shown.is_all:
                self._shown.show(_line(entry))


def _line(entry: Entry) -> Line:
    line: Line = json.loads(to_json(entry))
    return line
