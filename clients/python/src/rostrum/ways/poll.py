"""`POST /v1/poll`: where nothing else gets through."""

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import ClassVar

from rostrum.errors import OutcomeUnknown, Problem, Unreachable, Unreadable
from rostrum.following.answers import PollAnswer
from rostrum.following.crew import until_one_ends
from rostrum.following.lot import Lot
from rostrum.following.patience import Patience
from rostrum.http import Http
from rostrum.ways.way import Drained, Gone, ending, token_of
from rostrum.wire import Malformed

POLLS_MAX = 100
Cursors = dict[str, str | None]


class Poll:
    """Asks again and again. What is followed may change at any time: a poll that is parked then is
    given up."""

    name: ClassVar[str] = "poll"

    def __init__(self, http: Http, patience: Patience) -> None:
        self.most = POLLS_MAX
        self._http = http
        self._patience = patience

    async def listen(self, lot: Lot, opened: Callable[[], None]) -> None:
        """See `Way`."""
        # The first answer comes at once: it says whether somebody is there.
        wait_s = 0.0
        while lot:
            answer = await self._asked(lot, wait_s)
            if answer is None:
                continue
            opened()
            wait_s = self._patience.poll_s
            await _hear(lot, answer)
            lot.stands()
            if answer.drain is not None:
                raise Drained(answer.drain.reconnect_after_ms / 1000)
            await asyncio.sleep(answer.poll_after_ms / 1000)

    async def can_open(self, lot: Lot) -> bool:
        """See `Way`."""
        return await self.look(lot)

    async def look(self, lot: Lot) -> bool:
        """Whether a gateway answers the simplest question. What it says counts."""
        cursors = dict(islice((lot.watched() | lot.due()).items(), self.most))
        if not cursors:
            return False
        try:
            answer = await self._ask(cursors, wait_s=0.0, answer_s=self._patience.open_s)
            await _hear(lot, answer)
        except (Gone, Problem):
            return False
        return True

    async def _asked(self, lot: Lot, wait_s: float) -> PollAnswer | None:
        """What comes; None when what is followed changes before."""
        found: list[PollAnswer] = []
        cursors = lot.watched() | lot.due()
        lot.left()

        async def ask() -> None:
            answer_s = wait_s + self._patience.open_s
            found.append(await self._ask(cursors, wait_s=wait_s, answer_s=answer_s))

        works = [ask()] if cursors else []
        await until_one_ends(*works, lot.changes())
        return found[0] if found else None

    async def _ask(self, cursors: Cursors, *, wait_s: float, answer_s: float) -> PollAnswer:
        body = {"cursors": cursors, "wait": wait_s}
        try:
            found = await self._http.once(
                "POST", "/v1/poll", PollAnswer, body=body, answer_s=answer_s
            )
        except (OutcomeUnknown, Unreachable, Unreadable) as fault:
            raise Gone(str(fault)) from fault
        except Problem as fault:
            raise ending(fault, await token_of(self._http)) from fault
        return found.value


async def _hear(lot: Lot, answer: PollAnswer) -> None:
    try:
        for frame in answer.frames():
            await lot.inbox.room()
            lot.hear(frame)
    except Malformed as fault:
        raise Gone(str(fault)) from fault
