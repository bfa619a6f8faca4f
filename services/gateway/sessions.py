"""Who listens by which session: a session that ends ends what listens by it."""

from typing import Protocol

from libs.wire.codes import Problem, Refused


class Listening(Protocol):
    """A parked request or a stream."""

    def end(self, problem: Problem) -> None:
        """Its session ended."""


class Sessions:
    """What listens, by session. Bounded by connections: each listens by one session."""

    def __init__(self) -> None:
        self._listening: dict[str, set[Listening]] = {}

    def enter(self, session: str, listening: Listening) -> None:
        """It listens from now on."""
        self._listening.setdefault(session, set()).add(listening)

    def leave(self, session: str, listening: Listening) -> None:
        """It listens no more. Harmless when it did not."""
        those = self._listening.get(session)
        if those is None:
            return
        those.discard(listening)
        if not those:
            del self._listening[session]

    def end(self, session: str) -> None:
        """The session ended."""
        for listening in self._listening.pop(session, ()):
            listening.end(Refused("token_invalid", "this session was signed out; sign in again"))
