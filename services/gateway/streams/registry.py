"""All streams of a gateway: who has to go, and when."""

from collections.abc import Iterator

from libs.runtime.clock import Clock
from libs.wire.streams import Beat

from ..metrics import STREAMS_CLOSED
from ..sessions import Sessions
from .closing import EXPIRED, GONE, SLOW
from .stream import Stream

# A client that takes nothing for so long is closed; it finds all in the log when it comes again.
STUCK_S = 10.0
# A token that has expired may be renewed for so long.
GRACE_S = 60
# Proxies cut what is silent for a minute, and clients want to know that we live.
BEAT_EVERY_TICKS = 25


class Registry:
    """Streams that are open."""

    def __init__(self, sessions: Sessions, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock
        self._open: dict[Stream, str] = {}
        self._ticks = 0

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Stream]:
        return iter(list(self._open))

    def enter(self, stream: Stream) -> None:
        """A stream begins. To be called in one step with the question whether its session lives."""
        session = stream.person.session
        self._open[stream] = session
        self._sessions.enter(session, stream)

    def leave(self, stream: Stream) -> None:
        """A stream has ended."""
        stream.gone()
        session = self._open.pop(stream, None)
        if session is not None:
            self._sessions.leave(session, stream)
            code = GONE.code if stream.closing is None else stream.closing.code
            STREAMS_CLOSED.labels(str(code)).inc()

    def buffered(self) -> int:
        """Bytes that wait for clients who do not take them."""
        return sum(each.outbox.waiting for each in self._open)

    def tick(self) -> None:
        """Once a second: close who is stuck or has no token any more, and tell the others that we
        live."""
        self._ticks += 1
        now_s = self._clock.now_ms() / 1000
        for stream in self:
            if stream.outbox.stuck_s() > STUCK_S:
                stream.close(SLOW)
            elif stream.expires_s + GRACE_S <= now_s:
                stream.close(EXPIRED)
            elif (id(stream) >> 4) % BEAT_EVERY_TICKS == self._ticks % BEAT_EVERY_TICKS:
                # Not all in one second: tens of thousands of frames are a long turn.
                stream.say(Beat())
