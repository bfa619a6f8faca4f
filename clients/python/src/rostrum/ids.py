"""Ids in paths, and ids of posts."""

import re
import secrets

_IDENT = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
# 22 characters: no two posts of one person share it by chance.
CLIENT_ID_BYTES = 16


def in_path(ident: str) -> str:
    """An id as it may stand in a path. Raises `ValueError` for text that would change the path."""
    if _IDENT.fullmatch(ident) is None:
        raise ValueError(f"{ident[:80]!r} is not an id: give one as it was received")
    return ident


def new_client_id() -> str:
    """A name for one post, or for one channel that is made."""
    return secrets.token_urlsafe(CLIENT_ID_BYTES)
