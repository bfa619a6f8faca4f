"""Posts on their way: kept before they are sent, and sent until they are answered."""

import asyncio
from collections.abc import Callable
from typing import Never

from cli.chat.model import Chat
from cli.chat.posts import Post
from cli.chat.wants import Send
from rostrum import NotPosted, Outbox, OutboxFull, Posted, Refused, RostrumError

# What waits is tried again so often, on top of the client's own attempts.
AGAIN_S = 2.0


class Mail:
    """What the outbox has, told to the model."""

    def __init__(self, outbox: Outbox, chat: Chat, changed: Callable[[], None]) -> None:
        self._outbox = outbox
        self._chat = chat
        self._changed = changed
        self._waits = asyncio.Event()

    async def open(self) -> None:
        """Show what an earlier run has left behind."""
        for one in await self._outbox.waiting():
            post = Post(one.client_id, one.text, one.reply_to)
            self._chat.left_behind(one.channel, post)
            self._waits.set()

    async def send(self, send: Send) -> None:
        """Post it. What is not answered for long stays in the outbox, and is tried again."""
        post = send.post
        try:
            posted = await self._outbox.post(
                send.channel, post.text, reply_to=post.reply_to, client_id=post.client_id
            )
        except (Refused, OutboxFull) as fault:
            self._failed(send.channel, post.client_id, fault)
        except NotPosted:
            self._waits.set()
        else:
            self._posted(send.channel, post.client_id, posted)

    async def forget(self, client_id: str) -> None:
        """Do not send it any more."""
        await self._outbox.drop(client_id)

    async def run(self) -> Never:
        """Send again what waits, until it is answered."""
        while True:
            await self._waits.wait()
            channels = {one.client_id: one.channel for one in await self._outbox.waiting()}
            resumed = await self._outbox.resume()
            for client_id, posted in resumed.posted.items():
                self._posted(channels[client_id], client_id, posted)
            for client_id, fault in resumed.refused.items():
                self._failed(channels[client_id], client_id, fault)
            if not resumed.waiting:
                self._waits.clear()
            await asyncio.sleep(AGAIN_S)

    def _posted(self, channel: str, client_id: str, posted: Posted) -> None:
        self._chat.posted(channel, client_id, posted)
        self._changed()

    def _failed(self, channel: str, client_id: str, fault: RostrumError) -> None:
        self._chat.not_posted(channel, client_id, str(fault))
        self._changed()
