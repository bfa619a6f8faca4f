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
        # Most have one of them: a set for each would take 200 bytes.
        self._listening: dict[str, Listening | set[Listening]] = {}

    def enter(self, session: str, listening: Listening) -> None:
        """It listens from now on."""
        those = self._listening.setdefault(session, listening)
        if isinstance(those, set):
            those.add(listening)
        elif those is not listening:
            self._listening[session] = {those, listening}

    def leave(self, session: str, listening: Listening) -> None:
        """It listens no more. Harmless when it did not."""
        those = self._listening.get(session)
        if isinstance(those, set):
            those.discard(listening)
            if len(those) == 1:
                self._listening[session] = those.pop()
        elif those is listening:
            del self._listening[session]

    def end(self, session: str) -> None:
        """The session ended."""
        those = self._listening.pop(session, set())
        for listening in those if isinstance(those, set) else {those}:
            listening.end(Refused("token_invalid", "this session was signed out; sign in again"))
