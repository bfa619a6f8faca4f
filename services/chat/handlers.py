"""A post, from the question who may to the answer with its id.

The append is a task of its own: whoever asks waits for it up to a deadline, and it is followed to
its end after that. Never is anything acknowledged before the log has taken it.
"""

import asyncio
from typing import NamedTuple

from libs.log.port import Appended, LogError, NotWritten, UnknownTopic
from libs.log.port import OutcomeUnknown as LogOutcomeUnknown
from libs.runtime.access import AccessLane
from libs.runtime.directory import DirectoryReader
from libs.runtime.logging import logger
from libs.runtime.service import Ports
from libs.wire.codes import OutcomeUnknown, Problem, Refused, TryAgain, problem
from libs.wire.cursor import Cursor
from libs.wire.directory import Placement
from libs.wire.entries import rfc3339
from libs.wire.records import encode

from .metrics import ACK_SECONDS, IN_FLIGHT, POSTS
from .model import Known, Post
from .settings import Settings
from .signals import Signals, signal_of
from .turns import Turn, Turns
from .window import ChannelWindow, CutBack, Windows

_log = logger("chat.posts")
_Flying = tuple[bytes, "asyncio.Future[Outcome]"]


class Outcome(NamedTuple):
    """The message that a post is shown as; `is_new` says that this request made it."""

    cursor: Cursor
    at: str
    is_new: bool


class Posts:
    """The post path of one instance."""

    def __init__(
        self,
        ports: Ports,
        settings: Settings,
        *,
        access: AccessLane,
        directory: DirectoryReader,
        windows: Windows,
        signals: Signals,
    ) -> None:
        self._ports = ports
        self._settings = settings
        self._access = access
        self._directory = directory
        self._windows = windows
        self._signals = signals
        self._turns = Turns()
        self._flying: dict[tuple[str, str, str], _Flying] = {}

    async def post(self, post: Post) -> Outcome:
        """Post, or find what was posted. Raises `Problem`."""
        began = self._ports.clock.monotonic()
        turn = self._turns.take(post.channel)
        try:
            outcome = await self._answer(post, await self._placement(post), turn)
        except Problem as refused:
            POSTS.labels(refused.code.name).inc()
            raise
        finally:
            turn.end()
        POSTS.labels("created" if outcome.is_new else "repeated").inc()
        ACK_SECONDS.observe(self._ports.clock.monotonic() - began)
        return outcome

    async def _placement(self, post: Post) -> Placement:
        access = await self._access.ask(post.author, post.channel)
        if access.refusal is not None:
            raise problem(access.refusal, "this channel cannot be posted to by you")
        if not access.may_read:
            raise Refused("access_denied", "join the channel before you post in it")
        if not access.may_post:
            raise Refused("post_denied", "only some members post in this channel")
        found = await self._directory.find(post.channel, access.claim_offset)
        if found is None:
            raise Refused("channel_unknown", f"there is no channel {post.channel}")
        return found

    async def _answer(self, post: Post, placement: Placement, turn: Turn) -> Outcome:
        flying = self._flying.get((post.channel, *post.key))
        if flying is not None:
            turn.end()
            return await self._join(post, flying)
        if len(self._flying) >= self._settings.posts_in_flight:
            raise _not_written("too many posts are under way")
        landing = asyncio.get_running_loop().create_future()
        self._flying[(post.channel, *post.key)] = post.digest, landing
        IN_FLIGHT.set(len(self._flying))
        self._ports.tasks.spawn(self._fly(post, placement, turn, landing), name="chat.post")
        return await self._wait(landing)

    async def _join(self, post: Post, flying: _Flying) -> Outcome:
        body, landing = flying
        if body != post.digest:
            raise _reused()
        return (await self._wait(landing))._replace(is_new=False)

    async def _wait(self, landing: "asyncio.Future[Outcome]") -> Outcome:
        try:
            async with asyncio.timeout(self._settings.answer_deadline_s):
                return await asyncio.shield(landing)
        except TimeoutError as fault:
            raise _unknown() from fault

    async def _fly(
        self, post: Post, placement: Placement, turn: Turn, landing: "asyncio.Future[Outcome]"
    ) -> None:
        try:
            landing.set_result(await self._write(post, placement, turn))
        except Problem as refused:
            landing.set_exception(refused)
        except asyncio.CancelledError:
            landing.set_exception(_unknown())
            raise
        except Exception as fault:
            _log.error("post failed", channel=post.channel, exc_info=fault)
            landing.set_exception(_unknown())
        finally:
            # Everybody may have gone; an error that nobody fetches is no news.
            landing.exception()
            del self._flying[(post.channel, *post.key)]
            IN_FLIGHT.set(len(self._flying))

    async def _write(self, post: Post, placement: Placement, turn: Turn) -> Outcome:
        channel, known = await self._look_up(post, placement)
        if known is not None:
            return _repeated(post, known, placement)
        raw = encode(post.record())
        await turn.come()
        turn.end()
        appended = await self._append(channel, raw)
        ident = placement.id_of(appended.offset)
        self._signals.put(
            signal_of(post.channel, placement.epoch, ident=ident, at_ms=appended.at_ms, raw=raw)
        )
        at = rfc3339(appended.at_ms)
        own = Known(ident, at, post.digest, nearest=ident, is_first=False)
        try:
            await channel.landed(appended, raw)
            shown = await channel.shown_as(post.key, own)
        except LogError as fault:
            # It is in the log, but what others wrote before it is not known.
            channel.is_stale = True
            raise _unknown() from fault
        if shown.id != ident:
            return _repeated(post, shown, placement)
        return Outcome(Cursor(placement.epoch, ident), at, is_new=True)

    async def _look_up(
        self, post: Post, placement: Placement
    ) -> tuple[ChannelWindow, Known | None]:
        """The channel, and the message that this post was before. Nothing is written here."""
        try:
            channel = await self._windows.of(placement)
            if post.retry or (post.reply_to or 0) > channel.head:
                await channel.refresh()
            known = await channel.find(post.key)
        except LogError as fault:
            raise _not_written(f"the channel's log cannot be read: {fault}") from fault
        except CutBack as fault:
            _log.error("channel refused", channel=post.channel, fault=str(fault))
            raise _not_written("the channel's log lost entries; its operator must act") from fault
        if known is None and (post.reply_to or 0) > channel.head:
            raise Refused("reply_unknown", f"the channel ends at {channel.head}", field="reply_to")
        return channel, known

    async def _append(self, channel: ChannelWindow, raw: bytes) -> Appended:
        before = channel.next_offset
        try:
            appended = await self._ports.log.append(channel.partition, raw)
        except LogOutcomeUnknown as fault:
            channel.is_stale = True
            raise _unknown() from fault
        except (NotWritten, UnknownTopic) as fault:
            raise _not_written(str(fault)) from fault
        if appended.offset < before:
            channel.is_stale = True
            _log.error("append below the head", partition=channel.partition, end=appended.offset)
            raise _unknown()
        return appended


def _repeated(post: Post, known: Known, placement: Placement) -> Outcome:
    if known.digest is not None and known.digest != post.digest:
        raise _reused()
    return Outcome(Cursor(placement.epoch, known.id), known.at, is_new=False)


def _reused() -> Refused:
    return Refused("client_id_reused", "send each new post with a new client_id", field="client_id")


def _not_written(why: str) -> TryAgain:
    return TryAgain("not_written", f"nothing was written ({why}); try again", retry_after_s=1)


def _unknown() -> OutcomeUnknown:
    return OutcomeUnknown(
        "outcome_unknown",
        "the log did not answer in time; send the post again with the same client_id",
        retry_after_s=1,
    )
