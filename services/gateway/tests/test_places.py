"""Where a stream says that its client is, whatever happens on the way."""

import pytest

from libs.testing.served import served
from libs.wire.cursor import Cursor
from libs.wire.frames import Snapshot
from libs.wire.streams import Behind, FromGateway
from services.gateway.answers import Entries, Form, Jump
from services.gateway.streams.events import places_of
from services.gateway.streams.watch import Watch
from services.gateway.tests.edge import CHANNEL, edge
from services.gateway.tests.listeners import entries, room
from services.gateway.tests.talkers import events


class FullReader:
    """A stream that has no room for entries."""

    form = Form.JSON
    is_ready = True

    def __init__(self) -> None:
        self.said: list[FromGateway] = []
        self.forgotten: list[Watch] = []

    def put(self, watch: Watch, body: bytes) -> bool:
        return False

    def say(self, frame: FromGateway) -> None:
        self.said.append(frame)

    def forget(self, watch: Watch) -> None:
        self.forgotten.append(watch)

    async def ready(self) -> bool:
        return True


@pytest.mark.law("L8")
@pytest.mark.parametrize("answer", [Jump(1_400, 1_500, 1), Entries(100, (), 1_500)], ids=str)
def test_who_falls_behind_with_its_first_answer_pulls_from_its_own_cursor(
    answer: Jump | Entries,
) -> None:
    reader = FullReader()
    watch = Watch(reader, "ann", CHANNEL, at=Cursor(1, 100))
    room(head=1_500).say(watch, answer)
    behind = reader.said[-1] if isinstance(answer, Entries) else reader.said[0]
    assert isinstance(behind, Behind)
    assert (behind.cursor, behind.head) == ("1-100", 1_500)
    assert reader.forgotten == [watch]


@pytest.mark.law("L8")
@pytest.mark.parametrize(
    ("last_id", "epoch", "first", "place"),
    [("1-1", 1, 1, "1-1500"), ("1-60", 2, 1_450, "2-1500")],
    ids=["jump", "reset"],
)
async def test_an_event_that_comes_before_its_channel_is_followed_resumes_as_well(
    last_id: str, epoch: int, first: int, place: str
) -> None:
    async with edge() as it, served(it.running.app, http=it.running.http) as address:
        it.channel(head=1_500, epoch=epoch, first=first)
        async with events(it, address, CHANNEL, last_id=f"{CHANNEL}={last_id}") as stream:
            assert (await stream.hear())["type"] == "welcome"
            assert (await stream.hear())["type"] in {"jump", "reset"}
            assert places_of(stream.last_id) == {CHANNEL: place}


@pytest.mark.law("L8")
async def test_a_reset_of_who_follows_is_in_the_id_of_its_event() -> None:
    async with edge() as it, served(it.running.app, http=it.running.http) as address:
        it.channel()
        async with events(it, address, CHANNEL) as stream:
            assert [(await stream.hear())["type"] for _ in range(2)] == ["welcome", "watched"]
            it.channel(head=25, epoch=2, first=20)
            await it.relay.send(Snapshot(CHANNEL, 2, 25, 20, entries(20, 25)))
            assert (await stream.hear())["type"] == "reset"
            assert places_of(stream.last_id) == {CHANNEL: "2-25"}


@pytest.mark.law("L8")
async def test_a_channel_that_cannot_be_followed_now_keeps_its_place() -> None:
    """From now on, when it comes again, would be a hole that nobody told of."""
    async with edge(relay_s=0.05) as it, served(it.running.app, http=it.running.http) as address:
        it.channel()
        await it.relay.stop()
        async with events(it, address, CHANNEL, last_id=f"{CHANNEL}=1-7") as stream:
            assert (await stream.hear())["type"] == "welcome"
            frame = await stream.hear()
            assert (frame["type"], frame["code"], frame["retry"]) == (
                "unwatched",
                "service_away",
                "yes",
            )
            assert places_of(stream.last_id) == {CHANNEL: "1-7"}
