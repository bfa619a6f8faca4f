"""A signature is checked once for each token, and what is remembered is bounded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from libs.testing.clock import VirtualClock
from libs.wire.codes import Refused
from services.gateway.tests.fakes import FakeSession
from services.gateway.tests.surroundings import surroundings
from services.gateway.tokens import Tokens, _Checked

MEMORY = 3


class Counted(Tokens):
    """Counts the signatures that are checked."""

    checks = 0

    async def _check(self, token: str) -> _Checked:
        self.checks += 1
        return await super()._check(token)


@asynccontextmanager
async def counted() -> AsyncIterator[tuple[Counted, FakeSession]]:
    clock = VirtualClock()
    async with surroundings(clock) as ports:
        session = FakeSession(ports.signer, clock)
        ports.calls.attach("session", session.app)
        yield Counted(ports, MEMORY), session


async def test_a_token_is_checked_once() -> None:
    async with counted() as (tokens, session):
        header = f"Bearer {session.token('ann')}"
        people = [await tokens.person(header) for _ in range(50)]
        assert {(each.user, each.session) for each in people} == {("ann", "s-ann")}
        assert tokens.checks == 1


async def test_the_oldest_tokens_are_forgotten_and_checked_again() -> None:
    async with counted() as (tokens, session):
        headers = [f"Bearer {session.token(f'u{number}')}" for number in range(MEMORY + 1)]
        for header in (*headers, headers[-1]):
            await tokens.person(header)
        assert tokens.checks == MEMORY + 1
        await tokens.person(headers[0])
        assert tokens.checks == MEMORY + 2


async def test_a_token_that_does_not_hold_is_not_remembered() -> None:
    async with counted() as (tokens, session):
        header = f"Bearer {session.token('ann', aud='another')}"
        for _ in range(2):
            with pytest.raises(Refused):
                await tokens.person(header)
        assert tokens.checks == 2


async def test_the_newest_revocations_are_remembered() -> None:
    async with counted() as (tokens, session):
        for number in range(MEMORY + 1):
            tokens.revoke(f"s-u{number}")
        await tokens.person(f"Bearer {session.token('u0')}")
        for number in range(1, MEMORY + 1):
            with pytest.raises(Refused, match="signed out"):
                await tokens.person(f"Bearer {session.token(f'u{number}')}")


async def test_the_first_tokens_share_one_fetch_of_the_keys() -> None:
    async with counted() as (tokens, session):
        headers = [f"Bearer {session.token(f'u{number}')}" for number in range(30)]
        await asyncio.gather(*(tokens.person(header) for header in headers))
        assert session.asked == 1
