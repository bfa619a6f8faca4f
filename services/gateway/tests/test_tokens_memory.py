"""A signature is checked once for each token, and what is remembered is bounded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from libs.testing.clock import VirtualClock
from libs.wire.codes import Refused
from services.gateway.tests.fakes import FakeSession, ident
from services.gateway.tests.surroundings import surroundings
from services.gateway.tokens import CHECKS, Checked, Tokens

MEMORY = 3


class Counted(Tokens):
    """Counts the signatures that are checked."""

    checks = 0

    async def _check(self, token: str) -> Checked:
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
        assert {(each.user, each.session) for each in people} == {(ident("ann"), ident("s-ann"))}
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
            tokens.revoke(ident(f"s-u{number}"))
        await tokens.person(f"Bearer {session.token('u0')}")
        for number in range(1, MEMORY + 1):
            with pytest.raises(Refused, match="signed out"):
                await tokens.person(f"Bearer {session.token(f'u{number}')}")


async def test_the_first_tokens_share_one_fetch_of_the_keys() -> None:
    async with counted() as (tokens, session):
        headers = [f"Bearer {session.token(f'u{number}')}" for number in range(30)]
        await asyncio.gather(*(tokens.person(header) for header in headers))
        assert session.asked == 1


@pytest.mark.parametrize("token", ["a." * 2_049, "a" * 4_097, "a.b.c=", "a.b", "\ud800.b.c", ""])
async def test_what_has_not_the_form_of_a_token_is_not_looked_at(token: str) -> None:
    """Also not by who hashes or decodes: a frame of a stream may hold any text."""
    async with counted() as (tokens, session):
        with pytest.raises(Refused, match="does not hold"):
            await tokens.checked(token)
        assert tokens.checks == 0
        assert session.asked == 0


async def test_whoever_listens_is_told_of_a_revocation_when_it_counts() -> None:
    async with counted() as (tokens, session):
        checked = await tokens.checked(session.token("ann"))
        told: list[tuple[str, bool]] = []
        for _ in range(2):
            tokens.on_revoked.append(
                lambda ended: told.append((ended, tokens.refusal(checked) is not None))
            )
        assert tokens.refusal(checked) is None
        tokens.revoke(ident("s-bob"))
        tokens.revoke(ident("s-ann"))
        assert told == [(ident("s-bob"), False)] * 2 + [(ident("s-ann"), True)] * 2


async def test_of_a_crowd_that_comes_so_many_are_checked_in_a_turn() -> None:
    async with counted() as (tokens, session):
        await tokens.checked(session.token("first"))
        count = 3 * CHECKS
        crowd = [
            asyncio.create_task(tokens.checked(session.token(f"u{number}")))
            for number in range(count)
        ]
        most, done = 0, 0
        while done < count:
            await asyncio.sleep(0)
            now = sum(task.done() for task in crowd)
            most, done = max(most, now - done), now
        assert most <= CHECKS


async def test_what_was_checked_counts_as_long_as_its_key_and_session_do() -> None:
    async with counted() as (tokens, session):
        ann, bob = [await tokens.checked(session.token(name)) for name in ("ann", "bob")]
        assert [tokens.holds(each) for each in (ann, bob)] == [True, True]
        tokens.revoke(ident("s-bob"))
        assert [tokens.holds(each) for each in (ann, bob)] == [True, False]
        assert not tokens.holds(ann._replace(key="dropped"))
