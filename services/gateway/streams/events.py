"""A stream as server-sent events: JSON frames as data, the cursors of all channels as the id."""

from collections.abc import Iterable, Mapping

from libs.runtime.web import Person
from libs.wire.codes import Refused
from libs.wire.cursor import parse
from libs.wire.ids import is_id
from libs.wire.streams import Behind, FromGateway, Unwatched, Watched

from ..answers import Form, framed
from .closing import SLOW
from .stream import Connection, Stream, Surroundings
from .watch import Watch

# As many as a poll of several channels: the id of each event names all of them.
CHANNELS_MAX = 100


class EventStream(Stream):
    """A stream whose every event says where each channel is, so that the client's last one resumes
    all of them."""

    __slots__ = ("_places",)

    def __init__(self, person: Person, about: Surroundings, connection: Connection) -> None:
        super().__init__(person, Form.JSON, about, connection)
        self._places: dict[str, str] = {}

    def begin(self, channels: Iterable[str], resumed: Mapping[str, str]) -> None:
        """Follow these channels, from where the last event was."""
        wanted = {channel: resumed.get(channel) for channel in channels}
        self._places.update({channel: text for channel, text in wanted.items() if text})
        self.watch(wanted)

    def put(self, watch: Watch, body: bytes) -> bool:
        """See `Reader`."""
        before = self._places.get(watch.channel)
        self._places[watch.channel] = f"{watch.epoch}-{watch.after}"
        if self.outbox.put(self._event(body)):
            return True
        # What is not queued is not said to have been read.
        self._place(watch.channel, before)
        return False

    def say(self, frame: FromGateway) -> None:
        """See `Reader`."""
        if isinstance(frame, Watched | Behind):
            self._place(frame.channel, frame.cursor)
        elif isinstance(frame, Unwatched) and frame.retry == "no":
            # Who may come again goes on from where it was, not from now.
            self._place(frame.channel, None)
        if not self.outbox.push(self._event(framed(self.form, frame))):
            self.close(SLOW)

    def _place(self, channel: str, cursor: str | None) -> None:
        if cursor is None:
            self._places.pop(channel, None)
        else:
            self._places[channel] = cursor

    def _event(self, data: bytes) -> bytes:
        places = ",".join(f"{channel}={cursor}" for channel, cursor in self._places.items())
        return b"".join((b"id: ", places.encode(), b"\ndata: ", data, b"\n\n"))


def places_of(event_id: str) -> dict[str, str]:
    """The cursor of each channel that the id of an event names. Raises `Refused`."""
    found = {}
    for pair in filter(None, event_id.split(",")):
        channel, _, cursor = pair.partition("=")
        parse(cursor)
        found[channel] = cursor
    return found


def channels_of(text: str) -> list[str]:
    """The channels that a client asks for. Raises `Refused`."""
    channels = list(dict.fromkeys(filter(None, text.split(","))))
    if not 1 <= len(channels) <= CHANNELS_MAX:
        raise Refused(
            "field_invalid",
            f"name 1 to {CHANNELS_MAX} channels, not {len(channels)}",
            field="channels",
        )
    unknown = next((channel for channel in channels if not is_id(channel)), None)
    if unknown is not None:
        raise Refused("channel_unknown", f"there is no channel {unknown[:40]!a}")
    return channels
