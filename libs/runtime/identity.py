"""Who asks: made at the gateway, carried between services in one signed header.

`X-Rostrum-Identity: <base64url(msgpack)>.<base64url(HMAC-SHA256)>`. The key is the deployment's;
the same header from outside is never forwarded. It is good for a minute, so that one that leaked
into a log is worth nothing.

What else the deployment gives out and takes back is sealed: the same form, with a key of its own
for each purpose, so that nothing that was made for one of them counts for another.
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
        # By purpose: the program has a handful of them.
        self._sealing: dict[str, bytes] = {}

    def sign(self, identity: Identity, now_ms: int) -> str:
        """The header's value."""
        signed = _Signed(identity.caller, identity.user, identity.session, now_ms + LIFE_MS)
        return _signed(pack(signed), self._key)

    def verify(self, header: str, now_ms: int) -> Identity:
        """The identity in a header's value. Raises `Forged`."""
        body = _opened(header, self._key)
        try:
            signed = unpack(body, _Signed)
        except Malformed as fault:
            raise Forged("not an identity") from fault
        if signed.expires_ms < now_ms:
            raise Forged("too old")
        return Identity(signed.caller, signed.user, signed.session)

    def seal(self, purpose: str, body: bytes) -> str:
        """`body`, readable by everybody and made by us, for one purpose. URL-safe text."""
        return _signed(body, self._key_for(purpose))

    def unseal(self, purpose: str, text: str) -> bytes:
        """The body that was sealed for that purpose. Raises `Forged`."""
        return _opened(text, self._key_for(purpose))

    def _key_for(self, purpose: str) -> bytes:
        known = self._sealing.get(purpose)
        if known is None:
            # No identity's body begins so (it is a msgpack array): no header gives a key away.
            begin = b"rostrum seal " + purpose.encode()
            known = self._sealing[purpose] = hmac.digest(self._key, begin, hashlib.sha256)
        return known


def _signed(body: bytes, key: bytes) -> str:
    return f"{_text(body)}.{_text(hmac.digest(key, body, hashlib.sha256))}"


def _opened(text: str, key: bytes) -> bytes:
    try:
        body = urlsafe_b64decode(text.partition(".")[0])
        given = text.encode()
    except ValueError as fault:
        raise Forged("not in our form") from fault
    # The text is compared, not what it decodes to: base64 has several texts for the same bytes.
    if not hmac.compare_digest(given, _signed(body, key).encode()):
        raise Forged("the signature is not ours")
    return body


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode()
