"""Texts that are longer than an entry may be, cut into parts that together are the text."""

import unicodedata
from collections.abc import Callable

# The most that the API takes; it counts as Python does, in code points.
TEXT_CHARS_MAX = 4_096
# Signs that belong to what is before them: no cut is made there, within so many of them.
_TIED_MAX = 32
_TIED = frozenset("\u200d\ufe0e\ufe0f" + "".join(map(chr, range(0x1F3FB, 0x1F400))))


def parted(body: str, first_line: Callable[[str], str], *, most: int = TEXT_CHARS_MAX) -> list[str]:
    """The texts of the entries of one message, `most` characters each.

    `first_line` is given what to say of the part, such as `part 2 of 3` (nothing when it is the
    only one), and returns the line that it begins with, its end included, or nothing.
    """
    whole = first_line("") + body
    if len(whole) <= most:
        return [whole]
    # A number with more digits leaves less room, which may make more parts.
    total = 2
    while len(pieces := cut(body, most - len(first_line(_called(total, total))))) > total:
        total = len(pieces)
    total = len(pieces)
    return [first_line(_called(at, total)) + piece for at, piece in enumerate(pieces, start=1)]


def cut(text: str, most: int) -> list[str]:
    """The text in pieces of at most `most` characters (2 and more), cut after the space behind a
    word; amid one that is longer than half of a piece. Joined they are the text."""
    pieces = []
    start = 0
    while len(text) - start > most:
        end = _word_end(text, start, start + most)
        pieces.append(text[start:end])
        start = end
    return [*pieces, text[start:]]


def _called(at: int, total: int) -> str:
    return f"part {at} of {total}"


def _word_end(text: str, start: int, end: int) -> int:
    """Where to cut at the latest at `end`."""
    for at in range(end, (start + end) // 2, -1):
        if text[at - 1].isspace():
            return at
    return _sign_end(text, start, end)


def _sign_end(text: str, start: int, end: int) -> int:
    """The last place up to `end` that does not tear an accent, or an emoji of several, apart."""
    for at in range(end, max(start, end - _TIED_MAX), -1):
        if not _is_tied(text[at - 1], text[at]):
            return at
    return end


def _is_tied(before: str, after: str) -> bool:
    is_mark = unicodedata.category(after).startswith("M")
    return is_mark or after in _TIED or before == "\u200d"
