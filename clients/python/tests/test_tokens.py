"""Renewal: once for all who want it, stored before it is used, never lost with whoever waits."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from libs.testing.eventually import eventually
from rostrum import MemorySessions, NotKept, Refused, Session, SignedOut, TryAgain, User
from rostrum.tokens import Tokens

LIFE_S = 600.0
BEFORE_S = 60.0
WITHIN_S = 10.0
Refresh = Callable[[Session], Awaitable[Session]]


class Desk:
    """Answers refreshes: `access-1` follows `access-0`. Its clock is set by the test."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0
        self.refreshes: list[str | None] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.faults: list[Exception] = []

    def session(self, number: int = 0, user: str = "ada") -> Session:
        return Session(
            access_token=f"access-{number}",
            refresh_token=f"refresh-{number}",
            id="s",
            expires_at=self.now_s + LIFE_S,
            renew_at=self.now_s + LIFE_S - BEFORE_S,
            user=User(id=user),
        )

    async def refresh(self, session: Session) -> Session:
        self.refreshes.append(session.refresh_token)
        await self.gate.wait()
        if self.faults:
            raise self.faults.pop(0)
        return self.session(int(session.access_token.partition("-")[2]) + 1)


class Notebook(MemorySessions):
    """Writes down what is saved, and fails when it is told to."""

    def __init__(self, session: Session | None) -> None:
        super().__init__(session)
        self.saved: list[str | None] = []
        self.is_full = False

    def save(self, session: Session | None) -> None:
        if self.is_full:
            raise NotKept("the disk is full")
        self.saved.append(None if session is None else session.access_token)
        super().save(session)


class Opened:
    """Tokens, opened; with the desk and the store behind them."""

    def __init__(self, store: Notebook | None = None) -> None:
        self.desk = Desk()
        self.store = Notebook(self.desk.session()) if store is None else store
        self.tokens = Tokens(self.store, self.desk.refresh, lambda: self.desk.now_s)

    async def __aenter__(self) -> "Opened":
        await self.tokens.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.tokens.close()


async def test_a_token_that_holds_is_used() -> None:
    async with Opened() as opened:
        opened.desk.now_s += LIFE_S - BEFORE_S - 1
        assert await opened.tokens.token() == "access-0"
    assert opened.desk.refreshes == []


async def test_a_minute_before_the_end_it_is_renewed_and_nobody_waits() -> None:
    async with Opened() as opened:
        opened.desk.now_s += LIFE_S - BEFORE_S
        opened.desk.gate.clear()
        assert await opened.tokens.token() == "access-0"
        opened.desk.gate.set()
        await eventually(
            lambda: opened.tokens.session.access_token == "access-1",
            within_s=WITHIN_S,
            what="it is renewed",
        )
    assert opened.store.saved == ["access-1"]


async def test_a_token_that_has_ended_is_waited_for_and_renewed_once_for_all() -> None:
    async with Opened() as opened:
        opened.desk.now_s += LIFE_S
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(opened.tokens.token()) for _ in range(50)]
    assert {task.result() for task in asked} == {"access-1"}
    assert opened.desk.refreshes == ["refresh-0"]


async def test_one_that_was_refused_is_renewed_once_however_many_say_so() -> None:
    async with Opened() as opened:
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(opened.tokens.token(newer_than="access-0")) for _ in range(50)
            ]
        late = await opened.tokens.token(newer_than="access-0")
    assert {late, *(task.result() for task in asked)} == {"access-1"}
    assert opened.desk.refreshes == ["refresh-0"]


async def test_a_renewal_outlives_whoever_waits_for_it() -> None:
    """A refresh token whose answer is thrown away would end the session."""
    async with Opened() as opened:
        opened.desk.gate.clear()
        waiting = asyncio.ensure_future(opened.tokens.token(newer_than="access-0"))
        await eventually(lambda: opened.desk.refreshes, within_s=WITHIN_S, what="it is asked")
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        opened.desk.gate.set()
    assert opened.store.saved == ["access-1"]


async def test_what_was_renewed_is_stored_before_anybody_uses_it() -> None:
    async with Opened() as opened:
        opened.store.is_full = True
        with pytest.raises(NotKept):
            await opened.tokens.token(newer_than="access-0")
        assert opened.tokens.session.access_token == "access-0"
        opened.store.is_full = False
        assert await opened.tokens.token(newer_than="access-0") == "access-1"
    # The refresh token was used up by the first attempt: it is not sent again.
    assert opened.desk.refreshes == ["refresh-0"]


async def test_what_another_program_renewed_is_taken_from_the_store() -> None:
    async with Opened() as opened:
        MemorySessions.save(opened.store, opened.desk.session(7))
        assert await opened.tokens.token(newer_than="access-0") == "access-7"
    assert opened.desk.refreshes == []


async def test_what_another_program_left_to_expire_is_renewed_from_there() -> None:
    async with Opened() as opened:
        MemorySessions.save(opened.store, opened.desk.session(7))
        opened.desk.now_s += LIFE_S
        assert await opened.tokens.token() == "access-8"
    assert opened.desk.refreshes == ["refresh-7"]


async def test_what_another_program_signed_out_is_signed_out() -> None:
    async with Opened() as opened:
        MemorySessions.save(opened.store, None)
        with pytest.raises(SignedOut, match="by another program"):
            await opened.tokens.token(newer_than="access-0")
        assert not opened.tokens.is_signed_in


async def test_nobody_becomes_another_user_because_that_one_signed_in_there() -> None:
    async with Opened() as opened:
        MemorySessions.save(opened.store, opened.desk.session(7, user="eve"))
        with pytest.raises(SignedOut, match="another user"):
            await opened.tokens.token(newer_than="access-0")


async def test_a_session_that_has_ended_is_forgotten() -> None:
    async with Opened() as opened:
        opened.desk.faults.append(Refused("refresh_invalid", "it does not count", status=401))
        with pytest.raises(SignedOut, match="it does not count"):
            await opened.tokens.token(newer_than="access-0")
        with pytest.raises(SignedOut, match="sign_in"):
            await opened.tokens.token()
    assert opened.store.saved == [None]


@pytest.mark.parametrize(
    "fault", [TryAgain("service_away", "later"), Refused("not_ours", "a proxy", status=403)]
)
async def test_a_renewal_that_fails_takes_no_session_away(fault: Exception) -> None:
    async with Opened() as opened:
        opened.desk.faults.append(fault)
        with pytest.raises(type(fault)):
            await opened.tokens.token(newer_than="access-0")
        assert await opened.tokens.token() == "access-0"
        assert await opened.tokens.token(newer_than="access-0") == "access-1"


async def test_a_bare_token_ends_when_it_is_refused() -> None:
    async with Opened(Notebook(Session.of_token("bare"))) as opened:
        assert await opened.tokens.token() == "bare"
        with pytest.raises(SignedOut, match="cannot be renewed"):
            await opened.tokens.token(newer_than="bare")
