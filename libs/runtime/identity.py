"""Who asks: made at the gateway, carried between services in one signed header.

`X-Rostrum-Identity: <base64url(msgpack)>.<base64url(HMAC-SHA256)>`. The key is the deployment's;
the same header from outside is never forwarded. It is good for a minute, so that one that leaked
into a log is worth nothing.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

from libs.wire.codec import Malformed, Struct, pack, unpack

HEADER = "x-rostrum-identity"
LIFE_MS = 60_000


class Identity(Struct, frozen=True):
    """The calling service, and the user and session that it calls for (None: for itself)."""

    caller: str
    user: str | None = None
    session: str | None = None


class _Signed(Struct, array_like=True, frozen=True):
    caller: str
    user: str | None
    session: str | None
    expires_ms: int


class Forged(Exception):
    """The header is missing, not ours, or too old."""


class Signer:
    """Signs and checks identities with the deployment's key (32 bytes)."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, identity: Identity, now_ms: int) -> str:
        """The header's value."""
        signed = _Signed(identity.caller, identity.user, identity.session, now_ms + LIFE_MS)
        return self._signed(pack(signed))

    def verify(self, header: str, now_ms: int) -> Identity:
        """The identity in a header's value. Raises `Forged`."""
        try:
            body = urlsafe_b64decode(header.partition(".")[0])
            given = header.encode()
        except ValueError as fault:
            raise Forged("not an identity") from fault
        # The text is compared, not what it decodes to: base64 has several texts for the same bytes.
        if not hmac.compare_digest(given, self._signed(body).encode()):
            raise Forged("the signature is not ours")
        try:
            signed = unpack(body, _Signed)
        except Malformed as fault:
            raise Forged("not an identity") from fault
        if signed.expires_ms < now_ms:
            raise Forged("too old")
        return Identity(signed.caller, signed.user, signed.session)

    def _signed(self, body: bytes) -> str:
        return f"{_text(body)}.{_text(hmac.digest(self._key, body, hashlib.sha256))}"


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode()
