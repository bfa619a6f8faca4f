"""The keys that sign access tokens: Ed25519, in one secret file of one or more PEM blocks.

The first block signs, all of them are published. To change the key put the new block behind the old
one on every instance, a minute later in front of it, and ten minutes later drop the old one.
"""

import hashlib
import hmac
import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jwt
from jwt.algorithms import OKPAlgorithm

from libs.runtime.secrets import random_key
from libs.wire.codec import to_json
from libs.wire.tokens import ALGORITHM, AUDIENCE, ISSUER, TYP

SECRET_FILE = "session-signing.pem"

_BLOCK = re.compile(rb"-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----")
# RFC 8410: a PKCS #8 Ed25519 key is these bytes and then the 32 of the seed.
_PKCS8_HEAD = bytes.fromhex("302e020100300506032b657004220420")
_SEED_BYTES = 32


class _Key(NamedTuple):
    private: Any
    public: Mapping[str, str]
    refresh: bytes


class Keys:
    """Signs with the first key of a secret. Raises `ValueError` for a secret of another form."""

    def __init__(self, secret: bytes) -> None:
        self._keys = [_key(body) for body in _BLOCK.findall(secret)]
        if not self._keys or len(self._keys) != secret.count(b"-----BEGIN "):
            raise ValueError(
                f"{SECRET_FILE} must hold Ed25519 keys in PKCS #8 PEM and nothing else"
            )

    def public(self) -> Sequence[Mapping[str, str]]:
        """The public halves as JWKs."""
        return [key.public for key in self._keys]

    def refresh_keys(self) -> Sequence[bytes]:
        """Secrets that refresh tokens are derived with, the present one first."""
        return [key.refresh for key in self._keys]

    def access_token(self, user: str, session: str, *, now_s: int, life_s: int) -> str:
        """A JWT that says until `now_s + life_s` (seconds since 1970) who its bearer is."""
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user,
            "sid": session,
            "iat": now_s,
            "exp": now_s + life_s,
        }
        first = self._keys[0]
        headers = {"typ": TYP, "kid": first.public["kid"]}
        return jwt.encode(claims, first.private, algorithm=ALGORITHM, headers=headers)


def fresh_secret() -> bytes:
    """A secret file with one new key."""
    body = b64encode(_PKCS8_HEAD + random_key())
    return b"-----BEGIN PRIVATE KEY-----\n" + body + b"\n-----END PRIVATE KEY-----\n"


def _key(body: bytes) -> _Key:
    raw = b64decode(b"".join(body.split()))
    seed = raw.removeprefix(_PKCS8_HEAD)
    if len(seed) != _SEED_BYTES or len(raw) != len(_PKCS8_HEAD) + _SEED_BYTES:
        raise ValueError(f"{SECRET_FILE} holds a key that is not Ed25519 in PKCS #8")
    pem = b"-----BEGIN PRIVATE KEY-----\n" + b64encode(raw) + b"\n-----END PRIVATE KEY-----\n"
    private: Any = OKPAlgorithm().prepare_key(pem)
    point = OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)["x"]
    # RFC 7638: the key's id is the hash of its members in alphabetical order.
    members = {"crv": "Ed25519", "kty": "OKP", "x": point}
    kid = urlsafe_b64encode(hashlib.sha256(to_json(members)).digest()).rstrip(b"=").decode()
    public = {**members, "kid": kid, "use": "sig", "alg": ALGORITHM}
    # Another purpose gets another key: what one of them gives away is of no use for the other.
    return _Key(private, public, hmac.digest(seed, b"rostrum refresh", hashlib.sha256))
