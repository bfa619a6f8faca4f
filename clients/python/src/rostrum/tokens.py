"""Who asks, and with which token: renewed once for all who want it, stored before it is used."""

import asyncio
from collections.abc import Awaitable, Callable

from rostrum.errors import Refused, SignedOut
from rostrum.session import Session, SessionStore

REFRESH_INVALID = "refresh_invalid"
# A token that ends sooner is not sent: it would end on the way.
ON_THE_WAY_S = 5.0


class Tokens:
    """The session of a client. Enter it before use; leaving it waits for a renewal under way.

    `refresh` gives the session that follows upon a session. It is called by one task at a time,
    which outlives whoever waits for it: a refresh token that was sent and whose answer nobody kept
    would end the session."""

    def __init__(
        self,
        store: SessionStore,
        refresh: Callable[[Session], Awaitable[Session]],
        now_s: Callable[[], float],
    ) -> None:
        self._store = store
        self._refresh = refresh
        self._now_s = now_s
        self._session: Session | None = None
        self._unsaved: Session | None = None
        self._renewal: asyncio.Future[None] | None = None

    async def open(self) -> None:
        """Begin with what the store has."""
        self._session = self._store.load()
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()

    async def close(self) -> None:
        """Wait until a renewal that is under way has ended."""
        # Whatever ended the client must not end the renewal: the group hears of no error.
        await self._tasks.__aexit__(None, None, None)

    @property
    def session(self) -> Session:
        """Raises `SignedOut` when there is none."""
        if self._session is None:
            raise SignedOut("nobody is signed in: call sign_in first")
        return self._session

    @property
    def is_signed_in(self) -> bool:
        """Whether there is a session."""
        return self._session is not None

    async def token(self, *, newer_than: str | None = None) -> str:
        """An access token that holds, and another one than `newer_than`. Raises `SignedOut`."""
        session, now_s = self.session, self._now_s()
        is_used_up = session.access_token == newer_than
        if not is_used_up and not session.is_due(now_s):
            return session.access_token
        renewal = self._renewing()
        if is_used_up or session.is_over(now_s + ON_THE_WAY_S):
            await asyncio.shield(renewal)
        return self.session.access_token

    async def keep(self, session: Session) -> None:
        """Somebody signed in: store it, then use it."""
        async with self._store.alone():
            self._store.save(session)
            self._session, self._unsaved = session, None

    async def forget(self) -> None:
        """The session has ended."""
        async with self._store.alone():
            self._store.save(None)
            self._session = self._unsaved = None

    def _renewing(self) -> asyncio.Future[None]:
        if self._renewal is None:
            self._renewal = asyncio.get_running_loop().create_future()
            self._tasks.create_task(self._renew(self._renewal), name="rostrum: renewal")
        return self._renewal

    async def _renew(self, done: asyncio.Future[None]) -> None:
        try:
            async with self._store.alone():
                await self._renew_alone(self.session)
        except Exception as fault:
            done.set_exception(fault)
            # Nobody waits while the present token holds: then the error is no news.
            done.exception()
        else:
            done.set_result(None)
        finally:
            done.cancel()
            self._renewal = None

    async def _renew_alone(self, mine: Session) -> None:
        kept = self._unsaved or self._store.load()
        if kept is None:
            self._session = None
            raise SignedOut("the session was signed out by another program: sign in again")
        if kept.user_id != mine.user_id:
            self._session = None
            raise SignedOut("another user signed in where the session is kept: sign in again")
        if kept.access_token == mine.access_token or kept.is_due(self._now_s()):
            kept = await self._renewed(kept)
        self._unsaved = kept
        self._store.save(kept)
        self._session, self._unsaved = kept, None

    async def _renewed(self, session: Session) -> Session:
        if session.refresh_token is None:
            raise SignedOut("the access token does not hold and cannot be renewed: sign in again")
        try:
            return await self._refresh(session)
        except Refused as fault:
            if fault.code != REFRESH_INVALID:
                raise
            self._store.save(None)
            self._session = None
            raise SignedOut(f"{fault.detail}: the session has ended") from fault
