"""Whatever is heard of a channel, in whatever order: each entry counts once, and no hole is passed
over that nobody told of."""

from collections.abc import Callable
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from rostrum.cursor import Cursor
from rostrum.events import Event, Jumped, Received, WasReset
from rostrum.ledger import NOTHING, TORN, Ledger, Step
from rostrum.model import Entry, Message, Unknown, Void

AT = datetime(2026, 11, 21, tzinfo=UTC)
HEAD = 30
EPOCHS = 3
Heard = Callable[[Ledger], Step]


def entry(ident: int) -> Entry:
    """Each id has its type, for ever: some are messages, some void, some of a type to come."""
    if ident % 5 == 0:
        return Unknown(id=ident, type="vote", fields={"id": ident})
    if ident % 7 == 0:
        return Void(id=ident, at=AT)
    return Message(id=ident, sender="ann", at=AT, text=str(ident))


def entries(*idents: int) -> tuple[Entry, ...]:
    return tuple(map(entry, idents))


def at(place: Cursor | None) -> Ledger:
    return Ledger("a", place)


def ids(step: Step) -> list[int]:
    return [event.entry.id for event in step.events if isinstance(event, Received)]


def test_the_next_entry_is_taken_with_its_cursor() -> None:
    step = at(Cursor(1, 4)).take(entries(5, 6), Cursor(1, 6), 9)
    assert step.events == (
        Received("a", entry(5), "1-5", 9),
        Received("a", entry(6), "1-6", 9),
    )
    assert not step.is_torn


def test_what_is_known_is_skipped_and_the_rest_is_taken() -> None:
    step = at(Cursor(1, 5)).take(entries(4, 5, 6), Cursor(1, 6), 6)
    assert (ids(step), step.skipped, step.is_torn) == ([6], 2, False)


def test_behind_a_hole_nothing_is_taken_until_it_is_filled() -> None:
    ledger = at(Cursor(1, 4))
    step = ledger.take(entries(5, 7), Cursor(1, 7), 7)
    assert (ids(step), step.is_torn) == ([5], True)
    assert ids(ledger.take(entries(6, 7), Cursor(1, 7), 7)) == [6, 7]


def test_entries_that_end_before_their_cursor_are_torn() -> None:
    assert at(Cursor(1, 4)).take(entries(5), Cursor(1, 9), 9).is_torn
    assert at(Cursor(1, 4)).take((), Cursor(1, 9), 9) == TORN


def test_entries_of_another_epoch_are_not_ours() -> None:
    assert at(Cursor(1, 4)).take(entries(5), Cursor(2, 5), 5) == TORN


def test_who_has_no_place_takes_nothing_before_one_is_told() -> None:
    ledger = at(None)
    assert ledger.take(entries(5), Cursor(1, 5), 5) == Step(skipped=1)
    assert ledger.watched(Cursor(1, 7)) == NOTHING
    assert ids(ledger.take(entries(8), Cursor(1, 8), 8)) == [8]


def test_a_watched_from_further_on_is_a_hole_and_one_from_before_is_none() -> None:
    assert at(Cursor(1, 4)).watched(Cursor(1, 5)) == TORN
    assert at(Cursor(1, 4)).watched(Cursor(2, 4)) == TORN
    assert at(Cursor(1, 4)).watched(Cursor(1, 4)) == NOTHING
    assert at(Cursor(1, 4)).watched(Cursor(1, 2)) == NOTHING


def test_a_jump_moves_on_and_never_back() -> None:
    ledger = at(Cursor(1, 4))
    assert ledger.jump(Cursor(1, 5000), unread=4996, head=5000, first=9).events == (
        Jumped("a", "1-5000", 4996, 5000, 9),
    )
    assert ledger.jump(Cursor(1, 5000), unread=4996, head=5000, first=9) == NOTHING
    assert ledger.jump(Cursor(1, 4000), unread=3996, head=5000, first=9) == NOTHING
    assert ledger.jump(Cursor(2, 9000), unread=1, head=9000, first=1) == TORN


def test_a_reset_moves_to_another_epoch_once() -> None:
    ledger = at(Cursor(1, 400))
    assert ledger.reset(Cursor(2, 70), head=70, first=50).events == (
        WasReset("a", "2-70", 2, 70, 50),
    )
    assert ids(ledger.take(entries(71), Cursor(2, 71), 71)) == [71]
    assert ledger.reset(Cursor(2, 70), head=70, first=50) == NOTHING
    assert ledger.reset(Cursor(2, 90), head=90, first=50) == TORN


places = st.builds(Cursor, st.integers(1, EPOCHS), st.integers(0, HEAD))


@st.composite
def heard(draw: st.DrawFn) -> Heard:
    """Something that a faulty, late or repeating gateway may say."""
    place = draw(places)
    numbers: dict[str, int] = {"head": HEAD, "first": draw(st.integers(1, HEAD))}
    match draw(st.sampled_from(["entries", "some", "watched", "jump", "reset"])):
        case "entries":
            found = entries(*range(place.id + 1, draw(st.integers(place.id, HEAD)) + 1))
            after = Cursor(place.epoch, place.id + len(found))
            return lambda ledger: ledger.take(found, after, HEAD)
        case "some":
            found = entries(*draw(st.lists(st.integers(1, HEAD), max_size=6)))
            return lambda ledger: ledger.take(found, place, HEAD)
        case "watched":
            return lambda ledger: ledger.watched(place)
        case "jump":
            return lambda ledger: ledger.jump(place, unread=1, **numbers)
        case _:
            return lambda ledger: ledger.reset(place, **numbers)


def repaired(ledger: Ledger) -> tuple[Event, ...]:
    """What honest pages say that are read from where the ledger is."""
    place = ledger.place
    assert place is not None
    step = ledger.take(entries(*range(place.id + 1, HEAD + 1)), Cursor(place.epoch, HEAD), HEAD)
    assert not step.is_torn
    return step.events


@settings(max_examples=500)
@given(start=st.none() | places, said=st.lists(st.tuples(heard(), st.booleans()), max_size=40))
def test_never_twice_and_never_a_hole(start: Cursor | None, said: list[tuple[Heard, bool]]) -> None:
    """Repeated, missing, reordered, of other epochs; torn ones are repaired, now or later."""
    ledger = at(start)
    events: list[Event] = []
    known = start
    for hear, repairs_now in said:
        step = hear(ledger)
        events.extend(step.events)
        if known is None and not events:
            known = ledger.place
        if step.is_torn and repairs_now:
            events.extend(repaired(ledger))
    judge(known, events)
    assert not events or str(ledger.place) == cursor_of(events[-1])


def cursor_of(event: Event) -> str:
    assert isinstance(event, Received | Jumped | WasReset)
    return event.cursor


def judge(place: Cursor | None, events: list[Event]) -> None:
    """Read the events as a consumer does."""
    for event in events:
        after = Cursor.of(cursor_of(event))
        match event:
            case Received(entry=found):
                if place is not None:
                    assert after == Cursor(place.epoch, place.id + 1)
                assert (found, found.id) == (entry(after.id), after.id)
            case Jumped():
                assert place is None or (after.epoch == place.epoch and after.id > place.id)
            case WasReset():
                assert place is None or after.epoch != place.epoch
        place = after
