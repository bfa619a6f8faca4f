"""The client: accounts, channels, members, posts and pages."""

import platform
from collections.abc import AsyncIterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from rostrum.backoff import Backoff
from rostrum.cursors import CursorStore
from rostrum.errors import Refused, SignedOut
from rostrum.follower import WAYS, Follower, Places
from rostrum.http import Http
from rostrum.ids import in_path, new_client_id
from rostrum.model import Channel, Entry, Joined, Member, Page, Posted, User
from rostrum.outbox import Outbox
from rostrum.paging import PAGE_MAX, Place, Reader, entries_between
from rostrum.posting import POST_S, Post, post_surely
from rostrum.session import Session, SessionStore, SignedIn
from rostrum.sessions import MemorySessions

T = TypeVar("T")

# Somebody waits who has just typed a password: they hear sooner that nobody answers.
SIGN_IN_S = 10.0
DEVICE_KIND = "python"
SESSION_UNKNOWN = "session_unknown"
NOTHING = type(None)


class _Items(msgspec.Struct, Generic[T]):
    """A part of a list; `next` asks for what follows."""

    items: list[T]
    next: str | None = None


class Client:
    """One user at one or several gateways of the same suite. Enter it before use.

    `urls` is where gateways are, as `http://localhost:8080`; the next one is asked when one is
    away. Who one is comes from `session`, or from `sessions`, where `sign_in` keeps it for the next
    run; with neither, call `sign_in`. `backoff` says how long to wait before something is sent
    again.

    All methods raise `Refused` and `Unreadable`, and after having tried again for a while
    `TryAgain`, `OutcomeUnknown` and `Unreachable`; those that need a session raise `SignedOut`.
    """

    def __init__(
        self,
        urls: str | Sequence[str],
        *,
        session: Session | None = None,
        sessions: SessionStore | None = None,
        user_agent: str = "",
        backoff: Backoff = Backoff(),  # noqa: B008 - a tuple, which nobody changes
    ) -> None:
        if session is not None and sessions is not None:
            raise ValueError(
                "give session or sessions, not both: what is in the store may be newer"
            )
        self.http = Http(
            [urls] if isinstance(urls, str) else urls,
            sessions=MemorySessions(session) if sessions is None else sessions,
            user_agent=user_agent or _user_agent(),
            backoff=backoff,
        )

    async def __aenter__(self) -> "Client":
        await self.http.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.__aexit__()

    @property
    def session(self) -> Session:
        """Who is signed in. Raises `SignedOut` when nobody is."""
        return self.http.tokens.session

    @property
    def is_signed_in(self) -> bool:
        """Whether there is a session; whether it still holds, the next request tells."""
        return self.http.tokens.is_signed_in

    async def sign_up(self, handle: str, password: str, *, name: str) -> User:
        """A new account. `Refused` (`handle_taken`) with `may_be_done`: an earlier attempt may have
        made it, so signing in is worth a try."""
        body = {"handle": handle, "password": password, "display_name": name}
        return await self._open("/v1/accounts", User, body)

    async def sign_in(self, handle: str, password: str, *, device: str = "python") -> Session:
        """Begin a session, which renews itself and is kept where the client was told."""
        asked_s = self.http.now_s()
        body = {
            "handle": handle,
            "password": password,
            "device": {"name": device, "kind": DEVICE_KIND},
        }
        signed_in = await self._open("/v1/sessions", SignedIn, body)
        await self.http.tokens.keep(signed_in.session(asked_s))
        return self.session

    async def sign_out(self) -> None:
        """End the session, here and at the gateways. When nobody is signed in that is done."""
        if not self.is_signed_in:
            return
        try:
            await self._ask("DELETE", f"/v1/sessions/{in_path(self.session.id)}", NOTHING)
        except SignedOut:
            pass
        except Refused as fault:
            if fault.code != SESSION_UNKNOWN:
                raise
        await self.http.tokens.forget()

    async def me(self) -> User:
        """Who one is."""
        return await self._ask("GET", "/v1/me", User)

    async def create_channel(
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
        """A new channel: `kind` is group, broadcast or direct, `visibility` private or public,
        `posting` (who may post) owner, admins, members or everyone, `members` are users' ids. The
        same `client_id` is the same channel, however often it is created."""
        body = {
            "client_id": new_client_id() if client_id is None else client_id,
            "title": title,
            "kind": kind,
            "visibility": visibility,
            "handle": handle,
            "members": list(members),
            "posting": posting,
            "slow_mode_s": slow_mode_s,
        }
        return await self._ask("POST", "/v1/channels", Channel, body)

    async def change_channel(
        self,
        channel: str,
        *,
        title: str | None = None,
        posting: str | None = None,
        slow_mode_s: int | None = None,
    ) -> Channel:
        """Change what is given; the rest stays."""
        wanted = {"title": title, "posting": posting, "slow_mode_s": slow_mode_s}
        body = {name: value for name, value in wanted.items() if value is not None}
        return await self._ask("PATCH", _channel(channel), Channel, body)

    async def channel(self, channel: str) -> Channel:
        """A channel by its id."""
        return await self._ask("GET", _channel(channel), Channel)

    async def find_channel(self, handle: str) -> Channel | None:
        """A channel by its handle; None when no channel that one may see has it."""
        shape = _Items[Channel]
        answer = await self.http.ask("GET", "/v1/channels", shape, query={"handle": handle})
        return next(iter(answer.value.items), None)

    def channels(self) -> AsyncIterator[Channel]:
        """The channels that one is a member of."""
        return self._all("/v1/me/channels", _Items[Channel])

    async def join(self, channel: str) -> Joined:
        """Become a member; joining again changes nothing."""
        return await self._ask("PUT", f"{_channel(channel)}/members/me", Joined)

    async def leave(self, channel: str) -> None:
        """Be no member any more."""
        await self._ask("DELETE", f"{_channel(channel)}/members/me", NOTHING)

    def members(self, channel: str) -> AsyncIterator[Member]:
        """Who is in a channel, longest first."""
        return self._all(f"{_channel(channel)}/members", _Items[Member])

    async def add_member(self, channel: str, user: str, role: str = "member") -> Member:
        """Make a user a member, or give a member a role: admin, member or restricted."""
        path = f"{_channel(channel)}/members/{in_path(user)}"
        return await self._ask("PUT", path, Member, {"role": role})

    async def remove_member(self, channel: str, user: str) -> None:
        """End a user's membership."""
        await self._ask("DELETE", f"{_channel(channel)}/members/{in_path(user)}", NOTHING)

    async def ban(self, channel: str, user: str) -> None:
        """End a user's membership, and let them neither read nor join until `unban`."""
        await self._ask("PUT", f"{_channel(channel)}/bans/{in_path(user)}", NOTHING)

    async def unban(self, channel: str, user: str) -> None:
        """Lift a ban. Who was a member is none until they join again."""
        await self._ask("DELETE", f"{_channel(channel)}/bans/{in_path(user)}", NOTHING)

    async def post(
        self,
        channel: str,
        text: str,
        *,
        reply_to: int | None = None,
        client_id: str | None = None,
        was_sent: bool = False,
        within_s: float = POST_S,
    ) -> Posted:
        """Post a message of 1 to 4,096 characters; `reply_to` is the id that it answers.

        It is sent again, with the same `client_id`, until it is answered, and written once. After
        `within_s` seconds raises `NotPosted`. `was_sent`: this `client_id` was sent before, by an
        earlier run or before a `NotPosted`."""
        wish = Post(channel, text, reply_to=reply_to, client_id=client_id, was_sent=was_sent)
        return await post_surely(self.http, wish, within_s)

    def outbox(self, path: str | Path) -> Outbox:
        """Posts that outlive the program: they are kept in the file `path` until they are
        answered."""
        return Outbox(self.http, path)

    def follow(
        self,
        cursors: Places,
        *,
        store: CursorStore | None = None,
        ways: Sequence[str] = WAYS,
    ) -> Follower:
        """What happens in channels, from these cursors on, or from where `store` has them. See
        `Follower`."""
        return Follower(self.http, cursors, store=store, ways=ways)

    async def page(
        self,
        channel: str,
        *,
        after: Place | None = None,
        before: Place | None = None,
        around: Place | None = None,
        limit: int = PAGE_MAX,
    ) -> Page:
        """At most `limit` (1 to 100) entries after, before or around a place, which is an id or a
        cursor; without a place the latest. Raises `EpochChanged` for a cursor from before."""
        given = {"after": after, "before": before, "around": around}
        places = {way: place for way, place in given.items() if place is not None}
        if len(places) > 1:
            raise ValueError("give one of after, before and around")
        way, place = next(iter(places.items()), ("", 0))
        return await Reader(self.http, channel).page(way, place, limit=limit)

    def history(
        self,
        channel: str,
        *,
        after: Place | None = None,
        before: Place | None = None,
        newest_first: bool = False,
    ) -> AsyncIterator[Entry]:
        """Every entry between two places, ids or cursors that do not belong to it; without them
        from the oldest that is kept to the newest. It goes at the pace that gateways allow: a page
        of 100 entries a second, after the first 20. Raises `EpochChanged`."""
        reader = Reader(self.http, channel)
        return entries_between(reader, after, before, newest_first=newest_first)

    async def _ask(
        self, method: str, path: str, shape: type[T], body: Mapping[str, Any] | None = None
    ) -> T:
        return (await self.http.ask(method, path, shape, body=body)).value

    async def _all(self, path: str, shape: type[_Items[T]]) -> AsyncIterator[T]:
        query: dict[str, str | int] = {"limit": PAGE_MAX}
        while True:
            found = (await self.http.ask("GET", path, shape, query=query)).value
            for item in found.items:
                yield item
            if found.next is None:
                return
            query["next"] = found.next

    async def _open(self, path: str, shape: type[T], body: Mapping[str, Any]) -> T:
        answer = await self.http.ask(
            "POST", path, shape, body=body, is_open=True, within_s=SIGN_IN_S
        )
        return answer.value


def _channel(ident: str) -> str:
    return f"/v1/channels/{in_path(ident)}"


def _user_agent() -> str:
    try:
        own = version("rostrum-client")
    except PackageNotFoundError:
        own = "source"
    return f"rostrum-client/{own} python/{platform.python_version()}"
