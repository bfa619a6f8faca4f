"""Access tokens: checked once against the session service's keys, then remembered by digest."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import jwt
from jwt.types import Options

from libs.runtime.flight import Flight
from libs.runtime.service import Ports
from libs.runtime.web import Person
from libs.wire.codec import Malformed, from_json
from libs.wire.codes import Problem, Refused, TryAgain
from libs.wire.services import SESSION
from libs.wire.tokens import ALGORITHM, AUDIENCE, ISSUER, LIFE_S_MAX, TYP

TOKEN_CHARS_MAX = 4_096
KEYS_S = 2.0
# An unknown key id may be a new key: looked up, but not at the rate of whoever invents key ids.
KEYS_AGAIN_S = 1.0


# Times are compared with our own clock, in `person`, for the remembered tokens as for the new.
CHECKED: Options = {
    "require": ["exp", "iat", "sub", "sid", "aud", "iss"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


class _Checked(NamedTuple):
    person: Person
    expires_s: int


class Tokens:
    """Says who a bearer token belongs to."""

    def __init__(self, ports: Ports, memory: int) -> None:
        self._ports = ports
        self._memory = memory
        self._checked: OrderedDict[bytes, _Checked] = OrderedDict()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._keys_read_s: float | None = None
        self._reading: Flight[str, None] = Flight(ports.tasks)
        self._revoked: OrderedDict[str, None] = OrderedDict()

    async def person(self, authorization: str | None) -> Person:
        """The person of an `Authorization` header. Raises `Refused` (401), or `TryAgain` while the
        keys are not known."""
        token = _bearer(authorization)
        digest = hashlib.sha256(token.encode()).digest()
        known = self._checked.get(digest)
        if known is None:
            known = await self._check(token)
            self._remember(digest, known)
        if known.expires_s <= self._ports.clock.now_ms() / 1000:
            self._checked.pop(digest, None)
            raise Refused("token_expired", "refresh the session and send the new access token")
        if known.person.session in self._revoked:
            raise Refused("token_invalid", "this session was signed out; sign in again")
        return known.person

    def revoke(self, session: str) -> None:
        """The session ended: its tokens count no more."""
        self._revoked[session] = None
        while len(self._revoked) > self._memory:
            self._revoked.popitem(last=False)

    def lacks(self) -> list[str]:
        """Why tokens cannot be checked yet."""
        return [] if self._keys else ["tokens: the session service's keys are not known"]

    async def read_keys(self) -> None:
        """Fetch the session service's keys, once for all who ask meanwhile. Raises `TryAgain` when
        it does not answer."""
        await self._reading.join("keys", self._fetch_keys)

    async def _fetch_keys(self) -> None:
        reply = await self._ports.calls.send(SESSION, "GET", "/v1/keys", deadline_s=KEYS_S)
        self._keys_read_s = self._ports.clock.monotonic()
        try:
            document = from_json(reply.body, dict[str, Any])
            found = {key.key_id: key for key in jwt.PyJWKSet.from_dict(document).keys}
        except (Malformed, jwt.PyJWTError) as fault:
            raise TryAgain("service_away", f"the keys of session are no JWKS: {fault}") from fault
        self._keys = {ident: key for ident, key in found.items() if ident is not None}

    async def try_keys(self) -> None:
        """`read_keys`, for a loop that tries until it works."""
        with suppress(Problem):
            await self.read_keys()

    async def _check(self, token: str) -> _Checked:
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(
                token,
                await self._key(header),
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options=CHECKED,
            )
        except (jwt.PyJWTError, ValueError) as fault:
            # The text may quote the token: what is no Unicode in there must not get into JSON.
            why = ascii(str(fault))
            raise Refused("token_invalid", f"the access token does not hold: {why}") from fault
        if claims["exp"] - claims["iat"] > LIFE_S_MAX:
            raise Refused("token_invalid", "the token would live longer than any of ours")
        return _Checked(Person(str(claims["sub"]), str(claims["sid"])), int(claims["exp"]))

    async def _key(self, header: Mapping[str, Any]) -> jwt.PyJWK:
        if header.get("typ") != TYP or header.get("alg") != ALGORITHM:
            raise Refused("token_invalid", "this is no access token of ours")
        ident = str(header.get("kid"))
        if ident not in self._keys and self._may_read_keys():
            await self.read_keys()
        if ident not in self._keys:
            raise Refused("token_invalid", "the token is signed with a key that is not ours")
        return self._keys[ident]

    def _may_read_keys(self) -> bool:
        if self._keys_read_s is None:
            return True
        return self._ports.clock.monotonic() - self._keys_read_s >= KEYS_AGAIN_S

    def _remember(self, digest: bytes, checked: _Checked) -> None:
        self._checked[digest] = checked
        while len(self._checked) > self._memory:
            self._checked.popitem(last=False)


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused("token_missing", "send the access token as 'Authorization: Bearer <token>'")
    if len(token) > TOKEN_CHARS_MAX:
        raise Refused("token_invalid", "the token is longer than any of ours")
    return token
