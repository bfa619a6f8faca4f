"""Sessions of people who are no accounts: signed here again and again, or given as they are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cli.loading.words import Person
from cli.signing import Signatory, Signed
from libs.runtime.clock import SystemClock
from libs.wire.tokens import LIFE_S_MAX
from rostrum import Client, Session, SessionStore, User

# Half of a life: a follower says so to its gateway, which takes it without a pause.
RENEW_S = LIFE_S_MAX / 2


class SignedSessions:
    """`SessionStore` of one person: whoever loads is given a token that holds for long."""

    def __init__(self, signatory: Signatory, user: str) -> None:
        self._signatory = signatory
        self._clock = SystemClock()
        self._signed = signatory.sign(user, LIFE_S_MAX)

    def load(self) -> Session:
        """See `SessionStore`."""
        if self._clock.now_ms() / 1000 >= self._signed.expires_at - RENEW_S:
            self._signed = self._signatory.sign(
                self._signed.user, LIFE_S_MAX, session=self._signed.session
            )
        return _session(self._signed)

    def save(self, session: Session | None) -> None:
        """See `SessionStore`. Nothing is kept: what is signed is there."""

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """See `SessionStore`. Nobody else is there."""
        yield


def client_of(url: str, person: Person, signatory: Signatory | None) -> Client:
    """A client of the person, not entered yet."""
    if person.token is not None:
        return Client(url, session=Session.of_token(person.token))
    assert signatory is not None, "who has no token is signed for"
    sessions: SessionStore = SignedSessions(signatory, person.user)
    return Client(url, sessions=sessions)


def _session(signed: Signed) -> Session:
    return Session(
        access_token=signed.token,
        id=signed.session,
        expires_at=signed.expires_at,
        renew_at=signed.expires_at - RENEW_S,
        user=User(id=signed.user),
    )
