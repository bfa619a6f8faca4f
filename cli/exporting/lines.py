"""Entries as lines of JSON, and the file that they are appended to.

A line has the fields that the API has, after the channel and the entry's cursor: so a file says
what it is of, and an export that was stopped goes on after its last line.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from cli.entries import fields_of
from rostrum import Cursor, Entry

# An entry of 4,096 characters, each escaped, is far below it: what is longer is no line of ours.
LINE_BYTES_MAX = 1 << 20
START = b'{"channel": '
# JSON leaves them as they are, and many programs take them for the end of a line.
ENDS_OF_LINES = {ord(each): f"\\u{ord(each):04x}" for each in "\u0085\u2028\u2029"}


class OtherFile(Exception):
    """The file cannot be appended to: what it is, and what to do."""


def line_of(channel: str, epoch: int, entry: Entry) -> bytes:
    """The line of an entry, with its end."""
    place = {"channel": channel, "cursor": str(Cursor(epoch, entry.id))}
    line = json.dumps({**place, **fields_of(entry)}, ensure_ascii=False)
    return line.translate(ENDS_OF_LINES).encode() + b"\n"


@contextmanager
def appended(path: Path) -> Iterator[BinaryIO]:
    """The file, for this process alone; all of it is on the disk when this is left. Raises
    `OtherFile`, and `OSError`."""
    with path.open("ab+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            raise OtherFile(f"{path} is in use: another export writes it; let it end") from fault
        try:
            yield file
        finally:
            file.flush()
            os.fsync(file.fileno())


def last_cursor(file: BinaryIO, path: Path, channel: str) -> str | None:
    """The cursor of the last line; None when there is none. What a killed export left of a line is
    cut off. Raises `OtherFile` when it is no export of this channel."""
    size = file.seek(0, os.SEEK_END)
    begin = max(size - 2 * LINE_BYTES_MAX, 0)
    file.seek(begin)
    *lines, torn = file.read().split(b"\n")
    if not _is_ours(torn) or (begin and not lines):
        raise OtherFile(f"{path} does not end as an export does; name another file")
    last = _read(lines[-1]) if lines else {}
    if last.get("channel", channel) != channel:
        raise OtherFile(f"{path} is no export of the channel {channel}; name another file")
    file.truncate(size - len(torn))
    return last.get("cursor")


def is_cursor(value: object) -> bool:
    """Whether it reads as a cursor."""
    try:
        Cursor.of(str(value))
    except ValueError:
        return False
    return True


def _is_ours(torn: bytes) -> bool:
    """Whether a line of ours may begin so."""
    return torn.startswith(START) or START.startswith(torn)


def _read(line: bytes) -> dict[str, str]:
    """Channel and cursor of a line; another channel than any when it is none of ours."""
    try:
        found: Any = json.loads(line)
        channel, cursor = found["channel"], found["cursor"]
    except (ValueError, KeyError, TypeError):
        return {"channel": ""}
    return (
        {"channel": str(channel), "cursor": str(cursor)} if is_cursor(cursor) else {"channel": ""}
    )
