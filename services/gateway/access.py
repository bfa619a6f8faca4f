"""Who may listen, remembered: a yes while no change is seen, a no for a second.

Each answer is a `Grant` shared by all polls of that user on that channel, parked ones included, so
that a change of access finds them without a search.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from sys import intern

from libs.runtime.access import AccessLane
from libs.runtime.changes import SILENT_S
from libs.runtime.clock import Clock
from libs.wire.api import Access
from libs.wire.codec import replace
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
    """The last answer about a user and a channel, and the waiters that rely on it: see `Peers`."""

    __slots__ = ("_waiters", "access", "asked_s", "is_stale", "tried_s")

    def __init__(self, access: Access, asked_s: float) -> None:
        # Whose it is says the place where it is kept: all who may do the same share the object.
        self.access = access
        self.asked_s = asked_s
        self.tried_s = asked_s
        self.is_stale = False
        # Most have none or one: a list for each would take a hundred bytes.
        self._waiters: Waiter | list[Waiter] | None = None

    @property
    def waiters(self) -> list[Waiter]:
        """Those who rely on it."""
        those = self._waiters
        if isinstance(those, list):
            return those
        return [] if those is None else [those]

    @property
    def is_used(self) -> bool:
        """Somebody relies on it."""
        return bool(self._waiters)

    def append(self, waiter: Waiter) -> None:
        """See `Peers`."""
        those = self._waiters
        if those is None:
            self._waiters = waiter
        elif isinstance(those, list):
            those.append(waiter)
        else:
            self._waiters = [those, waiter]

    def remove(self, waiter: Waiter) -> None:
        """See `Peers`."""
        if isinstance(self._waiters, list):
            self._waiters.remove(waiter)
        else:
            self._waiters = None


class AccessMemory:
    """Grants by channel and user, at most `most` of them; those with waiters are kept.

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
        # Channels and their users, each in the order in which they were asked about.
        self._grants: OrderedDict[str, OrderedDict[str, Grant]] = OrderedDict()
        self._count = 0
        self._changes: dict[str, int] = {}
        self._asking: dict[str, int] = {}

    @property
    def is_doubted(self) -> bool:
        """Changes may be missing: whoever serves entries asks `grant` again for each listener."""
        return self.silent_s() >= SILENT_S

    async def grant(self, user: str, channel: str) -> Grant:
        """The grant to read; asked anew when it is too old. Raises the `Problem` that refuses."""
        _must_be_id(user, channel)
        grant = self._known(user, channel)
        if grant is None or not self._is_good(grant):
            grant = await self._renewed(grant, user, channel)
        if not grant.access.may_read:
            raise refusal(grant.access)
        return grant

    def remembered(self, user: str, channel: str) -> Grant | None:
        """What `grant` gives, at once; None when it would have to ask. Raises the `Problem` that
        refuses."""
        grant = self._known(user, channel)
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
        grant = self._known(user, channel)
        if grant is not None and grant.access.topic:
            return grant.access.topic
        try:
            return (await self._ask(user, channel)).access.topic
        except Problem:
            return ""

    def holds(self, grant: Grant) -> bool:
        """Whether the grant still gives the right to read: to be asked before parking."""
        # Another request of the user may have been told no meanwhile, and written it in here.
        return grant.access.may_read and not grant.is_stale

    def changed(self, channel: str, user: str | None) -> list[Waiter]:
        """Access of `user` (None: of all) to `channel` changed: what was remembered counts no more.
        Returns the waiters that relied on it."""
        if channel in self._asking:
            self._changes[channel] = self._changes.get(channel, 0) + 1
        those: Mapping[str, Grant] = self._grants.get(channel, {})
        if user is None:
            return self._distrust(those.values())
        return self._distrust([those[user]] if user in those else [])

    def missed(self) -> list[Waiter]:
        """Changes may have been missed: nothing that was remembered counts. Returns all waiters."""
        for channel in self._asking:
            self._changes[channel] = self._changes.get(channel, 0) + 1
        return self._distrust(chain.from_iterable(each.values() for each in self._grants.values()))

    def _known(self, user: str, channel: str) -> Grant | None:
        those = self._grants.get(channel)
        return None if those is None else those.get(user)

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
        channel = access.channel
        those = self._grants.setdefault(channel, OrderedDict())
        access = _shared(access, those)
        grant = those.get(user)
        if grant is None:
            grant = those[user] = Grant(access, 0.0)
            self._count += 1
        grant.access = access
        grant.asked_s = self._clock.monotonic()
        # An answer that a change overtook serves this one request, and is asked anew by the next.
        grant.is_stale = not is_current
        those.move_to_end(user)
        self._grants.move_to_end(channel)
        self._forget_oldest()
        return grant

    def _forget_oldest(self) -> None:
        for _ in range(self._count - self._most):
            channel, those = next(iter(self._grants.items()))
            user, grant = next(iter(those.items()))
            if grant.is_used:
                those.move_to_end(user)
                self._grants.move_to_end(channel)
                continue
            # Who holds it still is not to rely on it: a change would not find it here.
            grant.is_stale = True
            del those[user]
            self._count -= 1
            if not those:
                del self._grants[channel]

    def _is_good(self, grant: Grant) -> bool:
        if grant.is_stale:
            return False
        return self._clock.monotonic() - grant.asked_s < self._lasts_s(grant.access)

    def _lasts_s(self, access: Access) -> float:
        if not access.may_read:
            return NO_REMEMBERED_S
        return min(self._yes_s, DOUBTED_S) if self.is_doubted else self._yes_s


def _shared(access: Access, those: OrderedDict[str, Grant]) -> Access:
    """The object of who was asked about last, if they may do the same: most may."""
    anybody = replace(access, user="")
    last = next(reversed(those.values()), None)
    return last.access if last is not None and last.access == anybody else anybody


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
