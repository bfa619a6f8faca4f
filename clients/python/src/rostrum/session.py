"""A session: who one is, and the tokens that say so. Where it is kept between two runs."""

import base64
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from rostrum.model import User

# A token is renewed so long before it expires: a request may be under way, and clocks differ.
RENEW_BEFORE_S = 60.0
# Of a token that holds for less than three minutes, as tests have them, two thirds are used.
RENEW_BEFORE_PART = 1 / 3


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in device. `expires_at` and `renew_at` are seconds since 1970 by this machine's
    clock, None when it is not known or will not be. `refresh_token` is None for a bare access
    token, which ends when it expires. It counts once: programs share it through a `SessionStore`
    and never by copying it."""

    access_token: str
    refresh_token: str | None = None
    id: str = ""
    expires_at: float | None = None
    renew_at: float | None = None
    user: User | None = None

    @property
    def user_id(self) -> str:
        """Who is signed in; empty when a bare token does not say it."""
        return "" if self.user is None else self.user.id

    @classmethod
    def of_token(cls, token: str) -> "Session":
        """A session of a bare access token: good until it expires, never renewed. Raises
        `ValueError` for what cannot be a token."""
        if not token or not all("!" <= character <= "~" for character in token):
            raise ValueError("an access token is one word of visible ASCII characters")
        said = _said(token)
        return cls(
            access_token=token,
            id=said.sid,
            expires_at=said.exp,
            user=User(id=said.sub) if said.sub else None,
        )

    def is_due(self, now_s: float) -> bool:
        """Whether it is to be renewed."""
        return self.renew_at is not None and now_s >= self.renew_at

    def is_over(self, now_s: float) -> bool:
        """Whether its access token has expired."""
        return self.expires_at is not None and now_s >= self.expires_at

    def __repr__(self) -> str:
        # What holds a token is often printed, and a log is no place for one.
        return f"Session(id={self.id!r}, user={self.user!r}, expires_at={self.expires_at!r})"


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway answers to a sign-in or refresh. `expires_in`: seconds."""

    session_id: str
    access_token: str
    refresh_token: str
    expires_in: float
    user: User

    def session(self, asked_s: float) -> Session:
        """The session, of tokens that were asked for at `asked_s` (seconds since 1970)."""
        before_s = min(RENEW_BEFORE_S, self.expires_in * RENEW_BEFORE_PART)
        expires_at = asked_s + self.expires_in
        return Session(
            access_token=self.access_token,
            refresh_token=self.refresh_token,
            id=self.session_id,
            expires_at=expires_at,
            renew_at=expires_at - before_s,
            user=self.user,
        )


class SessionStore(Protocol):
    """Where a session is kept, for one program or several."""

    def load(self) -> Session | None:
        """What was saved last; None when nothing was, or it was forgotten."""

    def save(self, session: Session | None) -> None:
        """Keep it (None: forget it). What was saved is there after any crash once this returns."""

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Nobody else who uses the same place is in here meanwhile."""


class _Claims(msgspec.Struct):
    sub: str = ""
    sid: str = ""
    exp: float | None = None


def _said(token: str) -> _Claims:
    """What a token says of itself: a hint when to renew it, not whether it holds."""
    payload = token.split(".")[1:2]
    try:
        raw = base64.urlsafe_b64decode("".join(payload) + "==")
        return msgspec.json.decode(raw, type=_Claims)
    except (ValueError, msgspec.MsgspecError):
        return _Claims()
