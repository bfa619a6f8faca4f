"""The same client for programs that do not use asyncio: every method waits for its result.

    from rostrum.sync import Client

    with Client("http://localhost:8080") as client:
        ...

Methods, arguments, results and errors are those of `rostrum.Client`. An event loop runs in a thread
of its own, so that sessions are renewed while the program does other things. Ctrl-C interrupts
whatever waits. A client may be used from several threads.
"""

from collections.abc import Coroutine, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rostrum import client as asynchronous
from rostrum import follower as asynchronous_follower
from rostrum import outbox as asynchronous_outbox
from rostrum.backoff import Backoff
from rostrum.cursors import CursorStore
from rostrum.events import Event
from rostrum.follower import WAYS, Places
from rostrum.following.counts import Counts
from rostrum.model import Channel, Entry, Joined, Member, Page, Posted, User
from rostrum.outbox import Resumed
from rostrum.paging import PAGE_MAX, Place
from rostrum.portal import Portal
from rostrum.posting import POST_S
from rostrum.rows import Waiting
from rostrum.session import Session, SessionStore

R = TypeVar("R")


class Client:
    """See `rostrum.Client`."""

    def __init__(
        self,
        urls: str | Sequence[str],
        *,
        session: Session | None = None,
        sessions: SessionStore | None = None,
        user_agent: str = "",
        backoff: Backoff = Backoff(),  # noqa: B008 - a tuple, which nobody changes
    ) -> None:
        self._client = asynchronous.Client(
            urls, session=session, sessions=sessions, user_agent=user_agent, backoff=backoff
        )
        self._portal = Portal()

    def __enter__(self) -> "Client":
        self._portal.open()
        try:
            self._run(self._client.__aenter__())
        except BaseException:
            self._portal.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._run(self._client.__aexit__())
        finally:
            self._portal.close()

    @property
    def session(self) -> Session:
        """See `rostrum.Client.session`."""
        return self._client.session

    @property
    def is_signed_in(self) -> bool:
        """See `rostrum.Client.is_signed_in`."""
        return self._client.is_signed_in

    def sign_up(self, handle: str, password: str, *, name: str) -> User:
        """See `rostrum.Client.sign_up`."""
        return self._run(self._client.sign_up(handle, password, name=name))

    def sign_in(self, handle: str, password: str, *, device: str = "python") -> Session:
        """See `rostrum.Client.sign_in`."""
        return self._run(self._client.sign_in(handle, password, device=device))

    def sign_out(self) -> None:
        """See `rostrum.Client.sign_out`."""
        self._run(self._client.sign_out())

    def me(self) -> User:
        """See `rostrum.Client.me`."""
        return self._run(self._client.me())

    def create_channel(
        self,
        title: str,
        *,
        kind: str = "group",
        visibility: str = "private",
        handle: str | None = None,
        members: Sequence[str] = (),
        posting: str | None = None,
        slow_mode_s: int = 0,
        client_id: str | None = None,
    ) -> Channel:
        """See `rostrum.Client.create_channel`."""
        return self._run(
            self._client.create_channel(
                title,
                kind=kind,
                visibility=visibility,
                handle=handle,
                members=members,
                posting=posting,
                slow_mode_s=slow_mode_s,
                client_id=client_id,
            )
        )

    def change_channel(
        self,
        channel: str,
        *,
        title: str | None = None,
        posting: str | None = None,
        slow_mode_s: int | None = None,
    ) -> Channel:
        """See `rostrum.Client.change_channel`."""
        return self._run(
            self._client.change_channel(
                channel, title=title, posting=posting, slow_mode_s=slow_mode_s
            )
        )

    def channel(self, channel: str) -> Channel:
        """See `rostrum.Client.channel`."""
        return self._run(self._client.channel(channel))

    def find_channel(self, handle: str) -> Channel | None:
        """See `rostrum.Client.find_channel`."""
        return self._run(self._client.find_channel(handle))

    def channels(self) -> Iterator[Channel]:
        """See `rostrum.Client.channels`."""
        return self._portal.items(self._client.channels())

    def join(self, channel: str) -> Joined:
        """See `rostrum.Client.join`."""
        return self._run(self._client.join(channel))

    def leave(self, channel: str) -> None:
        """See `rostrum.Client.leave`."""
        self._run(self._client.leave(channel))

    def members(self, channel: str) -> Iterator[Member]:
        """See `rostrum.Client.members`."""
        return self._portal.items(self._client.members(channel))

    def add_member(self, channel: str, user: str, role: str = "member") -> Member:
        """See `rostrum.Client.add_member`."""
        return self._run(self._client.add_member(channel, user, role))

    def remove_member(self, channel: str, user: str) -> None:
        """See `rostrum.Client.remove_member`."""
        self._run(self._client.remove_member(channel, user))

    def ban(self, channel: str, user: str) -> None:
        """See `rostrum.Client.ban`."""
        self._run(self._client.ban(channel, user))

    def unban(self, channel: str, user: str) -> None:
        """See `rostrum.Client.unban`."""
        self._run(self._client.unban(channel, user))

    def post(
        self,
        channel: str,
        text: str,
        *,
        reply_to: int | None = None,
        client_id: str | None = None,
        was_sent: bool = False,
        within_s: float = POST_S,
    ) -> Posted:
        """See `rostrum.Client.post`."""
        return self._run(
            self._client.post(
                channel,
                text,
                reply_to=reply_to,
                client_id=client_id,
                was_sent=was_sent,
                within_s=within_s,
            )
        )

    def outbox(self, path: str | Path) -> "Outbox":
        """See `rostrum.Client.outbox`."""
        return Outbox(self._client.outbox(path), self._portal)

    def follow(
        self,
        cursors: Places,
        *,
        store: CursorStore | None = None,
        ways: Sequence[str] = WAYS,
    ) -> "Follower":
        """See `rostrum.Client.follow`."""
        return Follower(self._client.follow(cursors, store=store, ways=ways), self._portal)

    def page(
        self,
        channel: str,
        *,
        after: Place | None = None,
        before: Place | None = None,
        around: Place | None = None,
        limit: int = PAGE_MAX,
    ) -> Page:
        """See `rostrum.Client.page`."""
        return self._run(
            self._client.page(channel, after=after, before=before, around=around, limit=limit)
        )

    def history(
        self,
        channel: str,
        *,
        after: Place | None = None,
        before: Place | None = None,
        newest_first: bool = False,
    ) -> Iterator[Entry]:
        """See `rostrum.Client.history`."""
        return self._portal.items(
            self._client.history(channel, after=after, before=before, newest_first=newest_first)
        )

    def _run(self, work: Coroutine[Any, Any, R]) -> R:
        return self._portal.run(work)


class Outbox:
    """See `rostrum.Outbox`."""

    def __init__(self, outbox: asynchronous_outbox.Outbox, portal: Portal) -> None:
        self._outbox = outbox
        self._portal = portal

    def __enter__(self) -> "Outbox":
        self._portal.run(self._outbox.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self._portal.run(self._outbox.__aexit__())

    def post(
        self,
        channel: str,
        text: str,
        *,
        reply_to: int | None = None,
        client_id: str | None = None,
        within_s: float = POST_S,
    ) -> Posted:
        """See `rostrum.Outbox.post`."""
        return self._portal.run(
            self._outbox.post(
                channel, text, reply_to=reply_to, client_id=client_id, within_s=within_s
            )
        )

    def resume(self, *, within_s: float = POST_S) -> Resumed:
        """See `rostrum.Outbox.resume`."""
        return self._portal.run(self._outbox.resume(within_s=within_s))

    def waiting(self) -> list[Waiting]:
        """See `rostrum.Outbox.waiting`."""
        return self._portal.run(self._outbox.waiting())

    def drop(self, client_id: str) -> None:
        """See `rostrum.Outbox.drop`."""
        self._portal.run(self._outbox.drop(client_id))


class Follower:
    """See `rostrum.Follower`. To be iterated, inside of `with` or without: then it listens as long
    as the loop runs. The `store` is called in another thread, between two events."""

    def __init__(self, follower: asynchronous_follower.Follower, portal: Portal) -> None:
        self._follower = follower
        self._portal = portal
        self._is_entered = False

    def __enter__(self) -> "Follower":
        self._portal.run(self._follower.__aenter__())
        self._is_entered = True
        return self

    def __exit__(self, *_: object) -> None:
        self._is_entered = False
        if self._portal.is_open:
            self._portal.run(self._follower.__aexit__())

    def __iter__(self) -> Iterator[Event]:
        if self._is_entered:
            yield from self._portal.items(self._follower)
            return
        with self:
            yield from self._portal.items(self._follower)

    @property
    def way(self) -> str:
        """See `rostrum.Follower.way`."""
        return self._follower.way

    @property
    def is_connected(self) -> bool:
        """See `rostrum.Follower.is_connected`."""
        return self._follower.is_connected

    @property
    def trouble(self) -> str:
        """See `rostrum.Follower.trouble`."""
        return self._follower.trouble

    @property
    def counts(self) -> Counts:
        """See `rostrum.Follower.counts`."""
        return self._follower.counts

    @property
    def cursors(self) -> dict[str, str | None]:
        """See `rostrum.Follower.cursors`."""
        return self._follower.cursors

    def watch(self, cursors: Places) -> None:
        """See `rostrum.Follower.watch`."""
        self._portal.run(self._follower.watch(cursors))

    def unwatch(self, channels: Iterable[str]) -> None:
        """See `rostrum.Follower.unwatch`."""
        self._portal.run(self._follower.unwatch(channels))
