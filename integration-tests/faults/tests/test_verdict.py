"""Each law that is broken is found, and a clean history is clean."""

from collections.abc import Callable

import pytest
from faults.verdict import findings

from checker.history import Deliver, Event, Final, Invoke, Ok, Resume

Change = Callable[[list[Event]], None]


def sent(at: int, key: str) -> Invoke:
    return Invoke(at, key, "c", "ada", key, f"post {key}", retry=False)


def told(at: int, key: str, ident: int) -> Ok:
    return Ok(at, key, "c", "ada", key, ident, is_new=True)


def given(at: int, reader: str, ident: int, key: str, *, kind: str = "message") -> Deliver:
    text = f"post {key}" if kind == "message" else None
    dup_of = None if kind == "message" else 1
    via = "final" if reader.startswith("final") else "poll"
    return Deliver(
        *(at, reader, reader, "c", 1, ident, kind, "ada", key, text, dup_of),
        via,  # type: ignore[arg-type]
    )


def clean() -> list[Event]:
    """Two posts, the first one twice in the log, a follower and two final readers."""
    events: list[Event] = [sent(1, "a"), told(2, "a", 1), sent(3, "b"), told(4, "b", 3)]
    for at, reader in enumerate(("follower", "final 1", "final 2"), start=1):
        events.append(Resume(at * 100, reader, reader, "c", 1, 0))
        events.append(given(at * 100 + 1, reader, 1, "a"))
        events.append(given(at * 100 + 2, reader, 2, "a", kind="void"))
        events.append(given(at * 100 + 3, reader, 3, "b"))
        if reader.startswith("final"):
            events.append(Final(at * 100 + 4, reader, "c", 3))
    return events


def test_a_clean_history_has_no_findings() -> None:
    assert findings(clean()) == []


def a_loss(events: list[Event]) -> None:
    for at, reader in ((203, "final 1"), (303, "final 2"), (103, "follower")):
        _replace(events, at, given(at, reader, 3, "x"))


def a_difference(events: list[Event]) -> None:
    _replace(events, 102, given(102, "follower", 2, "b", kind="void"))


def a_hole(events: list[Event]) -> None:
    _replace(events, 202, None)


def a_short_read(events: list[Event]) -> None:
    _replace(events, 303, None)
    _replace(events, 304, Final(304, "final 2", "c", 2))


def a_late_smaller_id(events: list[Event]) -> None:
    _replace(events, 1, sent(1, "b"))
    _replace(events, 2, told(2, "b", 3))
    _replace(events, 3, sent(3, "a"))
    _replace(events, 4, told(4, "a", 1))


def a_second_id(events: list[Event]) -> None:
    events.insert(2, told(2, "a", 2))


def a_second_message(events: list[Event]) -> None:
    for at, reader in ((202, "final 1"), (302, "final 2"), (102, "follower")):
        _replace(events, at, given(at, reader, 2, "a"))


def a_stranger(events: list[Event]) -> None:
    for at, reader in ((202, "final 1"), (302, "final 2"), (102, "follower")):
        _replace(events, at, given(at, reader, 2, "x"))


def a_skip(events: list[Event]) -> None:
    _replace(events, 102, None)


def a_silence(events: list[Event]) -> None:
    events.insert(2, sent(2, "z"))


def _replace(events: list[Event], at: int, event: Event | None) -> None:
    (index,) = (index for index, each in enumerate(events) if each.t_ns == at)
    events[index : index + 1] = [] if event is None else [event]


@pytest.mark.parametrize(
    ("change", "law"),
    [
        (a_loss, "L1"),
        (a_difference, "L2"),
        (a_hole, "L3"),
        (a_short_read, "L2"),
        (a_late_smaller_id, "L4"),
        (a_second_id, "L5"),
        (a_second_message, "L5"),
        (a_stranger, "L2"),
        (a_skip, "L8"),
        (a_silence, "z"),
    ],
)
def test_a_broken_law_is_named(change: Change, law: str) -> None:
    events = clean()
    change(events)
    assert any(found.startswith(law) for found in findings(events)), findings(events)


def test_a_history_that_nobody_read_to_the_end_is_not_clean() -> None:
    assert findings([event for event in clean() if not isinstance(event, Final)])
