"""The session service's public keys: read again and again, and at once for a key id that is new.

A key counts from when it is published until it is published no more. Nobody is refused because we
have not read it yet: an unknown key id waits for an answer that was asked after it came.
"""

from contextlib import suppress
from typing import Any

import jwt

from libs.runtime.flight import Flight
from libs.runtime.service import Ports
from libs.wire.codec import Malformed, from_json
from libs.wire.codes import Problem, TryAgain
from libs.wire.services import SESSION

KEYS_S = 2.0
# An unknown key id may be a new key: looked up, but not at the rate of whoever invents key ids.
KEYS_AGAIN_S = 1.0
# A key is published a minute before it signs: it is known by then even when one reading fails. One
# that was dropped counts for so long.
KEYS_EVERY_S = 20.0
RETRY_KEYS_S = 0.2
# Each holds a connection for a second or three; more of them are invented rather than new.
WAITING_MAX = 4_096


class PublicKeys:
    """The keys by their ids."""

    def __init__(self, ports: Ports, *, waiting_max: int = WAITING_MAX) -> None:
        self._ports = ports
        self._keys: dict[str, jwt.PyJWK] = {}
        # Readings are numbered as they begin: the newest, its time, and whose keys we have.
        self._begun = 0
        self._begun_s = 0.0
        self._known = 0
        self._reading: Flight[str, None] = Flight(ports.tasks)
        self._turn: Flight[str, None] = Flight(ports.tasks)
        self._waiting = 0
        self._waiting_max = waiting_max

    def lacks(self) -> list[str]:
        """Why tokens cannot be checked yet."""
        return [] if self._keys else ["tokens: the session service's keys are not known"]

    def __contains__(self, ident: str) -> bool:
        return ident in self._keys

    async def get(self, ident: str) -> jwt.PyJWK | None:
        """The key with that id; None when session, asked after this call, publishes none. Raises
        `TryAgain` when it does not answer, or too many wait for it."""
        if ident not in self._keys:
            if self._waiting >= self._waiting_max:
                raise TryAgain("service_away", "too many wait for new keys", retry_after_s=1)
            self._waiting += 1
            try:
                await self._read_after(self._begun, ident)
            finally:
                self._waiting -= 1
        return self._keys.get(ident)

    async def run(self) -> None:
        """Keep them as they are published."""
        while True:
            with suppress(Problem):
                await self._read()
            await self._ports.clock.sleep(KEYS_EVERY_S if self._keys else RETRY_KEYS_S)

    async def _read_after(self, reading: int, ident: str) -> None:
        # Twice at most: an answer that was under way may be from before the key was published.
        while ident not in self._keys and self._known <= reading:
            await self._turn.join("turn", self._read_in_turn)

    async def _read_in_turn(self) -> None:
        # Without any key nobody is served: then whoever comes may try.
        if self._keys:
            next_s = self._begun_s + KEYS_AGAIN_S
            await self._ports.clock.sleep(next_s - self._ports.clock.monotonic())
        await self._read()

    async def _read(self) -> None:
        await self._reading.join("keys", self._fetch)

    async def _fetch(self) -> None:
        self._begun += 1
        self._begun_s = self._ports.clock.monotonic()
        reply = await self._ports.calls.send(SESSION, "GET", "/v1/keys", deadline_s=KEYS_S)
        try:
            document = from_json(reply.body, dict[str, Any])
            found = {key.key_id: key for key in jwt.PyJWKSet.from_dict(document).keys}
        except (Malformed, jwt.PyJWTError) as fault:
            raise TryAgain("service_away", f"the keys of session are no JWKS: {fault}") from fault
        self._keys = {ident: key for ident, key in found.items() if ident is not None}
        # One at a time: this is the newest.
        self._known = self._begun
