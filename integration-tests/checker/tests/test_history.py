"""A history is on disk before its request leaves, and comes back as it was."""

from pathlib import Path
from typing import get_args

from checker.history import (
    AccessBegan,
    AccessEnded,
    Deliver,
    Event,
    Failed,
    Fault,
    Final,
    Invoke,
    Jump,
    Ok,
    Reset,
    Resume,
    Unknown,
    Writer,
    merge,
    read,
)

EVENTS: list[Event] = [
    Invoke(1, "p", "c", "ann", "k1", "hé\n", False),
    Unknown(2, "p", "c", "ann", "k1", "timeout"),
    Invoke(3, "p", "c", "ann", "k1", "hé\n", True, 2),
    Failed(4, "p", "c", "ann", "k1", "not_written", 2),
    Ok(5, "p", "c", "ann", "k1", 1, True, 3),
    Resume(6, "r", "s", "c", 1, 0, "ann"),
    Deliver(7, "r", "s", "c", 1, 1, "message", "ann", "k1", "hé\n", None, "poll"),
    Deliver(7, "r", "s", "c", 1, 2, "void", "ann", "k1", None, 1, "poll"),
    Jump(8, "r", "s", "c", 2_000, 1),
    Reset(9, "r", "s", "c", 2, 1_000_002, 1_000_001),
    AccessEnded(10, "c", "ann"),
    AccessBegan(11, "c", "ann"),
    Final(12, "r", "c", 2),
    Fault(13, "kill", "chat-1", "begin"),
]


def test_every_kind_of_event_comes_back_as_it_was(tmp_path: Path) -> None:
    assert {type(event) for event in EVENTS} == set(get_args(Event))
    with Writer(tmp_path / "history.jsonl") as writer:
        for event in EVENTS:
            writer.write(event)
    assert read(tmp_path / "history.jsonl") == EVENTS


def test_an_event_is_in_the_file_when_write_returns_and_the_next_writer_goes_on(
    tmp_path: Path,
) -> None:
    path = tmp_path / "history.jsonl"
    with Writer(path) as first, Writer(path) as second:
        first.write(EVENTS[0])
        assert read(path) == EVENTS[:1]
        second.write(EVENTS[1])
        assert read(path) == EVENTS[:2]


def test_a_line_that_a_kill_cut_short_is_no_event(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with Writer(path) as writer:
        writer.write(EVENTS[0])
    path.write_bytes(path.read_bytes() + b'{"type":"ok","t_ns":2,"pro')
    assert read(path) == EVENTS[:1]


def test_histories_are_merged_by_time_and_keep_the_order_of_one_time() -> None:
    assert merge([EVENTS[5:], EVENTS[:5]]) == EVENTS
