"""Who posts and who reads. They know what a client knows, and write down what they are told."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

from checker.history import (
    Deliver,
    Event,
    Failed,
    Final,
    Invoke,
    Jump,
    Ok,
    Reset,
    Resume,
    Unknown,
    Via,
)
from libs.wire import cursor as cursors
from libs.wire import ids
from libs.wire.api import PostItem
from libs.wire.codec import Struct, from_json, to_json
from libs.wire.codes import CODES, Code, Problem
from libs.wire.cursor import Cursor
from libs.wire.entries import Entry

from .cores import Gateway, NewMessage, Posted
from .network import Network
from .process import ConnectionLost, Process

# The first try and its retries; what is not acknowledged by then is left open.
ATTEMPTS_MAX = 12
PATIENCE_S = 4.5
PAUSE_S_MAX = 0.8
WAIT_S = 5.0

Gateways = Callable[[], Sequence[tuple[Process, Gateway]]]


class History:
    """Events as they happen. Times are of the loop; each is later than the one before."""

    def __init__(self, network: Network) -> None:
        self.events: list[Event] = []
        self._network = network

    def now(self) -> int:
        """The time of the next event."""
        return int(self._network.clock.monotonic() * 1e9) + len(self.events)


class Wish(NamedTuple):
    """One attempt at a post."""

    channel: str
    author: str
    client_id: str
    text: str
    retry: bool


class Said(Struct, frozen=True):
    """A problem, as far as it says whether to try again."""

    code: str


class Poster:
    """Posts to one channel, one post after the other, each until it has an answer."""

    def __init__(self, name: str, channel: str, *, history: History, dice: Random) -> None:
        self.name = name
        self.user = ids.derived("user", name)
        self.channel = channel
        self._history = history
        self._dice = dice

    async def post(self, number: int, gateways: Gateways, network: Network) -> None:
        """One post and its retries, at any gateway."""
        text = f"{self.name} says {number}"
        client_id = f"{self.name}-{number}"
        for attempt in range(1, ATTEMPTS_MAX + 1):
            retry = attempt > 1 and self._dice.random() < 0.7
            post = Wish(self.channel, self.user, client_id, text, retry=retry)
            self._note_invoke(post, attempt)
            if await self._try(post, attempt, gateways, network):
                return
            await network.clock.sleep(self._dice.uniform(0, PAUSE_S_MAX))

    async def _try(self, post: "Wish", attempt: int, gateways: Gateways, network: Network) -> bool:
        """One attempt; whether there shall be no other."""
        process, gateway = self._dice.choice(gateways())
        body = to_json(NewMessage(post.client_id, post.text, retry=post.retry))
        item = PostItem(post.channel, post.author, "", body)
        try:
            async with asyncio.timeout(self._dice.choice((0.2, PATIENCE_S, PATIENCE_S))):
                await network.travel()
                reply = await process.serve(gateway.lanes.post(item))
                await network.travel()
        except ConnectionRefusedError:
            self._note(Failed, post, attempt, code="refused")
        except (TimeoutError, ConnectionLost) as fault:
            self._note(Unknown, post, attempt, code=type(fault).__name__)
        except Problem as fault:
            return self._is_refused(post, attempt, fault.code)
        else:
            if reply.status in {200, 201}:
                ident = from_json(reply.body, Posted).id
                self._note(Ok, post, attempt, id=ident, is_new=reply.status == 201)
                return True
            return self._is_refused(post, attempt, CODES[from_json(reply.body, Said).code])
        return False

    def _is_refused(self, post: "Wish", attempt: int, code: Code) -> bool:
        kind = Unknown if code.retry == "same-key" else Failed
        self._note(kind, post, attempt, code=code.name)
        return code.retry == "no"

    def _note_invoke(self, post: "Wish", attempt: int) -> None:
        self._history.events.append(
            Invoke(
                self._history.now(),
                self.name,
                post.channel,
                post.author,
                post.client_id,
                post.text,
                retry=post.retry,
                attempt=attempt,
            )
        )

    def _note(
        self, kind: type[Ok | Failed | Unknown], post: "Wish", attempt: int, **more: Any
    ) -> None:
        known: dict[str, Any] = {
            "channel": post.channel,
            "author": post.author,
            "client_id": post.client_id,
        }
        event = kind(t_ns=self._history.now(), process=self.name, attempt=attempt, **known, **more)
        self._history.events.append(event)


class JumpAnswer(Struct, frozen=True):
    """See `docs/protocol.md`."""

    unread: int
    head: int
    first: int


class ResetAnswer(Struct, frozen=True):
    """See `docs/protocol.md`."""

    epoch: int
    head: int
    first: int


class Answer(Struct, frozen=True):
    """What a poll is answered."""

    channel: str
    entries: tuple[Entry, ...]
    cursor: str
    head: int
    more: bool
    jump: JumpAnswer | None = None
    reset: ResetAnswer | None = None


class Reader:
    """Follows one channel by polls, at any gateway, from one cursor on. One session."""

    def __init__(
        self, name: str, channel: str, *, history: History, dice: Random, via: Via = "poll"
    ) -> None:
        self.name = name
        self.cursor = Cursor(1, 0)
        self.head = 0
        self.channel = channel
        self._history = history
        self._dice = dice
        self._via = via
        self._sessions = 0

    async def follow(self, gateways: Gateways, network: Network) -> None:
        """For ever."""
        while True:
            await self.poll(gateways, network, wait_s=WAIT_S)
            if self._dice.random() < 0.2:
                await network.clock.sleep(self._dice.uniform(0, PAUSE_S_MAX))

    async def poll(self, gateways: Gateways, network: Network, *, wait_s: float) -> bool:
        """One poll; whether it was answered."""
        process, gateway = self._dice.choice(gateways())
        cursor = str(self.cursor)
        try:
            async with asyncio.timeout(wait_s + PATIENCE_S):
                await network.travel()
                polling = gateway.poll(self.name, self.channel, cursor, wait_s)
                body = await process.serve(polling)
                await network.travel()
        except (OSError, ConnectionLost, Problem):
            # It may have been answered, and the answer lost: the cursor stays where it was.
            await network.clock.sleep(self._dice.uniform(0, PAUSE_S_MAX))
            return False
        self._take(from_json(body, Answer))
        return True

    def finish(self) -> None:
        """The whole channel was read."""
        now = self._history.now()
        self._history.events.append(Final(now, self.name, self.channel, self.cursor.id))

    def begin(self) -> None:
        """Begin a session at the cursor."""
        self._sessions += 1
        self._note(Resume, epoch=self.cursor.epoch, after=self.cursor.id)

    def _take(self, answer: Answer) -> None:
        for entry in answer.entries:
            self._note(
                Deliver,
                epoch=cursors.parse(answer.cursor).epoch,
                id=entry.id,
                type=entry.type,
                author=entry.sender,
                client_id=entry.client_id,
                text=entry.text,
                dup_of=entry.dup_of,
                via=self._via,
            )
        if answer.jump is not None:
            self._note(Jump, head=answer.jump.head, first=answer.jump.first)
        if answer.reset is not None:
            reset = answer.reset
            self._note(Reset, epoch=reset.epoch, head=reset.head, first=reset.first)
        self.head = answer.head
        self.cursor = cursors.parse(answer.cursor)

    def _note(self, kind: type[Deliver | Jump | Reset | Resume], **more: Any) -> None:
        session = f"{self.name}-{self._sessions}"
        known: dict[str, Any] = {"reader": self.name, "session": session, "channel": self.channel}
        self._history.events.append(kind(t_ns=self._history.now(), **known, **more))
