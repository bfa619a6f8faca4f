"""Passwords are hashed with argon2id, in threads, a few at once; the waiting room is bounded."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from libs.wire.codes import TryAgain

from .metrics import HASHES_INSIDE
from .settings import Settings

T = TypeVar("T")

# When the room is full it holds about 3 s of work; a second later some of it is done.
RETRY_AFTER_S = 1


class Passwords:
    """Hashes and verifies. Both raise `TryAgain` (`limit_hit`) when too many wait already."""

    def __init__(self, settings: Settings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.hash_passes,
            memory_cost=settings.hash_memory_kib,
            parallelism=settings.hash_lanes,
        )
        self._nobody = _hash_of_nothing(settings)
        self._slots = asyncio.Semaphore(settings.hashes_at_once)
        self._inside_max = settings.hashes_at_once + settings.hashes_waiting
        self._inside = 0

    async def hash(self, password: str) -> str:
        """The encoded hash, with its parameters and salt."""
        return await self._work(partial(self._hasher.hash, password))

    async def verify(self, password: str, known: str | None) -> bool:
        """Whether `known` is a hash of the password. Without one the same work is done in vain, so
        that time does not tell whether there is an account."""
        return await self._work(partial(self._matches, known or self._nobody, password))

    def _matches(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except VerifyMismatchError:
            return False

    async def _work(self, job: Callable[[], T]) -> T:
        if self._inside >= self._inside_max:
            raise TryAgain(
                "limit_hit", "too many sign in at this moment", retry_after_s=RETRY_AFTER_S
            )
        self._inside += 1
        HASHES_INSIDE.inc()
        try:
            async with self._slots:
                return await asyncio.to_thread(job)
        finally:
            self._inside -= 1
            HASHES_INSIDE.dec()


def _hash_of_nothing(settings: Settings) -> str:
    """A hash in the encoded form (16 bytes of salt, 32 of hash, all zero) that no password has."""
    costs = f"m={settings.hash_memory_kib},t={settings.hash_passes},p={settings.hash_lanes}"
    return f"$argon2id$v=19${costs}${'A' * 22}${'A' * 43}"
