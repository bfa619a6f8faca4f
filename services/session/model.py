"""Rules of accounts, sessions and refresh tokens.

A refresh token is `<session>.<43 characters>`, opaque to clients. The log holds SHA-256 of the
present one and of the one before.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from typing import Any, Literal

from libs.wire.codes import Refused
from libs.wire.ids import is_id
from libs.wire.records import SessionState

# What can be typed on every keyboard and stands in a mention; case tells no two people apart.
HANDLE_PATTERN = "^[A-Za-z][A-Za-z0-9_]{2,31}$"
HANDLE_CHARS_MAX = 32
# Eight is the least that NIST SP 800-63B allows; the most bounds what one request makes us hash.
PASSWORD_CHARS_MIN = 8
PASSWORD_CHARS_MAX = 128
# Names are shown in lists: one line.
NAME_CHARS_MAX = 64
DEVICE_KIND_CHARS_MAX = 32
REFRESH_CHARS_MAX = 128
SECRET_BYTES = 32
# A response may be lost: the token before counts this long after it was replaced.
TOLERANCE_MS = 10_000

_FORM = re.compile(r"([0-9A-Z]{26})\.[A-Za-z0-9_-]{43}")

_HANDLE = re.compile(HANDLE_PATTERN)

Verdict = Literal["rotate", "repeat", "reused"]


def kept_handle(handle: str) -> str | None:
    """The handle as sign-up keeps it; None for text that is none, which therefore nobody has."""
    return handle.lower() if _HANDLE.fullmatch(handle) else None


def refresh_token(session: str, secret: bytes) -> str:
    """The token of a session with a secret of `SECRET_BYTES`."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a refresh token needs {SECRET_BYTES} bytes, not {len(secret)}")
    return f"{session}.{urlsafe_b64encode(secret).rstrip(b'=').decode()}"


def session_of(token: str) -> str:
    """The session that a refresh token names. Raises `Refused` for text of another form."""
    found = _FORM.fullmatch(token)
    if found is None or not is_id(found[1]):
        raise not_valid()
    return found[1]


def digest(token: str) -> bytes:
    """What is kept of a refresh token: it is random, so a plain hash tells nothing."""
    return hashlib.sha256(token.encode()).digest()


def successor(token: str, key: bytes) -> str:
    """The token that follows: the same one however often it is asked for, so that a repeated
    request, here or at another instance, gets what the first one got."""
    return refresh_token(session_of(token), hmac.digest(key, token.encode(), hashlib.sha256))


def judge(state: SessionState, given: bytes, now_ms: int) -> Verdict:
    """What a refresh token of this digest deserves. Whoever shows a token of the session that is
    neither the present nor just replaced has an old one: two parties hold this session's tokens."""
    if hmac.compare_digest(given, state.refresh_hash):
        return "rotate"
    is_previous = hmac.compare_digest(given, state.previous_hash)
    if is_previous and now_ms - state.rotated_ms <= TOLERANCE_MS:
        return "repeat"
    return "reused"


def rotated(state: SessionState, *, present: bytes, given: bytes, now_ms: int) -> SessionState:
    """The state after the token of digest `given` was replaced by that of `present`."""
    return _with(state, refresh_hash=present, previous_hash=given, rotated_ms=now_ms)


def ended(state: SessionState) -> SessionState:
    """The state after sign-out: no token counts any more."""
    return _with(state, refresh_hash=b"", previous_hash=b"", ended=True)


def not_valid() -> Refused:
    """The one answer to every refresh token that does not count."""
    return Refused("refresh_invalid", "the refresh token does not count (any more); sign in again")


def _with(state: SessionState, **changes: Any) -> SessionState:
    fields = {name: getattr(state, name) for name in state.__struct_fields__}
    return SessionState(**(fields | changes))
