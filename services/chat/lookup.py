"""Which message a post was before: asked of the window, then of a hint that the log confirms."""

from libs.wire.cursor import Cursor

from .flights import Flight
from .model import Known, Post
from .store import Hint, Hints
from .window import ChannelWindow


class Lookup:
    """Looks posts up. Raises `LogError` and `CutBack` where the log has to be read."""

    def __init__(self, hints: Hints) -> None:
        self._hints = hints

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
            known = await self._confirmed(flight, channel, hint)
        if known is None and claims and (hint.is_done or hint.cursor.epoch != here.epoch):
            await self._hints.renew(post, here)
        return known

    async def _confirmed(self, flight: Flight, channel: ChannelWindow, hint: Hint) -> Known | None:
        key = flight.post.key
        flight.earlier |= not hint.is_done
        await channel.refresh()
        known = await channel.find(key)
        if known is not None:
            return known
        if hint.is_done:
            return await channel.message_at(key, hint.cursor.id)
        return await channel.written_since(key, hint.cursor.id)
