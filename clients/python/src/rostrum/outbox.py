"""Posts that outlive the program: stored before they are sent, sent in order, written once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar
from weakref import WeakValueDictionary

from rostrum.errors import NotPosted, OutboxClosed, Refused, RostrumError
from rostrum.http import Http
from rostrum.ids import in_path, new_client_id
from rostrum.model import Posted
from rostrum.posting import POST_S, Post, post_surely
from rostrum.rows import Rows, Waiting

P = ParamSpec("P")
R = TypeVar("R")

# Channels that are sent to at once by `resume`; a person may post 30 times a second in all.
CHANNELS_AT_ONCE = 16
# What is refused with one of these, or for its token, may be taken another time: it stays.
NOT_ITS_FAULT = frozenset({"not_ours", "route_unknown", "method_unknown"})
UNAUTHORIZED = 401
ADVICE = "it waits in the outbox, for resume or for the next post of its channel"


class Resumed(NamedTuple):
    """What became of the posts that waited, by `client_id`. One that was `refused` waits no more;
    its `may_be_done` says that an earlier run may have written it. `waiting`: so many wait still,
    and `why` says why."""

    posted: dict[str, Posted]
    refused: dict[str, Refused]
    waiting: int
    why: RostrumError | None


class Outbox:
    """Enter it before use, by a client that is signed in. Posts of one channel are sent one after
    the other, in the order of `post`; one that was not answered goes before all later ones.

    The file belongs to one user, and to one process at a time. All methods raise `OutboxClosed`
    when it cannot be used.
    """

    def __init__(self, http: Http, path: str | Path) -> None:
        self._http = http
        self._path = Path(path)
        self._rows: Rows | None = None
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._sent: set[int] = set()
        # Of the posts that somebody here waits for: what became of them, None so far.
        self._outcomes: dict[int, Posted | Refused | None] = {}

    async def __aenter__(self) -> "Outbox":
        user = self._http.tokens.session.user_id
        # SQLite waits for the disk: in a thread of its own, which keeps the order of what it does.
        self._thread = ThreadPoolExecutor(1, "rostrum-outbox")
        try:
            self._rows = await self._in_thread(Rows, self._path, user)
        except BaseException:
            self._thread.shutdown()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        rows, self._rows = self._opened(), None
        try:
            await self._in_thread(rows.close)
        finally:
            self._thread.shutdown()

    async def post(
        self,
        channel: str,
        text: str,
        *,
        reply_to: int | None = None,
        client_id: str | None = None,
        within_s: float = POST_S,
    ) -> Posted:
        """Store a post and send it, after those of its channel that wait. Raises what
        `Client.post` raises, and `OutboxFull`. After a `NotPosted`, or when this is cancelled, it
        waits and goes before the next post of its channel, or with `resume`. Give a `client_id`,
        which no post had, to tell it among those that wait; one that waits already is
        `ValueError`."""
        ends = _now() + within_s
        name = new_client_id() if client_id is None else client_id
        row = await self._do(Rows.add, in_path(channel), name, text, reply_to)
        self._outcomes[row.number] = None
        try:
            return await self._landed(row, ends)
        finally:
            del self._outcomes[row.number]

    async def resume(self, *, within_s: float = POST_S) -> Resumed:
        """Send all that waits, each post for at most `within_s` seconds. Where one cannot be sent,
        it and the later ones of its channel wait on."""
        resumed = Resumed({}, {}, 0, None)
        faults: list[RostrumError] = []
        gate = asyncio.Semaphore(CHANNELS_AT_ONCE)

        async def send_all(channel: str) -> None:
            try:
                async with gate, self._turn(channel):
                    await self._send_all(channel, within_s, resumed)
            except RostrumError as fault:
                faults.append(fault)

        async with asyncio.TaskGroup() as group:
            for channel in {row.channel for row in await self.waiting()}:
                group.create_task(send_all(channel))
        left = len(await self.waiting())
        return resumed._replace(waiting=left, why=next(iter(faults), None))

    async def waiting(self) -> list[Waiting]:
        """The posts that wait, in the order in which they came."""
        return await self._do(Rows.waiting)

    async def drop(self, client_id: str) -> None:
        """That post is not sent any more. It may have been sent before."""
        await self._do(Rows.remove, client_id)

    async def _landed(self, mine: Waiting, ends: float) -> Posted:
        """Send what is due in my channel until mine was: somebody else may do it for me."""
        turn = self._turn(mine.channel)
        try:
            async with asyncio.timeout_at(ends):
                await turn.acquire()
        except TimeoutError:
            raise self._waits(mine, "earlier posts of the channel wait") from None
        try:
            while (outcome := self._outcomes[mine.number]) is None:
                await self._send_first(mine, ends)
        finally:
            turn.release()
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    async def _send_first(self, mine: Waiting, ends: float) -> None:
        row = await self._do(Rows.first, mine.channel)
        if row is None or row.number > mine.number:
            is_unknown = mine.number in self._sent
            raise NotPosted(mine.client_id, "it was dropped", is_unknown=is_unknown)
        if _now() >= ends:
            raise self._waits(mine, "earlier posts of the channel took the time")
        try:
            await self._send(row, ends - _now())
        except NotPosted as fault:
            which = "" if row.number == mine.number else "an earlier post of the channel: "
            raise self._waits(mine, f"{which}{fault.__cause__}") from fault

    async def _send_all(self, channel: str, within_s: float, resumed: Resumed) -> None:
        while (row := await self._do(Rows.first, channel)) is not None:
            outcome = await self._send(row, within_s)
            if isinstance(outcome, Refused):
                resumed.refused[row.client_id] = outcome
            else:
                resumed.posted[row.client_id] = outcome

    async def _send(self, row: Waiting, within_s: float) -> Posted | Refused:
        was_sent = row.number in self._sent or row.number <= self._opened().inherited
        wish = Post(
            row.channel,
            row.text,
            reply_to=row.reply_to,
            client_id=row.client_id,
            was_sent=was_sent,
        )
        self._sent.add(row.number)
        outcome: Posted | Refused
        try:
            outcome = await post_surely(self._http, wish, within_s)
        except Refused as fault:
            if fault.code in NOT_ITS_FAULT or fault.status == UNAUTHORIZED:
                raise
            outcome = fault
        # Told before it is removed: what ends us in between sends it once more, and it is found.
        if row.number in self._outcomes:
            self._outcomes[row.number] = outcome
        await self._do(Rows.remove, row.client_id)
        self._sent.discard(row.number)
        return outcome

    def _waits(self, mine: Waiting, why: str) -> NotPosted:
        is_unknown = mine.number in self._sent
        return NotPosted(mine.client_id, why, is_unknown=is_unknown, advice=ADVICE)

    def _turn(self, channel: str) -> asyncio.Lock:
        turn = self._turns.get(channel)
        if turn is None:
            turn = self._turns[channel] = asyncio.Lock()
        return turn

    def _opened(self) -> Rows:
        if self._rows is None:
            raise OutboxClosed("use it inside of `async with client.outbox(path) as outbox:`")
        return self._rows

    async def _do(
        self, work: Callable[Concatenate[Rows, P], R], *args: P.args, **more: P.kwargs
    ) -> R:
        return await self._in_thread(work, self._opened(), *args, **more)

    async def _in_thread(self, work: Callable[P, R], *args: P.args, **more: P.kwargs) -> R:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(work, *args, **more))


def _now() -> float:
    return asyncio.get_running_loop().time()
