"""From a sign-in to the end of its session: follows, posts, loads pages, runs errands."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Never

from cli.chat.errands import Errands, NoSuchChannel
from cli.chat.mail import Mail
from cli.chat.marks import Marks
from cli.chat.model import Chat
from cli.chat.wants import Do, Forget, Load, Send, Want
from cli.chat.words import Leave, Quit
from rostrum import (
    Channel,
    Client,
    Ended,
    Event,
    Follower,
    Jumped,
    Received,
    Refused,
    RostrumError,
    SignedOut,
    WasReset,
)

# How often it is looked whether the connection is another one than before.
LINK_S = 0.25
# While no gateway says which channels there are, it is asked again after so long.
AGAIN_S = 1.0


class Over(Exception):
    """The person quits."""


class Round:
    """One person at one deployment. `changed` is called when the model has changed."""

    def __init__(
        self,
        client: Client,
        chat: Chat,
        changed: Callable[[], None],
        *,
        marks: Marks,
        mail: Mail,
    ) -> None:
        self._client = client
        self._chat = chat
        self._changed = changed
        self._marks = marks
        self._mail = mail
        self._errands = Errands(client)
        self._is_watched = asyncio.Event()

    async def run(self, named: Sequence[str], wants: asyncio.Queue[Want]) -> Never:
        """Do what is wanted. Raises, in groups, `Over`, `SignedOut` and other `RostrumError`."""
        for channel in await self._channels(named):
            self._found(channel)
        await self._mail.open()
        if self._chat.shown is None:
            self._chat.step(0)
        self._changed()
        places = {room.id: str(room.cursor) for room in self._chat.rooms.values()}
        async with self._client.follow(places) as follower, asyncio.TaskGroup() as group:
            group.create_task(self._follow(follower))
            group.create_task(self._look_at(follower))
            group.create_task(self._mail.run())
            while True:
                group.create_task(self._do(await wants.get(), follower))

    async def _channels(self, named: Sequence[str]) -> list[Channel]:
        """Those that are followed at first; asked for until a gateway answers."""
        while True:
            try:
                self._chat.met(await self._client.me())
                if named:
                    return [found for name in named for found in await self._named(name)]
                return [each async for each in self._client.channels()]
            except SignedOut:
                raise
            except RostrumError as fault:
                self._say(str(fault))
            await asyncio.sleep(AGAIN_S)

    async def _named(self, name: str) -> list[Channel]:
        """The channel of this name; none when there is none, which is said."""
        try:
            return [await self._errands.find(name.lstrip("#@"))]
        except (NoSuchChannel, Refused, ValueError) as fault:
            self._say(f"{name}: {fault}")
            return []

    def _found(self, channel: Channel) -> None:
        room = self._chat.found(channel, self._marks.of(channel.id))
        self._marks.note(room.id, room.cursor)

    async def _follow(self, follower: Follower) -> Never:
        while True:
            async for event in follower:
                self._tell(event)
                self._changed()
            # The last channel has ended; another one may be joined.
            await self._is_watched.wait()
            self._is_watched.clear()

    def _tell(self, event: Event) -> None:
        match event:
            case Received(channel, entry, _, head):
                self._chat.received(channel, entry, head)
            case Jumped(channel, cursor, _, head, first):
                self._chat.jumped(channel, cursor, head=head, first=first)
            case WasReset(channel, cursor, _, head, first):
                self._chat.was_reset(channel, cursor, head=head, first=first)
            case Ended(channel, _, detail):
                self._chat.ended(channel, detail)

    async def _look_at(self, follower: Follower) -> Never:
        while True:
            before = self._chat.link
            if self._chat.rooms:
                way = follower.way if follower.is_connected else None
                self._chat.linked(way, follower.trouble)
            if self._chat.link != before:
                self._changed()
            await asyncio.sleep(LINK_S)

    async def _do(self, want: Want, follower: Follower) -> None:
        match want:
            case Load():
                await self._load(want)
            case Send():
                await self._mail.send(want)
            case Forget(client_id):
                await self._mail.forget(client_id)
            case Do(Quit()):
                raise Over
            case Do():
                await self._run(want, follower)
        self._changed()

    async def _load(self, load: Load) -> None:
        places = {"older": {"before": load.at}, "newer": {"after": load.at}, "latest": {}}
        try:
            page = await self._client.page(load.channel, **places[load.kind])
        except SignedOut:
            raise
        except RostrumError as fault:
            self._chat.not_paged(load, str(fault))
        else:
            self._chat.paged(load, page)

    async def _run(self, do: Do, follower: Follower) -> None:
        try:
            found = await self._errands.run(do.word, do.channel)
        except SignedOut:
            raise
        except (RostrumError, ValueError) as fault:
            self._say(str(fault))
            return
        if isinstance(found, Channel):
            await self._join(found, follower)
        elif isinstance(found, str):
            self._say(found)
        elif isinstance(do.word, Leave) and do.channel is not None:
            await follower.unwatch([do.channel])
            self._chat.left(do.channel)

    async def _join(self, channel: Channel, follower: Follower) -> None:
        self._found(channel)
        room = self._chat.rooms[channel.id]
        await follower.watch({room.id: str(room.cursor)})
        self._is_watched.set()
        self._chat.offer(room.id)

    def _say(self, text: str) -> None:
        self._chat.notice = text
        self._changed()
