"""A stream after its hello: what it follows, what waits to be written, and how it ends."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from sys import intern
from typing import Protocol

from libs.runtime.clock import Clock
from libs.runtime.tasks import Tasks
from libs.runtime.web import Person
from libs.wire import cursor as cursors
from libs.wire.codes import Problem, Refused
from libs.wire.ids import is_id
from libs.wire.streams import Drain, FromGateway, error_of, unwatched_of

from ..answers import Form, framed
from ..limits import Limits
from ..polls import Polls
from .closing import DRAINED, GONE, SLOW, Closing, closing_of
from .outbox import Carrier, Outbox
from .watch import Watch


@dataclass(frozen=True)
class Surroundings:
    """What all streams of a gateway share."""

    clock: Clock
    tasks: Tasks
    limits: Limits
    polls: Polls


class Connection(Carrier, Protocol):
    """What a stream is to its connection."""

    def end(self) -> None:
        """The stream has to be closed, as `closing` says: soon, not within the call."""


class Stream:
    """A client's stream. `closing` says how it ends, once it has to."""

    __slots__ = (
        "_about",
        "_connection",
        "_settling",
        "_watches",
        "closing",
        "expires_s",
        "form",
        "outbox",
        "person",
    )

    def __init__(
        self, person: Person, form: Form, about: Surroundings, connection: Connection
    ) -> None:
        self.person = person
        self.form = form
        self.outbox = Outbox(connection, about.clock)
        self.closing: Closing | None = None
        # Until when the token holds, in seconds since 1970.
        self.expires_s = 0
        self._about = about
        self._connection = connection
        self._watches: dict[str, Watch] = {}
        self._settling = 0

    def __len__(self) -> int:
        return len(self._watches)

    def watch(self, wanted: Mapping[str, str | None]) -> None:
        """Follow channels from these cursors; one that is followed already begins anew."""
        for name, text in wanted.items():
            # Those who follow the same share the name.
            channel = intern(name)
            self._leave(channel)
            try:
                if not is_id(channel):
                    raise Refused("channel_unknown", "there is no channel with this id")
                cursor = cursors.parse(text) if text is not None else None
                # Those that were left and are not settled yet count as well: one channel that is
                # watched again and again would be as many tasks as a client likes.
                self._about.limits.watch(max(len(self._watches), self._settling))
            except Problem as refused:
                self.say(unwatched_of(channel, refused))
                continue
            watch = Watch(self, self.person.user, channel, at=cursor)
            self._watches[channel] = watch
            self._settle(watch, cursor)

    def unwatch(self, channels: Iterable[str]) -> None:
        """Follow these no more."""
        for channel in channels:
            self._leave(channel)

    def put(self, watch: Watch, body: bytes) -> bool:
        """See `Reader`."""
        del watch
        return self.outbox.put(body)

    def say(self, frame: FromGateway) -> None:
        """See `Reader`. Who does not read this either is closed."""
        if not self.outbox.push(framed(self.form, frame)):
            self.close(SLOW)

    def forget(self, watch: Watch) -> None:
        """See `Reader`."""
        if self._watches.get(watch.channel) is watch:
            self._leave(watch.channel)

    @property
    def is_ready(self) -> bool:
        """See `Reader`."""
        return self.outbox.is_ready

    async def ready(self) -> bool:
        """See `Reader`."""
        return await self.outbox.ready()

    def end(self, problem: Problem) -> None:
        """See `sessions.Listening`."""
        self.say(error_of(problem))
        self.close(closing_of(problem))

    def send_away(self, reconnect_after_ms: int) -> None:
        """This gateway goes away."""
        self.say(Drain(reconnect_after_ms=reconnect_after_ms))
        self.close(DRAINED)

    def close(self, closing: Closing) -> None:
        """Close it; the first reason counts."""
        if self.closing is None:
            self.closing = closing
            self._connection.end()

    def gone(self) -> None:
        """The connection has ended: nothing is followed any more."""
        self.unwatch(list(self._watches))
        self.outbox.end()
        self.close(GONE)

    def _leave(self, channel: str) -> None:
        watch = self._watches.pop(channel, None)
        if watch is not None:
            self._about.polls.gone(watch)

    def _settle(self, watch: Watch, cursor: cursors.Cursor | None) -> None:
        """At once, if all that this needs is remembered; else by a task."""
        about = self._about
        pause_s = 0.0
        if about.polls.may_have(watch.channel, cursor):
            # Who watches the same channel again and again would read pages without end.
            pause_s = about.limits.poll(self.person.session, watch.channel, is_large=False)
        try:
            if not pause_s and about.polls.settle(watch, watch.channel, cursor):
                return
        except Problem as refused:
            watch.refuse(refused)
            return
        self._settling += 1
        about.tasks.spawn(self._follow(watch, cursor, pause_s), name="gateway.watch")

    async def _follow(self, watch: Watch, cursor: cursors.Cursor | None, pause_s: float) -> None:
        about = self._about
        try:
            await about.clock.sleep(pause_s)
            if not watch.is_gone:
                # It may have been told something already.
                at = cursors.Cursor(watch.epoch, watch.after) if watch.epoch else cursor
                await about.polls.follow(watch, watch.channel, at)
        finally:
            self._settling -= 1
