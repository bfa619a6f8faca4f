"""Who may post, asked each time; a yes is remembered for the time when nobody can say."""

from array import array
from collections import OrderedDict
from typing import NamedTuple

from libs.runtime.access import AccessLane
from libs.runtime.changes import Changes
from libs.runtime.service import Ports
from libs.wire.api import Access
from libs.wire.codes import Problem
from libs.wire.records import AccessChanged, Record
from libs.wire.services import CHAT
from libs.wire.topics import ACCESS_CHANGES

from .metrics import ACCESS_REMEMBERED
from .settings import Settings

# Changes are counted in so many places. Two that share one forget each other's answers: harmless.
PLACES = 4_096


class _Yes(NamedTuple):
    access: Access
    asked_s: float
    # What had been heard when it was asked: see `_heard`.
    heard: tuple[int, int, int]


class AccessMemory:
    """Asks group-membership. When that is away or rebuilding, a yes of the last `access_kept_s`
    counts, unless a change came since it was asked. Nothing is kept while changes are not heard."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._clock = ports.clock
        self._lane = AccessLane(ports, settings.access_s)
        self._kept_s = settings.access_kept_s
        self._most = settings.access_memory
        self._yes: OrderedDict[tuple[str, str], _Yes] = OrderedDict()
        self._of_user = array("Q", bytes(8 * PLACES))
        self._of_channel = array("Q", bytes(8 * PLACES))
        self._gaps = 0
        self.changes = Changes(
            ports,
            ACCESS_CHANGES,
            self._changed,
            missed=self._missed,
            broken=self._missed,
            reader=CHAT,
        )

    def __len__(self) -> int:
        return len(self._yes)

    async def ask(self, user: str, channel: str) -> Access:
        """What `user` may do in `channel`. Raises `Problem` when nobody can say."""
        asked_s, heard = self._clock.monotonic(), self._heard(user, channel)
        try:
            access = await self._lane.ask(user, channel)
        except Problem as fault:
            if fault.retry == "no":
                raise
            remembered = self._remembered(user, channel)
            if remembered is None:
                raise
            return remembered
        if access.refusal == "rebuilding":
            return self._remembered(user, channel) or access
        self._keep(access, _Yes(access, asked_s, heard))
        return access

    def _remembered(self, user: str, channel: str) -> Access | None:
        yes = self._yes.get((user, channel))
        if yes is None or self.changes.lacks() or yes.heard != self._heard(user, channel):
            return None
        if self._clock.monotonic() - yes.asked_s > self._kept_s:
            return None
        ACCESS_REMEMBERED.inc()
        return yes.access

    def _keep(self, access: Access, yes: _Yes) -> None:
        key = (access.user, access.channel)
        self._yes.pop(key, None)
        if not (access.may_read and access.may_post) or self.changes.lacks():
            return
        self._yes[key] = yes
        if len(self._yes) > self._most:
            self._yes.popitem(last=False)

    def _heard(self, user: str, channel: str) -> tuple[int, int, int]:
        """How often access of this user, and of all in this channel, was said to have changed."""
        return (
            self._of_user[hash((user, channel)) % PLACES],
            self._of_channel[hash(channel) % PLACES],
            self._gaps,
        )

    def _changed(self, record: Record) -> None:
        if not isinstance(record, AccessChanged):
            return
        if record.user is None:
            self._of_channel[hash(record.channel) % PLACES] += 1
        else:
            self._of_user[hash((record.user, record.channel)) % PLACES] += 1

    def _missed(self) -> None:
        self._gaps += 1
        self._yes.clear()
