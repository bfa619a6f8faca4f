"""One thing that was looked at."""

from typing import NamedTuple

OK, WRONG, UNSEEN = "ok", "wrong", "unseen"


class Line(NamedTuple):
    """What was found of a part; `todo` says what to do where it is `WRONG`. `UNSEEN` is what nobody
    can look at from here, which is no fault."""

    state: str
    part: str
    says: str
    todo: str = ""


def ok(part: str, says: str) -> Line:
    """It is as it must be."""
    return Line(OK, part, says)


def wrong(part: str, says: str, todo: str) -> Line:
    """It is not, and this is to do."""
    return Line(WRONG, part, says, todo)


def unseen(part: str, says: str) -> Line:
    """It cannot be looked at from here."""
    return Line(UNSEEN, part, says)
