"""A post, from the question who may to the answer with its id.

Never is anything acknowledged before the log has taken it, and what was handed to the log is
followed to its end, whoever still waits. The order of the checks is that of their answers.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from libs.log.port import Appended, LogError, NotWritten, UnknownTopic
from libs.log.port import OutcomeUnknown as LogOutcomeUnknown
from libs.runtime.directory import DirectoryReader
from libs.runtime.logging import logger
from libs.runtime.service import Ports
from libs.wire.api import Access
from libs.wire.codes import Problem, Refused, problem
from libs.wire.cursor import Cursor
from libs.wire.directory import Placement
from libs.wire.entries import rfc3339
from libs.wire.records import encode

from .access import AccessMemory
from .clients import Mentions
from .flights import Flight, Flights, Outcome, away, not_written, reused, unknown
from .lookup import Lookup
from .metrics import ACK_SECONDS, POSTS
from .model import Known, Post, handles_in
from .pace import Pace
from .settings import Settings
from .signals import Signals, signal_of
from .store import Hints
from .window import ChannelWindow, CutBack, Windows

_log = logger("chat.posts")


class Posts:
    """The post path of one instance."""

    def __init__(
        self,
        ports: Ports,
        settings: Settings,
        *,
        access: AccessMemory,
        directory: DirectoryReader,
        signals: Signals,
    ) -> None:
        self._clock = ports.clock
        self._log = ports.log
        self._access = access
        self._directory = directory
        self._signals = signals
        self._windows = Windows(
            ports.log,
            ports.tasks,
            channels_max=settings.window_channels,
            keys_max=settings.window_keys,
        )
        self._hints = Hints(ports, settings)
        self._lookup = Lookup(self._hints, self._windows.settle)
        self._mentions = Mentions(ports, settings)
        self._pace = Pace(ports.clock, most=settings.pace_authors)
        self._flights = Flights(ports.tasks, settings, self._write)

    async def post(self, post: Post) -> Outcome:
        """Post, or find what was posted. Raises `Problem`."""
        began = self._clock.monotonic()
        try:
            outcome = await self._flights.outcome(post)
        except Problem as refused:
            POSTS.labels(refused.code.name).inc()
            raise
        POSTS.labels("created" if outcome.is_new else "repeated").inc()
        ACK_SECONDS.observe(self._clock.monotonic() - began)
        return outcome

    async def _write(self, flight: Flight) -> Outcome:
        post = flight.post
        access = await self._allowed(post)
        with _reading(post):
            channel = await self._windows.of(await self._placement(post, access))
        undo = self._pace.take(post, access.slow_mode_s)
        if undo is None:
            return await self._only_found(flight, channel, access)
        try:
            outcome = await self._find_or_append(flight, channel)
        except Problem as refused:
            if refused.retry != "same-key":
                undo()
            raise
        if not outcome.is_new:
            undo()
        return outcome

    async def _allowed(self, post: Post) -> Access:
        access = await self._access.ask(post.author, post.channel)
        if access.refusal is not None:
            raise problem(access.refusal, "this channel cannot be posted to by you")
        if not access.may_read:
            raise Refused("access_denied", "join the channel before you post in it")
        if not access.may_post:
            raise Refused("post_denied", "only some members post in this channel")
        return access

    async def _placement(self, post: Post, access: Access) -> Placement:
        found = await self._directory.find(post.channel, access.claim_offset)
        if found is None:
            raise Refused("channel_unknown", f"there is no channel {post.channel}")
        return found

    async def _only_found(self, flight: Flight, channel: ChannelWindow, access: Access) -> Outcome:
        """For a post that comes too soon: what it was before, if it is a repetition."""
        with _reading(flight.post):
            known = await self._lookup.find(flight, channel, claims=False)
        if known is None:
            raise self._pace.refusal(flight.post, access.slow_mode_s)
        return _repeated(flight.post, known, channel)

    async def _find_or_append(self, flight: Flight, channel: ChannelWindow) -> Outcome:
        post = flight.post
        handles = handles_in(post.text)
        with _reading(post):
            reply_author = await _reply_author(post, channel)
            known = await self._lookup.find(flight, channel, claims=True)
        if known is not None:
            return _repeated(post, known, channel)
        mentions = await self._mentions.users(handles)
        return await self._append(flight, channel, encode(post.record(reply_author, mentions)))

    async def _append(self, flight: Flight, channel: ChannelWindow, raw: bytes) -> Outcome:
        post, epoch = flight.post, channel.placement.epoch
        appended = await self._appended(flight, channel, raw)
        ident, at = channel.placement.id_of(appended.offset), rfc3339(appended.at_ms)
        self._signals.put(
            signal_of(post.channel, epoch, ident=ident, at_ms=appended.at_ms, raw=raw)
        )
        own = Known(ident, at, post.digest, nearest=ident, is_first=False)
        try:
            await channel.landed(appended, raw)
            shown = await channel.shown_as(post.key, own)
        except LogError as fault:
            # It is in the log, but what others wrote before it is not known.
            channel.is_stale = True
            raise unknown() from fault
        self._lookup.note(post, channel, shown.id)
        if shown.id != ident:
            return _repeated(post, shown, channel)
        return Outcome(Cursor(epoch, ident), at, is_new=True)

    async def _appended(self, flight: Flight, channel: ChannelWindow, raw: bytes) -> Appended:
        await flight.hand_over()
        before = channel.next_offset
        try:
            appended = await self._log.append(channel.partition, raw)
        except LogOutcomeUnknown as fault:
            channel.is_stale = True
            raise unknown() from fault
        except (NotWritten, UnknownTopic) as fault:
            if not flight.earlier:
                self._hints.forget(flight.post)
            raise not_written(str(fault)) from fault
        if appended.offset < before:
            channel.is_stale = True
            _log.error("append below the head", partition=channel.partition, end=appended.offset)
            raise unknown()
        return appended


@contextmanager
def _reading(post: Post) -> Iterator[None]:
    """What the log cannot tell before an append: nothing was attempted."""
    try:
        yield
    except LogError as fault:
        raise away(f"the channel's log cannot be read ({fault})") from fault
    except CutBack as fault:
        _log.error("channel refused", channel=post.channel, fault=str(fault))
        raise away("the channel's log lost entries, and its operator must act") from fault


async def _reply_author(post: Post, channel: ChannelWindow) -> str | None:
    if post.reply_to is None:
        return None
    if post.reply_to > channel.head:
        await channel.refresh()
    author = await channel.author_of(post.reply_to)
    if author is None:
        raise Refused("reply_unknown", f"no message has the id {post.reply_to}", field="reply_to")
    return author


def _repeated(post: Post, known: Known, channel: ChannelWindow) -> Outcome:
    if known.digest is not None and known.digest != post.digest:
        raise reused()
    return Outcome(Cursor(channel.placement.epoch, known.id), known.at, is_new=False)
