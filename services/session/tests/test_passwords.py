"""Hashing passwords within bounds."""

import asyncio
from dataclasses import replace

import pytest

from libs.wire.codes import TryAgain
from services.session.metrics import HASHES_INSIDE
from services.session.passwords import Passwords
from services.session.tests.desk import CHEAP


async def test_only_the_right_password_matches() -> None:
    passwords = Passwords(CHEAP)
    known = await passwords.hash("right one")
    assert known.startswith("$argon2id$v=19$m=8192,t=1,p=1$")
    assert await passwords.verify("right one", known)
    assert not await passwords.verify("wrong one", known)


async def test_nobodys_password_is_never_right() -> None:
    assert not await Passwords(CHEAP).verify("", None)


async def test_who_finds_the_waiting_room_full_is_told_to_come_back() -> None:
    passwords = Passwords(replace(CHEAP, hashes_at_once=1, hashes_waiting=1))
    answers = await asyncio.gather(
        *(passwords.verify("x", None) for _ in range(3)), return_exceptions=True
    )
    assert answers[:2] == [False, False]
    assert isinstance(answers[2], TryAgain)
    assert (answers[2].code.name, answers[2].retry_after_s) == ("limit_hit", 1)
    assert not await passwords.verify("x", None), "there is room again"


async def test_who_goes_away_leaves_the_room() -> None:
    passwords = Passwords(replace(CHEAP, hashes_at_once=1, hashes_waiting=0))
    before = HASHES_INSIDE._value.get()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await passwords.verify("x", None)
    assert HASHES_INSIDE._value.get() == before
    assert not await passwords.verify("x", None)
