"""Session's view in Redis: its keys, what is written and what is read.

    session:name:<handle>         the owner that the log gave it to first: a user, or
                                  "channel <id>"
    session:account:<user>        the account's record
    session:session:<session>     the record of a live session; an ended one has none
    session:sessions-of:<user>    sorted set of live sessions, scored by their last rotation

Every read takes the view's position along. While the view is behind, `TryAgain` (`rebuilding`) is
raised instead of an answer; only an owner that is found already is the final one.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeVar, cast

from libs.log.port import Partition
from libs.runtime.view import View
from libs.store import Pipeline, Redis, StoreUnavailable
from libs.wire.codes import TryAgain
from libs.wire.records import Account, NameClaim, Record, SessionState, decode, encode
from libs.wire.topics import ACCOUNTS, NAMES, SESSIONS, Topic

PREFIX = "session"
RETRY_AFTER_S = 1
CHANNEL = "channel "

R = TypeVar("R", bound=Record)


class Found(NamedTuple):
    """A live session, and the position in its partition at which it was so."""

    state: SessionState
    position: int


def place(topic: Topic, key: str) -> Partition:
    """The partition in which records of a key are."""
    return Partition(topic.name, topic.partition_of(key))


def put_name(pipe: Pipeline, claim: NameClaim) -> None:
    """The first claim wins."""
    is_user = claim.owner_kind == "user"
    pipe.set(_name(claim.handle), claim.owner if is_user else CHANNEL + claim.owner, nx=True)


def put_account(pipe: Pipeline, account: Account) -> None:
    """The last record of an account counts."""
    pipe.set(_account(account.user), encode(account))


def drop_account(pipe: Pipeline, user: str) -> None:
    """The account is gone."""
    pipe.delete(_account(user))


def put_session(pipe: Pipeline, state: SessionState) -> None:
    """The last record of a session counts."""
    if state.ended:
        pipe.delete(_session(state.session))
        pipe.zrem(_sessions_of(state.user), state.session)
        return
    pipe.set(_session(state.session), encode(state))
    pipe.zadd(_sessions_of(state.user), {state.session: state.rotated_ms})


class Store:
    """Questions to the view."""

    def __init__(self, redis: Redis, view: View) -> None:
        self._redis = redis
        self._view = view

    async def owner_of(self, handle: str) -> str | None:
        """Who owns a handle (lower case)."""
        where = place(NAMES, handle)
        owner, position = await self._read(_name(handle), where)
        if owner is not None:
            return owner.decode()
        self._settled([where], [position])
        return None

    async def users_of(self, handles: Sequence[str]) -> list[str | None]:
        """The user who owns each handle (lower case), if one does. One round trip."""
        wheres = [place(NAMES, handle) for handle in handles]
        with _answering():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.mget([_name(handle) for handle in handles])
                pipe.mget([self._view.position_key(where) for where in wheres])
                owners, positions = await pipe.execute()
        unknown = [at for at, owner in enumerate(owners) if owner is None]
        self._settled([wheres[at] for at in unknown], [positions[at] for at in unknown])
        return [_user(owner) for owner in owners]

    async def account(self, user: str) -> Account | None:
        """The account of a user. Whether it counts, `owner_of` its handle tells."""
        where = place(ACCOUNTS, user)
        raw, position = await self._read(_account(user), where)
        self._settled([where], [position])
        return _record(raw, Account)

    async def session(self, session: str) -> Found | None:
        """A live session. A state that is behind would make good tokens look stolen."""
        where = place(SESSIONS, session)
        raw, position = await self._read(_session(session), where)
        self._settled([where], [position])
        state = _record(raw, SessionState)
        return None if state is None else Found(state, int(position or 0))

    async def sessions_of(self, user: str) -> list[SessionState]:
        """All live sessions of a user, the least recently refreshed first."""
        parts = [Partition(SESSIONS.name, index) for index in range(SESSIONS.partitions)]
        with _answering():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.zrange(_sessions_of(user), 0, -1)
                pipe.mget([self._view.position_key(part) for part in parts])
                idents, positions = await pipe.execute()
            self._settled(parts, positions)
            if not idents:
                return []
            raws = cast(
                list[bytes | None],
                await self._redis.mget([_session(ident.decode()) for ident in idents]),
            )
        return [state for raw in raws if (state := _record(raw, SessionState)) is not None]

    async def _read(self, key: str, where: Partition) -> tuple[bytes | None, bytes | None]:
        with _answering():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.get(key)
                pipe.get(self._view.position_key(where))
                value, position = await pipe.execute()
        return value, position

    def _settled(self, parts: Iterable[Partition], positions: Iterable[bytes | None]) -> None:
        for where, position in zip(parts, positions, strict=True):
            if not self._view.settled(where, position):
                raise TryAgain(
                    "rebuilding",
                    "accounts and sessions are being read from the log; try again",
                    retry_after_s=RETRY_AFTER_S,
                )


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except StoreUnavailable as fault:
        raise TryAgain(
            "service_away", "the store of sessions does not answer", retry_after_s=RETRY_AFTER_S
        ) from fault


def _record(raw: bytes | None, kind: type[R]) -> R | None:
    record = None if raw is None else decode(raw)
    return record if isinstance(record, kind) else None


def _user(owner: bytes | None) -> str | None:
    text = CHANNEL if owner is None else owner.decode()
    return None if text.startswith(CHANNEL) else text


def _name(handle: str) -> str:
    return f"{PREFIX}:name:{handle}"


def _account(user: str) -> str:
    return f"{PREFIX}:account:{user}"


def _session(session: str) -> str:
    return f"{PREFIX}:session:{session}"


def _sessions_of(user: str) -> str:
    return f"{PREFIX}:sessions-of:{user}"
