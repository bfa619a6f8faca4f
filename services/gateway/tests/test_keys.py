"""Keys come and go while tokens are checked, and no token of ours is refused for that."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.testing.clock import VirtualClock
from libs.testing.eventually import eventually
from libs.wire.codes import Refused, TryAgain
from libs.wire.tokens import LIFE_S_MAX
from services.gateway.keys import KEYS_AGAIN_S, KEYS_EVERY_S, PublicKeys
from services.gateway.tests.fakes import FakeSession, ident
from services.gateway.tests.surroundings import surroundings
from services.gateway.tokens import Tokens

WITHIN_S = 10.0
WAITING = 3


class World:
    """Tokens over a session service, with keys that are read while the test turns the clock."""

    def __init__(self, tokens: Tokens, session: FakeSession, clock: VirtualClock) -> None:
        self.tokens = tokens
        self.session = session
        self.clock = clock

    def asks(self, user: str = "ann", kid: str = "k1") -> "asyncio.Task[str]":
        """Somebody who comes with a fresh token; the task says as whom they are known."""
        return asyncio.create_task(self.user(self.session.token(user, kid=kid)))

    async def user(self, token: str) -> str:
        return (await self.tokens.checked(token)).person.user

    async def done(self, *tasks: "asyncio.Task[str]") -> list[str | BaseException]:
        """What becomes of them, while time passes."""

        def turned() -> bool:
            self.clock.advance(0.05)
            return all(task.done() for task in tasks)

        await eventually(turned, within_s=WITHIN_S, what="all are answered")
        return await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """A gateway's tokens that know the first key."""
    clock = VirtualClock()
    async with surroundings(clock) as ports:
        session = FakeSession(ports.signer, clock)
        ports.calls.attach("session", session.app)
        it = World(Tokens(ports, 1_000), session, clock)
        it.tokens.keys = PublicKeys(ports, waiting_max=WAITING)
        running = asyncio.create_task(it.tokens.keys.run())
        await eventually(
            lambda: not it.tokens.keys.lacks() and clock.sleeping(),
            within_s=WITHIN_S,
            what="the keys are known",
        )
        yield it
        running.cancel()


async def test_a_new_key_counts_at_once_when_nobody_asked_lately() -> None:
    async with world() as it:
        it.clock.advance(KEYS_AGAIN_S)
        it.session.keys["k2"] = Ed25519PrivateKey.generate()
        assert await it.asks(kid="k2") == ident("ann")
        assert await it.asks(kid="k1") == ident("ann")
        assert it.session.asked == 2


async def test_a_new_key_that_comes_right_after_a_reading_waits_for_the_next() -> None:
    async with world() as it:
        it.session.keys["k2"] = Ed25519PrivateKey.generate()
        came_s = it.clock.monotonic()
        asking = it.asks(kid="k2")
        assert await it.done(asking) == [ident("ann")]
        assert it.clock.monotonic() - came_s <= KEYS_AGAIN_S + 0.1
        assert it.session.asked == 2


async def test_an_answer_that_was_under_way_before_the_token_came_is_not_the_last_word() -> None:
    async with world() as it:
        it.clock.advance(KEYS_AGAIN_S)
        it.session.goes_on.clear()
        forged = it.asks(kid="invented")
        await eventually(lambda: it.session.asked == 2, within_s=WITHIN_S, what="keys are asked")
        it.clock.advance(0.1)
        it.session.keys["k2"] = Ed25519PrivateKey.generate()
        asking = it.asks(kid="k2")
        it.session.goes_on.set()
        refused, known = await it.done(forged, asking)
        assert isinstance(refused, Refused)
        assert known == ident("ann")
        assert it.session.asked == 3


async def test_invented_key_ids_cost_one_reading_a_second_and_are_all_refused() -> None:
    async with world() as it:
        it.clock.advance(KEYS_AGAIN_S)
        for _ in range(3):
            asked = it.session.asked
            asking = [it.asks(kid=f"x{number}") for number in range(WAITING)]
            assert [type(found) for found in await it.done(*asking)] == [Refused] * WAITING
            assert it.session.asked == asked + 1


async def test_more_than_may_wait_are_told_to_come_again_and_known_keys_go_on() -> None:
    async with world() as it:
        asking = [it.asks(kid=f"x{number}") for number in range(WAITING + 2)]
        assert await it.asks() == ident("ann")
        found = await it.done(*asking)
        assert [type(each) for each in found] == [Refused] * WAITING + [TryAgain] * 2
        assert await it.done(it.asks(kid="k1")) == [ident("ann")]


async def test_a_new_key_is_no_forgery_while_session_does_not_answer() -> None:
    async with world() as it:
        it.session.keys["k2"] = Ed25519PrivateKey.generate()
        it.session.is_away = True
        (away,) = await it.done(it.asks(kid="k2"))
        assert isinstance(away, TryAgain)
        asked = it.session.asked
        assert await it.asks(kid="k1") == ident("ann")
        assert it.session.asked == asked
        it.session.is_away = False
        assert await it.done(it.asks(kid="k2")) == [ident("ann")]


async def test_a_key_is_known_before_it_signs() -> None:
    async with world() as it:
        it.session.keys["k2"] = Ed25519PrivateKey.generate()
        await it.clock.elapse(KEYS_EVERY_S)
        await eventually(lambda: "k2" in it.tokens.keys, within_s=WITHIN_S, what="k2 is known")
        assert it.session.asked == 2


async def test_a_key_that_was_dropped_counts_no_more_also_for_remembered_tokens() -> None:
    async with world() as it:
        token = it.session.token("ann")
        assert await it.user(token) == ident("ann")
        it.session.keys = {"k2": Ed25519PrivateKey.generate()}
        assert await it.user(token) == ident("ann")
        await it.clock.elapse(KEYS_EVERY_S)
        await eventually(lambda: "k1" not in it.tokens.keys, within_s=WITHIN_S, what="k1 is gone")
        (refused,) = await it.done(asyncio.create_task(it.user(token)))
        assert isinstance(refused, Refused)


@pytest.mark.parametrize("pause_s", [0.0, 0.3, KEYS_AGAIN_S, KEYS_EVERY_S])
async def test_a_rotation_refuses_nobody_however_soon_its_steps_follow(pause_s: float) -> None:
    """New block behind the old one, in front of it, alone: after each step come tokens of all keys
    that may have signed what still counts."""
    async with world() as it:
        new = Ed25519PrivateKey.generate()
        old = it.session.keys["k1"]
        steps: tuple[tuple[dict[str, Ed25519PrivateKey], tuple[str, ...]], ...] = (
            ({"k1": old, "k2": new}, ("k1",)),
            ({"k2": new, "k1": old}, ("k1", "k2")),
            ({"k2": new}, ("k2",)),
        )
        for number, (published, signing) in enumerate(steps):
            it.session.keys = published
            asking = [it.asks(f"u{number}", kid) for kid in signing]
            assert await it.done(*asking) == [ident(f"u{number}")] * len(signing)
            await it.clock.elapse(pause_s)
        assert it.clock.monotonic() < LIFE_S_MAX
