"""What followers get when the relay is away, lags, breaks, or begins a channel anew."""

import pytest

from libs.testing.eventually import eventually
from libs.wire.frames import Snapshot
from services.gateway.polls import AHEAD_S
from services.gateway.tests.edge import CHANNEL, WITHIN_S, edge
from services.gateway.tests.listeners import entries
from services.gateway.tests.talkers import FORMS, Frame, Talker, open_talk

forms = pytest.mark.parametrize("form", FORMS, ids=["json", "msgpack"])


def ids(frame: Frame) -> list[int]:
    assert frame["type"] == "entries", frame
    return [each["id"] for each in frame["entries"]]


async def up_to(talker: Talker, last: int) -> list[int]:
    """The ids of what comes, until `last`."""
    seen: list[int] = []
    while not seen or seen[-1] < last:
        seen += ids(await talker.hear())
    return seen


@pytest.mark.law("L8")
@forms
@pytest.mark.parametrize("missed", [5, 300], ids=["in memory", "behind it"])
async def test_a_link_that_broke_and_came_back_leaves_no_hole(form: str, missed: int) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        it.channel()
        await talker.watch(**{CHANNEL: "1-10"})
        assert (await talker.hear())["type"] == "watched"
        await it.relay.stop()
        await it.relay.append(CHANNEL, missed, told=False)
        connects = it.relay.connects
        await it.relay.start()
        await it.soon(lambda: it.relay.connects > connects, "it is linked again")
        assert await up_to(talker, 10 + missed) == list(range(11, 11 + missed))
        await it.relay.append(CHANNEL)
        assert ids(await talker.hear()) == [11 + missed]


@forms
async def test_without_a_relay_a_watch_is_refused_for_now_and_may_be_tried_again(form: str) -> None:
    async with edge(relay_s=0.2) as it, open_talk(it, form) as talker:
        it.channel()
        await it.relay.stop()
        await talker.watch(**{CHANNEL: "1-9"})
        frame = await talker.hear()
        assert (frame["type"], frame["code"], frame["retry"]) == (
            "unwatched",
            "service_away",
            "yes",
        )
        connects = it.relay.connects
        await it.relay.start()
        await it.soon(lambda: it.relay.connects > connects, "it is linked again")
        await talker.watch(**{CHANNEL: "1-9"})
        assert (await talker.hear())["type"] == "watched"
        assert ids(await talker.hear()) == [10]


@pytest.mark.law("L8")
@forms
async def test_a_channel_that_begins_anew_while_a_watch_settles_is_reset(form: str) -> None:
    async with edge(relay_s=10.0) as it, open_talk(it, form) as talker:
        it.channel(head=950)
        it.relay.pages_go_on.clear()
        await talker.watch(**{CHANNEL: "1-330"})
        await eventually(lambda: it.relay.pages, within_s=WITHIN_S, what="a page is read")
        it.channel(head=25, epoch=2, first=20)
        await it.relay.send(Snapshot(CHANNEL, 2, 25, 20, entries(20, 25)))

        async def where() -> str:
            return str((await it.poll(user="bob")).json()["cursor"])

        await it.until(where, "2-25")
        it.relay.pages_go_on.set()
        reset = await talker.hear()
        assert (reset["type"], reset["cursor"]) == ("reset", "2-25")
        assert (await talker.hear())["cursor"] == "2-25"
        await it.relay.append(CHANNEL)
        assert ids(await talker.hear()) == [26]


@pytest.mark.law("L8")
@forms
async def test_a_watch_from_ahead_of_this_gateway_goes_on_when_it_has_caught_up(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        it.channel(head=30)
        await it.poll()
        await it.relay.append(CHANNEL, 3, told=False)
        await talker.watch(**{CHANNEL: "1-32"})
        await it.soon(lambda: len(it.relay.watches(CHANNEL)) > 1, "the true end is asked for")
        assert (await talker.hear())["cursor"] == "1-32"
        assert ids(await talker.hear()) == [33]


@forms
async def test_a_watch_from_beyond_the_end_is_refused_after_a_second(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        it.channel(head=30)
        await talker.watch(**{CHANNEL: "1-32"})
        await eventually(lambda: it.relay.pages, within_s=WITHIN_S, what="the relay is asked")
        began_s = it.clock.monotonic()
        await it.soon(lambda: it.clock.monotonic() > began_s + 2 * AHEAD_S, "time passes")
        frame = await talker.hear()
        assert (frame["type"], frame["code"]) == ("unwatched", "cursor_ahead")


@pytest.mark.law("L8")
@forms
async def test_a_page_that_cannot_be_read_ends_the_watch_and_its_cursor_goes_on(form: str) -> None:
    async with edge() as it, open_talk(it, form) as talker:
        it.channel(head=950)
        it.relay.is_away = True
        await talker.watch(**{CHANNEL: "1-330"})
        frame = await talker.hear()
        assert (frame["type"], frame["code"], frame["retry"]) == (
            "unwatched",
            "service_away",
            "yes",
        )
        it.relay.is_away = False
        await talker.watch(**{CHANNEL: "1-330"})
        assert (await talker.hear())["cursor"] == "1-330"
        assert await up_to(talker, 950) == list(range(331, 951))
