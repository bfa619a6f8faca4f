"""The parts of a follower without I/O: the inbox, the choice of a way, bytes of events."""

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostrum.events import Ended
from rostrum.following.choice import Choice
from rostrum.following.inbox import EVENTS_MAX, Inbox
from rostrum.following.patience import Patience
from rostrum.ways.lines import EVENT_BYTES_MAX, EventLines, TooLong
from rostrum.ways.renewal import until_renewal_s

EVENT = Ended("a", "access_ended", "")
WAYS = ("websocket", "events", "poll")


async def test_who_fills_the_inbox_waits_until_somebody_takes() -> None:
    inbox = Inbox()
    inbox.put([EVENT] * EVENTS_MAX)
    waiting = [asyncio.ensure_future(fill(inbox)) for _ in range(3)]
    await asyncio.sleep(0)
    assert len(inbox) == EVENTS_MAX
    for left in (2, 1, 0):
        assert inbox.take() == EVENT
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        # One filled it again: the others wait on.
        assert len(inbox) == EVENTS_MAX
        waiting = [each for each in waiting if not each.done()]
        assert len(waiting) == left


async def fill(inbox: Inbox) -> None:
    await inbox.room()
    inbox.put([EVENT])


async def test_what_is_there_is_given_before_an_error_which_is_for_ever() -> None:
    inbox = Inbox()
    inbox.put([EVENT])
    inbox.fail(ValueError("the first"))
    inbox.fail(ValueError("the second"))
    assert inbox.take() == EVENT
    for _ in range(2):
        with pytest.raises(ValueError, match="the first"):
            inbox.take()


async def test_what_is_dropped_makes_room() -> None:
    inbox = Inbox()
    inbox.put([EVENT] * EVENTS_MAX)
    waiting = asyncio.ensure_future(inbox.room())
    await asyncio.sleep(0)
    inbox.drop("a")
    await waiting
    assert inbox.take() is None


def test_a_worse_way_is_taken_once_for_all_who_find_out() -> None:
    choice = Choice(WAYS, Patience())
    for _ in range(3):
        choice.fall("websocket")
    assert (choice.way, choice.better) == ("events", ("websocket",))
    choice.fall("events")
    assert (choice.way, choice.is_last) == ("poll", True)
    choice.fall("poll")
    assert choice.way == "poll"


def test_a_better_way_is_tried_less_and_less_often() -> None:
    choice = Choice(WAYS, Patience(better_first_s=300, better_most_s=3_600))
    choice.fall("websocket")
    waits = []
    for _ in range(2_000):
        waits.append(choice.better_after_s)
        choice.wait_longer()
    assert waits[:6] == [300, 600, 1_200, 2_400, 3_600, 3_600]
    assert set(waits[6:]) == {3_600}


def test_a_better_way_that_does_not_last_is_not_better() -> None:
    choice = Choice(WAYS, Patience(better_first_s=300))
    choice.fall("websocket")
    choice.rise("websocket")
    choice.fall("websocket")
    assert choice.better_after_s == 600
    choice.rise("websocket")
    choice.lasted()
    choice.fall("websocket")
    assert choice.better_after_s == 300


@pytest.mark.parametrize(
    ("expires_in", "after_s"), [(600, 540), (180, 120), (90, 60), (3, 2), (0.3, 1), (-5, 1)]
)
def test_a_token_is_renewed_in_time_and_not_all_the_time(expires_in: int, after_s: float) -> None:
    assert until_renewal_s(expires_in, Patience()) == pytest.approx(after_s)


DATA = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))


@given(
    events=st.lists(st.lists(DATA, min_size=1, max_size=3)),
    end=st.sampled_from(["\n", "\r\n"]),
    cuts=st.lists(st.integers(0, 300)),
)
def test_events_are_the_same_wherever_they_are_cut(
    events: list[list[str]], end: str, cuts: list[int]
) -> None:
    lines = [
        line
        for event in events
        for line in ("id: x", ": a comment", *(f"data: {data}" for data in event), "event", "")
    ]
    raw = "".join(f"{line}{end}" for line in lines).encode()
    ends = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    reader = EventLines()
    found = [
        data for begin, until in itertools.pairwise(ends) for data in reader.feed(raw[begin:until])
    ]
    assert found == ["\n".join(event) for event in events]


def test_an_event_without_data_and_a_byte_order_mark_say_nothing() -> None:
    assert list(EventLines().feed(b"\xef\xbb\xbfdata:x\n\nid: 7\n\nretry: 3\n\n")) == ["x"]


@pytest.mark.parametrize("line", [b"data: " + b"x" * 1_000 + b"\n", b"x" * 1_000])
def test_an_event_without_end_is_too_long(line: bytes) -> None:
    with pytest.raises(TooLong):
        feed_all(EventLines(), [line] * (EVENT_BYTES_MAX // 900))


def feed_all(reader: EventLines, chunks: list[bytes]) -> None:
    for chunk in chunks:
        assert not list(reader.feed(chunk))
