"""One channel that a stream follows."""

from typing import Protocol

from libs.wire import streams
from libs.wire.codes import Problem
from libs.wire.cursor import Cursor
from libs.wire.streams import FromGateway, Origin, unwatched_of

from ..answers import Form
from ..hub import Room, Waiter


class Reader(Protocol):
    """The stream, as its watches see it."""

    form: Form

    def put(self, watch: "Watch", body: bytes) -> bool:
        """Queue entries of the channel up to the watch's cursor. False when there is no room."""

    def say(self, frame: FromGateway) -> None:
        """Queue what must be said."""

    def forget(self, watch: "Watch") -> None:
        """The channel is followed no more."""

    @property
    def is_ready(self) -> bool:
        """See `Waiter`."""

    async def ready(self) -> bool:
        """See `Waiter`."""


class Watch(Waiter):
    """A follower that comes with the cursor `at`. `sent` of `sent_epoch` is the id up to which all
    was queued."""

    __slots__ = ("_alias_of", "_base", "channel", "reader", "sent", "sent_epoch")

    stays = True

    def __init__(
        self, reader: Reader, user: str, channel: str, *, at: Cursor | None = None
    ) -> None:
        super().__init__(user, 0)
        self.reader = reader
        self.channel = channel
        # Nothing is told before it is seated to who comes without a cursor.
        self.sent_epoch, self.sent = at or (0, 0)
        self._alias_of: Room | None = None
        self._base: Origin | None = None

    @property
    def form(self) -> Form:
        """The stream's."""
        return self.reader.form

    @property
    def cursor(self) -> str:
        """Where the client is, or was when it began to fall behind."""
        return f"{self.sent_epoch}-{self.sent}"

    def seated(self, room: Room) -> None:
        """Tell of the alias before it is used."""
        base = room.writer.base if self.reader.form is Form.PACKED else None
        if (self._alias_of is room and self._base is base) or self.is_gone:
            return
        self._alias_of, self._base = room, base
        self.sent, self.sent_epoch = self.after, room.epoch
        self.reader.say(
            streams.Watched(
                channel=self.channel,
                cursor=self.cursor,
                head=room.head,
                first=room.first,
                alias=None if base is None else base.alias,
                base_id=None if base is None else base.ident,
                base_ms=None if base is None else base.at_ms,
            )
        )

    def tell(self, body: bytes) -> None:
        """Queue entries, or end: who falls behind pulls, nobody is sent entries with a hole."""
        if self.reader.put(self, body):
            self.sent, self.sent_epoch = self.after, self.epoch
            return
        room = self._alias_of
        head = self.after if room is None else room.head
        self.reader.say(streams.Behind(channel=self.channel, cursor=self.cursor, head=head))
        self.reader.forget(self)

    def left(self) -> None:
        """It stays where it is when it is told."""

    def refuse(self, problem: Problem) -> None:
        """Nothing more of this channel."""
        self.reader.say(unwatched_of(self.channel, problem))
        self.reader.forget(self)

    @property
    def is_ready(self) -> bool:
        """See `Waiter`: whether the stream has room."""
        return self.reader.is_ready

    async def ready(self) -> bool:
        """See `Waiter`: whether the stream has room."""
        return await self.reader.ready()
