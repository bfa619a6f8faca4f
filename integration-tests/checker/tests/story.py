"""One clean history, small enough to be known by heart, and how it is altered.

Entry n of channel c is appended at n seconds; post kn by ann is entry n. k5 was tried three times,
and the tries that were given up land after the one that was acknowledged: 8 and 15 are void. r1
breaks off after 10 and resumes, r2 jumps from 3 to 6, eve's access ends after 10. kf failed; k31
has no outcome and never landed.
"""

from collections.abc import Callable, Iterable
from typing import Any

from checker.history import (
    AccessEnded,
    Deliver,
    Event,
    Failed,
    Fault,
    Final,
    Invoke,
    Jump,
    Ok,
    Resume,
    Unknown,
    Via,
    merge,
)

S, MS = 1_000_000_000, 1_000_000
LAST = 30
VOIDS = {8: 5, 15: 8}
FINALS = ("final-g1", "final-g2")
Test = Callable[[Event], bool]
History = list[Event]


def story() -> History:
    """The clean history."""
    events: History = [
        *(each for number in range(1, LAST + 1) if number not in VOIDS for each in _post(number)),
        *_given_up(1, at=4 * S + 100 * MS),
        *_given_up(2, at=4 * S + 500 * MS),
        Invoke(9 * S, "p", "c", "ann", "kf", "text kf", False),
        Failed(9 * S + MS, "p", "c", "ann", "kf", "not_written"),
        Invoke(31 * S, "p", "c", "ann", "k31", "text k31", False),
        Resume(MS, "r1", "s1", "c", 1, 0),
        Resume(10 * S + 20 * MS, "r1", "s1", "c", 1, 10),
        *(given("r1", number, late=10 * MS) for number in range(1, LAST + 1)),
        Resume(MS, "r2", "s1", "c", 1, 0),
        Jump(3 * S + 900 * MS, "r2", "s1", "c", 5, 1),
        *(given("r2", number, late=12 * MS) for number in (*range(1, 4), *range(6, LAST + 1))),
        Resume(MS, "eve1", "s1", "c", 1, 0, "eve"),
        *(given("eve1", number, late=14 * MS) for number in range(1, 11)),
        AccessEnded(10 * S + 100 * MS, "c", "eve"),
        Fault(16 * S, "kill", "chat-1", "begin"),
        Fault(17 * S, "kill", "chat-1", "end"),
    ]
    for reader in FINALS:
        events.append(Resume(60 * S, reader, "s1", "c", 1, 0))
        events += [final(reader, number) for number in range(1, LAST + 1)]
        events.append(Final(62 * S, reader, "c", LAST))
    return merge([events])


def given(reader: str, number: int, *, late: int, via: Via = "poll") -> Deliver:
    """Entry `number` at a reader, `late` nanoseconds after its append."""
    return _entry(number * S + late, reader, number, via)


def final(reader: str, number: int) -> Deliver:
    """Entry `number` at a final reader."""
    return _entry(61 * S, reader, number, "final")


def is_of(kind: type[Event], **fields: object) -> Test:
    """Whether an event is of a kind and has these in its fields."""

    def test(event: Event) -> bool:
        return isinstance(event, kind) and all(
            getattr(event, name) == value for name, value in fields.items()
        )

    return test


def without(history: Iterable[Event], *tests: Test) -> History:
    """All but what one of the tests says yes to; each must say yes to something."""
    events = list(history)
    for test in tests:
        kept = [event for event in events if not test(event)]
        assert len(kept) < len(events)
        events = kept
    return events


def with_these(history: Iterable[Event], *more: Event) -> History:
    """The history and more, by time; more comes after what is of one time."""
    return merge([history, more])


def changed(history: Iterable[Event], test: Test, **fields: object) -> History:
    """Other fields in what the test says yes to, which must be something."""
    events = list(history)
    assert any(map(test, events))
    return merge([[with_fields(one, **fields) if test(one) else one for one in events]])


def with_fields(event: Event, **fields: object) -> Event:
    """The event with other fields."""
    old: dict[str, Any] = {name: getattr(event, name) for name in event.__struct_fields__}
    return type(event)(**(old | fields))


def _post(number: int) -> History:
    attempt = 3 if number == 5 else 1
    key, text = f"k{number}", f"text k{number}"
    at = number * S
    return [
        Invoke(at - 2 * MS, "p", "c", "ann", key, text, attempt > 1, attempt),
        Ok(at + 2 * MS, "p", "c", "ann", key, number, True, attempt),
    ]


def _given_up(attempt: int, *, at: int) -> History:
    return [
        Invoke(at, "p", "c", "ann", "k5", "text k5", attempt > 1, attempt),
        Unknown(at + 300 * MS, "p", "c", "ann", "k5", "timeout", attempt),
    ]


def _entry(t_ns: int, reader: str, number: int, via: Via) -> Deliver:
    if number in VOIDS:
        return Deliver(t_ns, reader, "s1", "c", 1, number, "void", "", "", None, VOIDS[number], via)
    key = f"k{number}"
    return Deliver(
        t_ns, reader, "s1", "c", 1, number, "message", "ann", key, f"text {key}", None, via
    )
