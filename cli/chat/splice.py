"""How one list of rows becomes another that overlaps it, touching as few rows as possible."""

from collections.abc import Sequence
from typing import NamedTuple


class Splice(NamedTuple):
    """Of the old list `drop_first` go at its beginning and `drop_last` at its end; of the new one
    `add_first` come before what stays and `add_last` after it."""

    drop_first: int
    drop_last: int
    add_first: int
    add_last: int


def splice(old: Sequence[str], new: Sequence[str]) -> Splice | None:
    """The way from `old` to `new`, both without repetitions; None when nothing stays."""
    begins = _begins(old, new)
    if begins is None:
        return None
    in_old, in_new = begins
    stays = 0
    for one, other in zip(old[in_old:], new[in_new:], strict=False):
        if one != other:
            break
        stays += 1
    return Splice(in_old, len(old) - in_old - stays, in_new, len(new) - in_new - stays)


def _begins(old: Sequence[str], new: Sequence[str]) -> tuple[int, int] | None:
    """Where the two begin to be the same, in each."""
    places = {key: at for at, key in enumerate(new)}
    return next(((at, places[key]) for at, key in enumerate(old) if key in places), None)
