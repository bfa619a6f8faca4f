"""Access tokens: checked once against the session service's keys, then remembered by digest."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import jwt

from libs.runtime.service import Ports
from libs.runtime.web import Person
from libs.wire.codec import Malformed, Struct, from_json
from libs.wire.codes import Refused
from libs.wire.ids import is_id
from libs.wire.tokens import ALGORITHM, AUDIENCE, ISSUER, LIFE_S_MAX, TYP

from .keys import PublicKeys
from .turns import Turns

TOKEN_CHARS_MAX = 4_096
# One text for each token: no padding, which the library would forgive.
FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# The clocks of two machines differ by less. A token from further ahead would outlive what is
# remembered of revocations.
AHEAD_S = 60
# Signatures in one turn of the loop: each takes some 0.1 ms of a core.
CHECKS = 32
# What ours have. A header that says more (`crit`, `zip`, `jwk`) wants something else of us.
HEADER = {"alg", "typ", "kid"}

_SIGNATURES = jwt.PyJWS()


class Checked(NamedTuple):
    """Whose a credential is, until when it counts (seconds since 1970), and by which key: none for
    a ticket."""

    person: Person
    expires_s: int
    key: str = ""


class _Claims(Struct, frozen=True):
    iss: str
    aud: str
    sub: str
    sid: str
    iat: int
    exp: int
    nbf: int = 0


class Tokens:
    """Says who an access token belongs to. `on_revoked` are told of each session that ends."""

    def __init__(self, ports: Ports, memory: int) -> None:
        self.keys = PublicKeys(ports)
        self.on_revoked: list[Callable[[str], None]] = []
        self._turns = Turns(CHECKS)
        self._clock = ports.clock
        self._memory = memory
        self._remembered: OrderedDict[bytes, Checked] = OrderedDict()
        self._revoked: OrderedDict[str, None] = OrderedDict()

    async def person(self, authorization: str | None) -> Person:
        """The person of an `Authorization` header. Raises as `checked` does."""
        return (await self.checked(bearer(authorization))).person

    async def checked(self, token: str) -> Checked:
        """Whose token it is, from wherever it came. Raises `Refused` (401), or `TryAgain` while the
        keys are not known."""
        digest = _digest(token)
        known = self._known(digest)
        if known is None:
            known = await self._check(token)
        return self._counted(digest, known)

    def remembered(self, token: str) -> Checked | None:
        """What `checked` says, at once; None when it has to be checked. Raises `Refused` (401)."""
        # What is remembered had the form of a token when it came first.
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known(digest)
        if known is not None:
            return self._counted(digest, known)
        _digest(token)
        return None

    def holds(self, checked: Checked) -> bool:
        """Whether a token that was checked before still counts, by its key and time and session."""
        return checked.key in self.keys and self.refusal(checked) is None

    def refusal(self, checked: Checked) -> Refused | None:
        """Why what was checked before counts no more; None while it does. Whoever is to be told by
        `on_revoked` asks this first, with no await between the question and its registration."""
        if checked.expires_s <= self._clock.now_ms() / 1000:
            return Refused("token_expired", "refresh the session and send the new access token")
        if checked.person.session in self._revoked:
            return Refused("token_invalid", "this session was signed out; sign in again")
        return None

    def revoke(self, session: str) -> None:
        """The session ended: its tokens count no more."""
        self._revoked[session] = None
        while len(self._revoked) > self._memory:
            self._revoked.popitem(last=False)
        for tell in self.on_revoked:
            tell(session)

    def _known(self, digest: bytes) -> Checked | None:
        known = self._remembered.get(digest)
        return known if known is not None and known.key in self.keys else None

    def _counted(self, digest: bytes, known: Checked) -> Checked:
        fault = self.refusal(known)
        if fault is not None:
            raise fault
        self._remember(digest, known)
        return known

    async def _check(self, token: str) -> Checked:
        try:
            header = jwt.get_unverified_header(token)
            key = await self._key(header)
            await self._turns.mine()
            signed = _SIGNATURES.decode_complete(token, key, algorithms=[ALGORITHM])
            claims = from_json(signed["payload"], _Claims)
        except (jwt.PyJWTError, Malformed) as fault:
            # The text may quote the token: what is no Unicode in there must not get into JSON.
            raise _invalid(ascii(str(fault))) from fault
        self._judge(claims)
        return Checked(Person(claims.sub, claims.sid), claims.exp, header["kid"])

    async def _key(self, header: dict[str, Any]) -> jwt.PyJWK:
        is_ours = set(header) == HEADER and header["typ"] == TYP and header["alg"] == ALGORITHM
        if not is_ours:
            raise _invalid("its header is none of ours")
        key = await self.keys.get(header["kid"])
        if key is None:
            raise _invalid("it is signed with a key that is not ours")
        return key

    def _judge(self, claims: _Claims) -> None:
        if claims.iss != ISSUER or claims.aud != AUDIENCE:
            raise _invalid("it is from somebody else, or for somebody else")
        if not is_id(claims.sub) or not is_id(claims.sid):
            raise _invalid("it names no user and session of ours")
        if not 0 < claims.exp - claims.iat <= LIFE_S_MAX:
            raise _invalid("it would live longer than any of ours, or not at all")
        if max(claims.iat, claims.nbf) > self._clock.now_ms() / 1000 + AHEAD_S:
            raise _invalid("it is from the future; compare the clocks of session and gateway")

    def _remember(self, digest: bytes, known: Checked) -> None:
        self._remembered[digest] = known
        while len(self._remembered) > self._memory:
            self._remembered.popitem(last=False)


def bearer(authorization: str | None) -> str:
    """The token of an `Authorization` header. Raises `Refused` (`token_missing`)."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused("token_missing", "send the access token as 'Authorization: Bearer <token>'")
    return token


def _digest(token: str) -> bytes:
    """Raises `Refused` for what has not the form of a token."""
    if len(token) > TOKEN_CHARS_MAX or FORM.fullmatch(token) is None:
        raise _invalid("it is longer than any of ours, or not of three parts in base64url")
    return hashlib.sha256(token.encode()).digest()


def _invalid(why: str) -> Refused:
    return Refused("token_invalid", f"the access token does not hold: {why}")
