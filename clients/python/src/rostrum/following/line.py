"""One connection after the other for the channels of a lot."""

import asyncio
import logging
from dataclasses import dataclass, field

from rostrum.backoff import Backoff
from rostrum.errors import Refused, SignedOut
from rostrum.following.choice import FAILURES_MAX, Choice
from rostrum.following.counts import Counts
from rostrum.following.crew import until_one_ends
from rostrum.following.lot import Lot
from rostrum.following.mender import Mender
from rostrum.following.patience import Patience
from rostrum.http import Http
from rostrum.ways.poll import Poll
from rostrum.ways.way import (
    PASSING,
    Changed,
    Drained,
    Gone,
    Silent,
    TokenRefused,
    Way,
    told_s,
)

# Tokens that were renewed and are refused as well: asking once more would not help.
RENEWALS_MAX = 2
NOT_FOUND = 404

_log = logging.getLogger(__name__)


@dataclass
class Surroundings:
    """What all connections of a follower share. `connected` is how many are open, `trouble` why the
    last one ended."""

    http: Http
    patience: Patience
    choice: Choice
    poll: Poll
    counts: Counts = field(default_factory=Counts)
    connected: int = 0
    trouble: str = ""

    @property
    def again(self) -> Backoff:
        """How long to wait before the next attempt."""
        return Backoff(self.patience.again_first_s, self.patience.again_most_s)


class Line:
    """Listens for a lot by a way, until nothing is followed any more."""

    def __init__(self, way: Way, lot: Lot, around: Surroundings) -> None:
        self.lot = lot
        self._way = way
        self._around = around
        self._now_s = asyncio.get_running_loop().time
        # When the present connection was let in; None before.
        self._open_s: float | None = None
        # In a row: attempts without a welcome, connections that the way seems to break, and tokens
        # that were renewed.
        self._failures = 0
        self._wordless = 0
        self._renewals = 0

    async def live(self) -> None:
        """Raises `Changed`, `Refused` and `SignedOut`."""
        while self.lot:
            gateway = self._around.http.gateway()
            try:
                await self._connection()
            except Refused as fault:
                await self._recover(await self._refused(fault), gateway)
            except Gone as gone:
                _log.debug("%s at %s: %s", self._way.name, gateway, gone)
                await self._recover(gone, gateway)

    async def _refused(self, fault: Refused) -> Gone:
        """A request was refused as a whole. When it is for one of its channels, a poll says for
        which, and it is followed no more. Raises `fault` when that does not help."""
        before = len(self.lot)
        looks = fault.status == NOT_FOUND and await self._around.poll.look(self.lot)
        if looks and len(self.lot) < before:
            return Gone(str(fault), is_told=True)
        raise fault

    async def _connection(self) -> None:
        self._open_s = None
        self.lot.begin()
        mender = Mender(self._around.http, self.lot)
        try:
            await until_one_ends(self._way.listen(self.lot, self._opened), mender.run())
        finally:
            self._around.connected -= self._open_s is not None

    def _opened(self) -> None:
        if self._open_s is None:
            self._open_s = self._now_s()
            self._around.connected += 1
            self._around.counts.connects += 1
            self._around.trouble = ""
            self._failures = self._renewals = 0

    async def _recover(self, gone: Gone, gateway: str) -> None:
        around = self._around
        around.trouble = str(gone)
        if isinstance(gone, Drained):
            around.counts.drains += 1
        elif self._open_s is not None:
            around.counts.breaks += 1
        after_s = gone.after_s
        if isinstance(gone, TokenRefused):
            after_s = await self._renew(gone)
        await self._judge_way(gone)
        if isinstance(gone, Drained) or not gone.is_told:
            around.http.leave(gateway)
        await asyncio.sleep(around.again.wait_s(self._failures, after_s))
        self._failures += 1

    async def _renew(self, gone: TokenRefused) -> float:
        """Get another token. Returns how long to wait when there is none now."""
        if gone.token is None:
            return 0.0
        if self._renewals >= RENEWALS_MAX:
            raise SignedOut(f"each token is refused ({gone}): sign in again")
        try:
            await self._around.http.token(newer_than=gone.token)
        except PASSING as fault:
            return told_s(fault)
        self._renewals += 1
        return 0.0

    async def _judge_way(self, gone: Gone) -> None:
        """Whether something between us and the gateway does not let this way through."""
        choice = self._around.choice
        if not self._is_wordless(gone):
            self._wordless = 0
            return
        if choice.is_last or not await self._around.poll.look(self.lot):
            return
        self._wordless += 1
        if self._wordless >= FAILURES_MAX:
            _log.info("%s cannot be used here: %s", self._way.name, gone)
            self._around.counts.changes += 1
            choice.fall(self._way.name)
            raise Changed

    def _is_wordless(self, gone: Gone) -> bool:
        if gone.is_told:
            return False
        if self._open_s is None or isinstance(gone, Silent):
            return True
        if self._now_s() - self._open_s < self._around.patience.short_life_s:
            # Whoever reads slowly is left without a word too.
            return self.lot.inbox.full_s < self._open_s
        self._around.choice.lasted()
        return False
