"""Who may listen, remembered: a yes while no change is seen, a no for a second.

Each answer is a `Grant` shared by all polls of that user on that channel, parked ones included, so
that a change of access finds them without a search.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from sys import intern

from libs.runtime.access import AccessLane
from libs.runtime.changes import SILENT_S
from libs.runtime.clock import Clock
from libs.wire.api import Access
from libs.wire.codes import Problem, TryAgain, problem
from libs.wire.ids import is_id

from .hub import Waiter

NO_REMEMBERED_S = 1.0
# While nobody can say more about a yes, it is asked about so often, not by every poll.
ASK_AGAIN_S = 1.0
# In doubt a yes is asked about anew after this: those who listen are asked about in batches as they
# are served (of 50,000 listeners ten a second, of 1,000 pairs), not for every entry.
DOUBTED_S = 5.0
# In doubt, while nobody can answer, a yes counts for so long after the last moment at which it was
# known to hold: when it was asked, or when changes were heard last, which would have told of a no.
DOUBTED_KEPT_S = 60.0


class Grant:
    """The last answer about a user and a channel, and the waiters that rely on it."""

    __slots__ = ("access", "asked_s", "is_stale", "tried_s", "waiters")

    def __init__(self, access: Access, asked_s: float) -> None:
        self.access = access
        self.asked_s = asked_s
        self.tried_s = asked_s
        self.is_stale = False
        self.waiters: list[Waiter] = []


class AccessMemory:
    """Grants by (user, channel), at most `most` of them; those with waiters are kept.

    A yes is asked about anew after `yes_s` seconds. While nobody can answer it counts for `kept_s`,
    as long as changes are followed (`is_followed`): one would have been seen. When they are silent
    for too long (`silent_s`) all is doubted: see `DOUBTED_S` and `DOUBTED_KEPT_S`.
    """

    def __init__(
        self, lane: AccessLane, clock: Clock, *, yes_s: float, kept_s: float, most: int
    ) -> None:
        self._lane = lane
        self._clock = clock
        self._yes_s = yes_s
        self._kept_s = kept_s
        self._most = most
        self.is_followed: Callable[[], bool] = lambda: True
        self.silent_s: Callable[[], float] = lambda: 0.0
        self._grants: OrderedDict[tuple[str, str], Grant] = OrderedDict()
        self._changes: dict[str, int] = {}
        self._asking: dict[str, int] = {}

    @property
    def is_doubted(self) -> bool:
        """Changes may be missing: whoever serves entries asks `grant` again for each listener."""
        return self.silent_s() >= SILENT_S

    async def grant(self, user: str, channel: str) -> Grant:
        """The grant to read; asked anew when it is too old. Raises the `Problem` that refuses."""
        _must_be_id(user, channel)
        grant = self._grants.get((user, channel))
        if grant is None or not self._is_good(grant):
            grant = await self._renewed(grant, user, channel)
        if not grant.access.may_read:
            raise refusal(grant.access)
        return grant

    def remembered(self, user: str, channel: str) -> Grant | None:
        """What `grant` gives, at once; None when it would have to ask. Raises the `Problem` that
        refuses."""
        grant = self._grants.get((user, channel))
        if grant is None:
            _must_be_id(user, channel)
            return None
        if not self._is_good(grant):
            return None
        if not grant.access.may_read:
            raise refusal(grant.access)
        return grant

    async def topic(self, user: str, channel: str) -> str:
        """The pool of the channel's log, by what is remembered or else one question for `user`;
        empty when nobody can say."""
        grant = self._grants.get((user, channel))
        if grant is not None and grant.access.topic:
            return grant.access.topic
        try:
            return (await self._ask(user, channel)).access.topic
        except Problem:
            return ""

    def holds(self, grant: Grant) -> bool:
        """Whether the grant still gives the right to read: to be asked before parking."""
        # Another request of the user may have been told no meanwhile, and written it in here. And
        # a grant that was forgotten meanwhile would not be found by the next change.
        key = (grant.access.user, grant.access.channel)
        is_known = self._grants.get(key) is grant
        return is_known and grant.access.may_read and not grant.is_stale

    def changed(self, channel: str, user: str | None) -> list[Waiter]:
        """Access of `user` (None: of all) to `channel` changed: what was remembered counts no more.
        Returns the waiters that relied on it."""
        if channel in self._asking:
            self._changes[channel] = self._changes.get(channel, 0) + 1
        pairs = (
            [(user, channel)]
            if user is not None
            else [pair for pair in self._grants if pair[1] == channel]
        )
        return self._distrust(grant for pair in pairs if (grant := self._grants.get(pair)))

    def missed(self) -> list[Waiter]:
        """Changes may have been missed: nothing that was remembered counts. Returns all waiters."""
        for channel in self._asking:
            self._changes[channel] = self._changes.get(channel, 0) + 1
        return self._distrust(self._grants.values())

    def _distrust(self, grants: Iterable[Grant]) -> list[Waiter]:
        waiters: list[Waiter] = []
        for grant in grants:
            grant.is_stale = True
            waiters += grant.waiters
        return waiters

    async def _renewed(self, grant: Grant | None, user: str, channel: str) -> Grant:
        if grant is None or not self._may_last(grant):
            return await self._ask(user, channel)
        now = self._clock.monotonic()
        if now - grant.tried_s < ASK_AGAIN_S:
            return grant
        if not self.is_doubted:
            # Others go on meanwhile. In doubt they wait for the answer as well.
            grant.tried_s = now
        try:
            return await self._ask(user, channel)
        except TryAgain:
            grant.tried_s = self._clock.monotonic()
            if not self._may_last(grant):
                raise
            return grant

    def _may_last(self, grant: Grant) -> bool:
        age_s = self._clock.monotonic() - grant.asked_s
        if grant.is_stale or not grant.access.may_read:
            return False
        if self.is_doubted:
            return age_s < self._kept_s and min(age_s, self.silent_s()) < DOUBTED_KEPT_S
        return age_s < self._kept_s and self.is_followed()

    async def _ask(self, user: str, channel: str) -> Grant:
        self._asking[channel] = self._asking.get(channel, 0) + 1
        before = self._changes.get(channel, 0)
        try:
            access = await self._lane.ask(user, intern(channel))
            is_current = self._changes.get(channel, 0) == before
        finally:
            self._asking[channel] -= 1
            if not self._asking[channel]:
                del self._asking[channel]
                self._changes.pop(channel, None)
        if access.refusal == REBUILDING:
            # That is no answer; one that is remembered is better.
            raise refusal(access)
        return self._remember(user, access, is_current=is_current)

    def _remember(self, user: str, access: Access, *, is_current: bool) -> Grant:
        key = (user, access.channel)
        grant = self._grants.get(key)
        if grant is None:
            grant = self._grants[key] = Grant(access, 0.0)
        grant.access = access
        grant.asked_s = self._clock.monotonic()
        # An answer that a change overtook serves this one request, and is asked anew by the next.
        grant.is_stale = not is_current
        self._grants.move_to_end(key)
        self._forget_oldest()
        return grant

    def _forget_oldest(self) -> None:
        for _ in range(len(self._grants) - self._most):
            key, grant = next(iter(self._grants.items()))
            if grant.waiters:
                self._grants.move_to_end(key)
            else:
                del self._grants[key]

    def _is_good(self, grant: Grant) -> bool:
        if grant.is_stale:
            return False
        return self._clock.monotonic() - grant.asked_s < self._lasts_s(grant.access)

    def _lasts_s(self, access: Access) -> float:
        if not access.may_read:
            return NO_REMEMBERED_S
        return min(self._yes_s, DOUBTED_S) if self.is_doubted else self._yes_s


def _must_be_id(user: str, channel: str) -> None:
    if not is_id(channel):
        # Nobody needs to be asked, and nothing remembered, about what cannot be a channel.
        raise refusal(Access(user, channel, refusal="channel_unknown"))


def refusal(access: Access) -> Exception:
    """The problem that an access answer without the right to read stands for."""
    code = access.refusal or "access_denied"
    return problem(code, DETAILS.get(code, "ask an admin of the channel"))


REBUILDING = "rebuilding"
DETAILS = {
    "channel_unknown": "there is no channel with this id",
    "access_denied": "join the channel, or ask one of its admins to add you",
    "banned": "an admin of the channel banned you; only they can lift it",
    REBUILDING: "memberships are being read from the log; try again in a moment",
}
