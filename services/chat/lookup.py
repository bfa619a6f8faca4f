"""Which message a post was before: asked of the window, then of a hint that the log confirms."""

from collections.abc import Awaitable, Callable

from libs.wire.cursor import Cursor

from .flights import Flight
from .model import Known, Post
from .store import Hint, Hints
from .window import ChannelWindow


class Lookup:
    """Looks posts up. Raises `LogError` and `CutBack` where the log has to be read. `settle`
    returns when all that was handed to a channel's log before is read there or never will be."""

    def __init__(self, hints: Hints, settle: Callable[[ChannelWindow], Awaitable[None]]) -> None:
        self._hints = hints
        self._settle = settle

    async def find(self, flight: Flight, channel: ChannelWindow, *, claims: bool) -> Known | None:
        """The message of this post. If there is none and it `claims`, a hint says from now on
        that it may be written."""
        post = flight.post
        if flight.earlier:
            await channel.refresh()
        known = await channel.find(post.key)
        if known is None:
            known = await self._by_hint(flight, channel, claims=claims)
        if known is not None and flight.earlier:
            self.note(post, channel, known.id)
        return known

    def note(self, post: Post, channel: ChannelWindow, ident: int) -> None:
        """The post is the message `ident`."""
        self._hints.done(post, Cursor(channel.placement.epoch, ident))

    async def _by_hint(
        self, flight: Flight, channel: ChannelWindow, *, claims: bool
    ) -> Known | None:
        post, here = flight.post, Cursor(channel.placement.epoch, channel.head)
        hint = await (self._hints.claim(post, here) if claims else self._hints.look(post))
        if hint is None:
            return None
        known = None
        # Of another epoch there is nothing to be found: its entries have other ids, or are gone.
        if hint.cursor.epoch == here.epoch:
            known = await self._confirmed(flight, channel, hint, claims=claims)
        if known is None and claims and (hint.is_done or hint.cursor.epoch != here.epoch):
            await self._hints.renew(post, here)
        return known

    async def _confirmed(
        self, flight: Flight, channel: ChannelWindow, hint: Hint, *, claims: bool
    ) -> Known | None:
        key, ident = flight.post.key, hint.cursor.id
        flight.earlier |= not hint.is_done
        await channel.refresh()
        known = await channel.find(key)
        if hint.is_done:
            return known or await channel.message_at(key, ident)
        known = known or await channel.written_since(key, ident)
        if known is None and claims:
            # A leader that died has left records that its heir has and does not show yet. More
            # than a window of others may come between those and an append that is made now.
            await self._settle(channel)
            known = await channel.find(key) or await channel.written_since(key, ident)
        return known
