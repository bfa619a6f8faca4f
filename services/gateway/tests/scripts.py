"""What a client does to a connection, as bytes that a fuzzer can change: what is sent, and marks
between it. Bytes that come with no mark are one piece."""

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from hypothesis import strategies as st

# No byte of a head or of UTF-8 begins a mark.
MARK = 0xFF
# So often a piece is sent that is sent again and again.
TIMES = 200


class Act(Enum):
    """What the byte after a `MARK` is."""

    SEND = 0
    # The piece again, many times and in one go.
    FLOOD = 1
    # An answer for who is parked.
    ANSWER = 2
    # The client takes nothing more; it takes all again.
    STOP = 3
    TAKE = 4
    # The timer of the connection, as if its time were over.
    LATE = 5
    # The client says that it says no more.
    SHUT = 6


class Step(NamedTuple):
    """A piece, and what happens after it came."""

    piece: bytes
    act: Act


CUT = bytes((MARK, Act.SEND.value))
FLOOD, ANSWER = bytes((MARK, Act.FLOOD.value)), bytes((MARK, Act.ANSWER.value))
STOP, TAKE = bytes((MARK, Act.STOP.value)), bytes((MARK, Act.TAKE.value))
LATE, SHUT = bytes((MARK, Act.LATE.value)), bytes((MARK, Act.SHUT.value))
MARKS = (CUT, FLOOD, ANSWER, STOP, TAKE, LATE, SHUT)
_MARKED = re.compile(b"\xff([\x00-\x06])")


def steps(script: bytes) -> Iterator[Step]:
    """The steps of a script, which may be any bytes."""
    parts = _MARKED.split(script)
    for piece, act in zip(parts[::2], [*parts[1::2], b"\0"], strict=True):
        yield Step(piece, Act(act[0]))


def scripts(parts: Sequence[bytes], seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Scripts of these parts, of what a fuzzer begins with, and of any bytes."""
    anything = (st.sampled_from(each) for each in (parts, MARKS, sorted(seeds)))
    return st.lists(st.one_of(*anything, st.binary(max_size=20)), max_size=16).map(b"".join)
