"""Ids: 26 characters of Crockford base32 holding 128 bits (the ULID form).

A fresh id starts with its time, so ids sort by age. A derived id is a hash of what makes the thing
unique, so that a retry names the same thing again.
"""

import hashlib
import re
from typing import NewType

UserId = NewType("UserId", str)
ChannelId = NewType("ChannelId", str)
SessionId = NewType("SessionId", str)

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FORM = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
# The same digits as `int` writes them: it reads a whole id faster than we could letter by letter.
_DIGITS = str.maketrans(_ALPHABET, "0123456789ABCDEFGHIJKLMNOPQRSTUV")

ID_PATTERN = f"^{_FORM.pattern}$"
ENTROPY_BYTES = 10
_TIME_LIMIT_MS = 1 << 48


def fresh(now_ms: int, entropy: bytes) -> str:
    """A new id from wall time in milliseconds and `ENTROPY_BYTES` random bytes."""
    if not 0 <= now_ms < _TIME_LIMIT_MS or len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"an id needs 48 bits of time and {ENTROPY_BYTES} bytes of entropy")
    return from_bytes(now_ms.to_bytes(6) + entropy)


def derived(*parts: str) -> str:
    """The id that `parts` always give. Parts are length-prefixed, so ("a", "bc") != ("ab", "c")."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode()
        digest.update(len(raw).to_bytes(4) + raw)
    return from_bytes(digest.digest()[:16])


def is_id(text: str) -> bool:
    """Whether `text` has the form of an id; nothing is said about its existence."""
    return _FORM.fullmatch(text) is not None


def to_bytes(ident: str) -> bytes:
    """The 16 bytes behind an id: what keys and maps hold when memory counts."""
    if not is_id(ident):
        raise ValueError(f"not an id: {ident!r}")
    return int(ident.translate(_DIGITS), 32).to_bytes(16)


def from_bytes(raw: bytes) -> str:
    """The id of 16 bytes; the inverse of `to_bytes`."""
    if len(raw) != 16:
        raise ValueError(f"an id has 16 bytes, not {len(raw)}")
    value = int.from_bytes(raw)
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))
