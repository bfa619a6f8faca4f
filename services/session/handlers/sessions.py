"""Signing in, refreshing, listing and ending sessions.

Refreshes and ends of one session wait for each other within an instance. Between instances two
things make it safe: a token has one successor, so two refreshes of it write the same, and whoever
wrote a rotation looks for an end that was appended since the state was read, and repeats that end.
"""

import asyncio
import zlib
from typing import NamedTuple

from libs.log.port import Stored
from libs.runtime.keys import Keys
from libs.runtime.secrets import entropy
from libs.runtime.service import Ports
from libs.wire.codec import Malformed
from libs.wire.codes import Refused
from libs.wire.records import Account, Revocation, SessionState, decode
from libs.wire.topics import REVOCATIONS, SESSIONS

from .. import model
from ..ledger import Ledger
from ..metrics import REFRESHES
from ..settings import Settings
from ..store import Found, Store

# Sessions share this many locks: a fixed number needs no housekeeping, and two sessions that meet
# on one wait a few milliseconds.
LOCKS = 256
# Each end waits for the log; so many at once share its writes and leave connections for others.
ENDS_AT_ONCE = 16


class Pair(NamedTuple):
    """What a sign-in or refresh gives: whose it is, and the two tokens."""

    session: str
    account: Account
    access_token: str
    refresh_token: str
    expires_in: int


class Device(NamedTuple):
    """What a person calls the device, and what it is."""

    name: str
    kind: str


class Sessions:
    """Sessions of people that are who they say."""

    def __init__(
        self, ports: Ports, store: Store, ledger: Ledger, *, keys: Keys, settings: Settings
    ) -> None:
        self._clock = ports.clock
        self._new_id = ports.new_id
        self._store = store
        self._ledger = ledger
        self._keys = keys
        self._settings = settings
        self._locks = tuple(asyncio.Lock() for _ in range(LOCKS))

    async def begin(self, account: Account, device: Device) -> Pair:
        """A new session. Who has `sessions_max` already loses those refreshed least recently."""
        old = await self._store.sessions_of(account.user)
        for state in old[: max(0, len(old) - self._settings.sessions_max + 1)]:
            await self._end_if_of(account.user, state.session)
        now_ms = self._clock.now_ms()
        session = self._new_id()
        token = model.refresh_token(session, entropy(model.SECRET_BYTES))
        state = SessionState(
            session=session,
            user=account.user,
            device_name=device.name,
            device_kind=device.kind,
            refresh_hash=model.digest(token),
            previous_hash=b"",
            created_ms=now_ms,
            rotated_ms=now_ms,
        )
        await self._ledger.shown(await self._ledger.append(SESSIONS, session, state))
        return self._pair(account, session, token)

    async def refresh(self, token: str) -> Pair:
        """New tokens for a refresh token. Raises `Refused` (`refresh_invalid`); an old token of a
        live session ends that session."""
        session = model.session_of(token)
        async with self._lock(session):
            found = await self._store.session(session)
            if found is None:
                raise model.not_valid()
            account = await self._store.account(found.state.user)
            given = model.digest(token)
            verdict = model.judge(found.state, given, self._clock.now_ms())
            REFRESHES.labels(verdict).inc()
            if verdict == "reused" or account is None:
                await self._end(found.state)
                raise model.not_valid()
            return self._pair(account, session, await self._rotate(found, token))

    async def of(self, user: str) -> list[SessionState]:
        """A user's live sessions, newest first."""
        found = await self._store.sessions_of(user)
        return sorted(found, key=lambda state: (state.created_ms, state.session), reverse=True)

    async def end(self, user: str, session: str) -> None:
        """Sign out a session of this user. Raises `Refused` (`session_unknown`)."""
        if not await self._end_if_of(user, session):
            raise Refused("session_unknown", "you have no such session, or it has ended")

    async def end_others(self, user: str, kept: str) -> None:
        """Sign out all sessions of this user but one."""
        found = await self._store.sessions_of(user)
        others = [state.session for state in found if state.session != kept]
        for at in range(0, len(others), ENDS_AT_ONCE):
            some = others[at : at + ENDS_AT_ONCE]
            await asyncio.gather(*(self._end_if_of(user, session) for session in some))

    async def _rotate(self, found: Found, token: str) -> str:
        """The token that follows, after the state says so."""
        state, given = found.state, model.digest(token)
        following = [model.successor(token, key) for key in self._keys.refresh_keys()]
        for successor in following:
            if model.digest(successor) == state.refresh_hash:
                return successor
        new = model.rotated(
            state,
            present=model.digest(following[0]),
            given=given,
            now_ms=self._clock.now_ms(),
        )
        written = await self._ledger.append(SESSIONS, state.session, new)
        async for stored in self._ledger.before(written, found.position):
            if _is_end(stored):
                await self._end(new)
                raise model.not_valid()
        await self._ledger.shown(written)
        return following[0]

    async def _end_if_of(self, user: str, session: str) -> bool:
        async with self._lock(session):
            found = await self._store.session(session)
            if found is None or found.state.user != user:
                return False
            await self._end(found.state)
            return True

    async def _end(self, state: SessionState) -> None:
        # The revocation goes first: a crash in between leaves a session that is still listed and
        # can be ended again, not one that is gone with access tokens that nobody revokes.
        revoked = Revocation(session=state.session, user=state.user)
        await self._ledger.append(REVOCATIONS, state.session, revoked)
        written = await self._ledger.append(SESSIONS, state.session, model.ended(state))
        await self._ledger.shown(written)

    def _lock(self, session: str) -> asyncio.Lock:
        return self._locks[zlib.crc32(session.encode()) % LOCKS]

    def _pair(self, account: Account, session: str, token: str) -> Pair:
        life_s = self._settings.access_life_s
        access = self._keys.access_token(
            account.user, session, now_s=self._clock.now_ms() // 1000, life_s=life_s
        )
        return Pair(session, account, access, token, life_s)


def _is_end(stored: Stored) -> bool:
    try:
        record = decode(stored.value)
    except Malformed:
        return False
    return isinstance(record, SessionState) and record.ended
