"""Who is meant by the handles of a text, asked of session: many in one call, remembered shortly."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from libs.runtime.service import Ports
from libs.wire import api
from libs.wire.api import HandlesAnswer, HandlesQuestion
from libs.wire.codes import Problem, TryAgain
from libs.wire.services import SESSION

from .metrics import MENTIONS_UNRESOLVED
from .settings import Settings

# Whoever did not answer in time is left alone for so long: a post does not wait for it twice.
AWAY_S = 1.0

_Answer = tuple[str | None, float]


class Mentions:
    """Handles of posts. While one call is out, later posts wait for the next."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._ports = ports
        self._answer_s = settings.handles_s
        self._kept_s = settings.handles_kept_s
        self._most = settings.handles_memory
        # A user or nobody, and until when that holds; in the order in which they were asked.
        self._known: OrderedDict[str, _Answer] = OrderedDict()
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._is_out = False
        self._away_until_s = float("-inf")

    def __len__(self) -> int:
        return len(self._known)

    async def users(self, handles: Sequence[str]) -> tuple[str, ...]:
        """The users of these handles, each once, in their order. Those whom nobody has, and all
        that session does not answer for in time, are none."""
        now_s = self._ports.clock.monotonic()
        answered = [self._waits_for(handle) for handle in handles if not self._knows(handle, now_s)]
        await asyncio.gather(*answered)
        found = [self._known[handle] for handle in handles if self._knows(handle, now_s)]
        if len(found) < len(handles):
            MENTIONS_UNRESOLVED.inc()
        return tuple(dict.fromkeys(user for user, _ in found if user is not None))

    def _knows(self, handle: str, now_s: float) -> bool:
        known = self._known.get(handle)
        return known is not None and known[1] > now_s

    async def _waits_for(self, handle: str) -> None:
        if self._ports.clock.monotonic() < self._away_until_s:
            return
        answered = self._waiting.get(handle)
        if answered is None:
            answered = self._waiting[handle] = asyncio.get_running_loop().create_future()
        if not self._is_out:
            self._is_out = True
            self._ports.tasks.spawn(self._send_all(), name="chat.handles")
        await asyncio.shield(answered)

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                handles = list(self._waiting)[: api.HANDLES_MAX]
                batch = [self._waiting.pop(handle) for handle in handles]
                await self._send(handles)
                for answered in batch:
                    answered.set_result(None)
        finally:
            self._is_out = False

    async def _send(self, handles: Sequence[str]) -> None:
        now_s = self._ports.clock.monotonic()
        if now_s < self._away_until_s:
            return
        try:
            reply = await self._ports.calls.ask(
                SESSION,
                api.HANDLES,
                HandlesQuestion(tuple(handles)),
                HandlesAnswer,
                deadline_s=self._answer_s,
            )
            if len(reply.users) != len(handles):
                raise TryAgain("service_away", "not every handle was answered")
        except Problem:
            self._away_until_s = self._ports.clock.monotonic() + AWAY_S
            return
        for handle, user in zip(handles, reply.users, strict=True):
            self._known[handle] = user, now_s + self._kept_s
            self._known.move_to_end(handle)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
