"""The text of a post: whose it is, which one, and when it was sent, so that whoever gets it knows
how long it took. The clock is the machine's monotonic one, which all of its processes share."""

import time
from typing import NamedTuple

FILL = "."


class Sent(NamedTuple):
    """A post of this run: its number, and when it was sent (monotonic, ms)."""

    number: int
    at_ms: float


def written(run: str, number: int, characters: int) -> str:
    """The text of a post that is sent now, of so many characters (or a few more)."""
    return f"{run} {number} {time.monotonic_ns()} ".ljust(characters, FILL)


def read(run: str, text: str) -> Sent | None:
    """What a text says; None of one that is no post of this run."""
    words = text.split(" ", 3)
    if len(words) != 4 or words[0] != run or not (words[1].isdecimal() and words[2].isdecimal()):
        return None
    return Sent(int(words[1]), int(words[2]) / 1_000_000)


def took_ms(sent: Sent) -> float:
    """How long ago it was sent."""
    return time.monotonic_ns() / 1_000_000 - sent.at_ms
