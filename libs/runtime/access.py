"""What users may do in channels, asked of group-membership: many questions in one call."""

import asyncio
from collections.abc import Sequence
from sys import intern

from libs.runtime.service import Ports
from libs.wire import api
from libs.wire.api import Access, AccessAnswer, AccessQuestion, Pair
from libs.wire.codec import replace
from libs.wire.codes import Problem, TryAgain
from libs.wire.services import GROUP_MEMBERSHIP


class AccessLane:
    """Questions about access: while one batch is out, later questions wait for the next."""

    def __init__(self, ports: Ports, deadline_s: float) -> None:
        self._ports = ports
        self._deadline_s = deadline_s
        self._waiting: dict[Pair, asyncio.Future[Access]] = {}
        self._is_out = False

    async def ask(self, user: str, channel: str) -> Access:
        """What `user` may do in `channel`. Raises `Problem` when nobody can say."""
        pair = Pair(user, channel)
        answer = self._waiting.get(pair)
        if answer is None:
            answer = self._waiting[pair] = asyncio.get_running_loop().create_future()
        if not self._is_out:
            self._is_out = True
            self._ports.tasks.spawn(self._send_all(), name="access.lane")
        return await asyncio.shield(answer)

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                pairs = list(self._waiting)[: api.PAIRS_MAX]
                batch = [self._waiting.pop(pair) for pair in pairs]
                await self._send(pairs, batch)
        finally:
            self._is_out = False

    async def _send(self, pairs: Sequence[Pair], batch: Sequence["asyncio.Future[Access]"]) -> None:
        try:
            reply = await self._ports.calls.ask(
                GROUP_MEMBERSHIP,
                api.ACCESS,
                AccessQuestion(tuple(pairs)),
                AccessAnswer,
                deadline_s=self._deadline_s,
            )
            if len(reply.answers) != len(pairs):
                raise TryAgain("service_away", "not every question about access was answered")
        except Problem as fault:
            for answer in batch:
                answer.set_exception(fault)
                # Whoever asked may have gone; an error that nobody fetches is no news.
                answer.exception()
            return
        for pair, answer, access in zip(pairs, batch, reply.answers, strict=True):
            answer.set_result(_shared(access, pair))


def _shared(access: Access, pair: Pair) -> Access:
    # Who remembers thousands of them holds each name once: the asker's own, not what was decoded.
    return replace(access, user=pair.user, channel=pair.channel, topic=intern(access.topic))
