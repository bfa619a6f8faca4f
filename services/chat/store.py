"""Hints in Redis about posts that may be repeated: where to look in the log, never what to believe.

    chat:post:<channel>:<author>:<client_id>     kept `HINT_S`, one of
        pending@<epoch>-<last id known then>     it may have been written after that
        done@<epoch>-<first id>                  it was written there

Commands of posts that come together go in one pipeline. When Redis fails to answer in time, hints
are skipped until it answers again, which is tried once in `AWAY_S`, beside the posts.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from libs.runtime.logging import logger
from libs.runtime.service import Ports
from libs.store import Pipeline, StoreUnavailable
from libs.wire.codes import Refused
from libs.wire.cursor import Cursor, parse
from libs.wire.services import CHAT

from .metrics import HINTS_LOST
from .model import Post
from .settings import Settings

# A client that has been away for a day shows its unsent messages and asks.
HINT_S = 24 * 3600
AWAY_S = 1.0
# A pipeline of so many is some 100 KB and under 10 ms of Redis's time.
PIPELINE_MAX = 1_000

# A timeout that fires this many times later than it should tells of us, not of Redis.
LATE = 2.0

_log = logger("chat.hints")
_Command = Callable[[Pipeline], object]
_Asked = tuple[_Command, "asyncio.Future[bytes | None]"]


class Hint(NamedTuple):
    """What a key says: the entry that the post is, or the last one before it was written."""

    is_done: bool
    cursor: Cursor


class Hints:
    """The hints of one instance. Nothing in here raises."""

    def __init__(self, ports: Ports, settings: Settings) -> None:
        self._ports = ports
        self._answer_s = settings.hint_s
        self._most = settings.hints_waiting
        self._waiting: deque[tuple[_Command, asyncio.Future[bytes | None]]] = deque()
        self._is_out = False
        self._is_away = False
        self._try_at_s = 0.0

    async def claim(self, post: Post, known: Cursor) -> Hint | None:
        """What is said about the post; if nothing, say that it is pending after `known`."""
        pending = f"pending@{known}"
        return _hint(await self._put(lambda pipe: _set(pipe, post, pending, is_first=True)))

    async def look(self, post: Post) -> Hint | None:
        """What is said about the post."""
        return _hint(await self._put(lambda pipe: pipe.get(_key(post))))

    async def renew(self, post: Post, known: Cursor) -> None:
        """What was said does not hold: it is pending after `known`."""
        await self._put(lambda pipe: _set(pipe, post, f"pending@{known}"))

    def done(self, post: Post, first: Cursor) -> None:
        """The post is the entry `first`. Written later: nobody waits for it."""
        self._put(lambda pipe: _set(pipe, post, f"done@{first}"))

    def forget(self, post: Post) -> None:
        """The post was certainly not written. Written later as well."""
        self._put(lambda pipe: pipe.delete(_key(post)))

    def _put(self, command: _Command) -> "asyncio.Future[bytes | None]":
        """The command's answer; None when Redis is away, or when too many wait for it."""
        answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        if self._is_away or len(self._waiting) >= self._most:
            HINTS_LOST.inc()
            answer.set_result(None)
            self._try_again()
            return answer
        self._waiting.append((command, answer))
        if not self._is_out:
            self._is_out = True
            self._ports.tasks.spawn(self._send_all(), name="chat.hints")
        return answer

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                count = min(len(self._waiting), PIPELINE_MAX)
                await self._send([self._waiting.popleft() for _ in range(count)])
        finally:
            self._is_out = False

    async def _send(self, batch: list[_Asked]) -> None:
        began_s = self._ports.clock.monotonic()
        try:
            answers = await self._answers([command for command, _ in batch])
        except (StoreUnavailable, TimeoutError) as fault:
            took_s = self._ports.clock.monotonic() - began_s
            # If we were late ourselves, a process that had no time, Redis may well have answered.
            if isinstance(fault, StoreUnavailable) or took_s <= LATE * self._answer_s:
                self._gone()
                batch += self._waiting
                self._waiting.clear()
            HINTS_LOST.inc(len(batch))
            answers = [None] * len(batch)
        _answer(batch, answers)

    async def _answers(self, commands: Sequence[_Command]) -> list[object]:
        async with asyncio.timeout(self._answer_s):
            async with self._ports.store.pipeline(transaction=False) as pipe:
                for command in commands:
                    command(pipe)
                return list(await pipe.execute())

    def _gone(self) -> None:
        if not self._is_away:
            _log.warning("no hints: Redis does not answer in time", within_s=self._answer_s)
        self._is_away = True
        self._try_at_s = self._ports.clock.monotonic() + AWAY_S

    def _try_again(self) -> None:
        now_s = self._ports.clock.monotonic()
        if self._is_away and now_s >= self._try_at_s:
            self._try_at_s = now_s + AWAY_S
            self._ports.tasks.spawn(self._try(), name="chat.hints.try")

    async def _try(self) -> None:
        try:
            async with asyncio.timeout(self._answer_s):
                await self._ports.store.get(_PROBE)
        except (StoreUnavailable, TimeoutError):
            self._gone()
        else:
            self._is_away = False


KINDS = ("pending", "done")
_PREFIX = f"{CHAT}:post:"
# Nobody writes it.
_PROBE = f"{_PREFIX}probe"


def _answer(batch: Sequence[_Asked], answers: Sequence[object]) -> None:
    for (_, waiting), answer in zip(batch, answers, strict=True):
        # Whoever asked may have gone.
        if not waiting.done():
            waiting.set_result(answer if isinstance(answer, bytes) else None)


def _key(post: Post) -> str:
    return f"{_PREFIX}{post.channel}:{post.author}:{post.client_id}"


def _set(pipe: Pipeline, post: Post, text: str, *, is_first: bool = False) -> None:
    """With `is_first` what is there stays and is answered: one command, so nobody comes between."""
    pipe.set(_key(post), text, ex=HINT_S, nx=is_first, get=is_first)


def _hint(raw: bytes | None) -> Hint | None:
    """What was written by whatever version, or by whomever, is a hint or nothing."""
    try:
        kind, _, cursor = (raw or b"").decode("ascii").partition("@")
        return Hint(kind == "done", parse(cursor)) if kind in KINDS else None
    except (UnicodeDecodeError, Refused):
        return None
