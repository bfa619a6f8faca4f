"""Pages of a channel, and all of them one after the other."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from rostrum.cursor import ID_MAX, Cursor
from rostrum.errors import EpochChanged, Unreadable
from rostrum.http import Http
from rostrum.ids import in_path
from rostrum.model import Entry, Page, entry_of

# The most that a gateway gives at once.
PAGE_MAX = 100
# A page is asked for so long: those who read much are given one a second.
PAGE_S = 60.0

# An entry's id, or a cursor.
Place = int | str


class _Raw(msgspec.Struct):
    entries: list[dict[str, Any]]
    cursor: str
    head: int
    first: int
    more: bool


class Reader:
    """Reads pages of one channel, all of the epoch of the first cursor that is given or answered.
    Raises `EpochChanged` when another one is answered."""

    def __init__(self, http: Http, channel: str) -> None:
        self._http = http
        self._channel = channel
        self._path = f"/v1/channels/{in_path(channel)}/messages"
        self._epoch: int | None = None
        self._pause_s = 0.0

    def id_of(self, place: Place) -> int:
        """The id of a place. Raises `ValueError` for what is none."""
        if isinstance(place, int):
            return place
        cursor = Cursor.of(place)
        self._check(cursor.epoch)
        return cursor.id

    async def page(self, way: str = "", place: Place = 0, *, limit: int = PAGE_MAX) -> Page:
        """At most `limit` (1 to 100) entries `after`, `before` or `around` a place; without a way
        the latest. Once pages were limited, it waits before it asks for the next one."""
        query: dict[str, str | int] = {"limit": limit}
        if way:
            query[way] = self.id_of(place)
        await asyncio.sleep(self._pause_s)
        answer = await self._http.ask("GET", self._path, _Raw, query=query, within_s=PAGE_S)
        self._pause_s = max(self._pause_s, answer.limited_s or 0.0)
        epoch, page = _page_of(answer.value)
        self._check(epoch)
        return page

    def _check(self, epoch: int) -> None:
        if self._epoch not in (None, epoch):
            raise EpochChanged(self._channel, epoch)
        self._epoch = epoch


def _page_of(raw: _Raw) -> tuple[int, Page]:
    try:
        page = Page(
            entries=tuple(entry_of(fields) for fields in raw.entries),
            cursor=raw.cursor,
            head=raw.head,
            first=raw.first,
            more=raw.more,
        )
        return Cursor.of(raw.cursor).epoch, page
    except ValueError as fault:
        raise Unreadable(str(fault)) from fault


async def entries_between(
    reader: Reader, after: Place | None, before: Place | None, *, newest_first: bool
) -> AsyncIterator[Entry]:
    """Every entry between two places (None: the beginning, the end)."""
    low = 0 if after is None else reader.id_of(after)
    high = ID_MAX if before is None else reader.id_of(before)
    way, place = ("before", high) if newest_first else ("after", low)
    more = True
    while more:
        page = await reader.page(way, place)
        for entry in page.entries[::-1] if newest_first else page.entries:
            if not low < entry.id < high:
                return
            yield entry
            place = entry.id
        more = page.more and bool(page.entries)
