r"""The bytes of an export, mended where Telegram Desktop writes what is no JSON.

It writes a control character of a text as `\x1F`, which JSON does not know: it becomes `\u001F`.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

# Large enough that the parser is not called often, small enough to be no matter of memory.
CHUNK_BYTES = 65_536
# A pair of backslashes is taken as one, so that what follows it is not taken for an escape.
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|.)", re.DOTALL)
_UNIT = re.compile(rb"\\\\|\\x[0-9A-Fa-f]{2}|.", re.DOTALL)
_UNFINISHED = re.compile(rb"(?<!\\)(?:\\\\)*\\(?:x[0-9A-Fa-f]?)?\Z")
_UNFINISHED_BYTES = 3


def chunks(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a file as they are, some `CHUNK_BYTES` at a time, cut outside of escapes."""
    while chunk := file.read(CHUNK_BYTES):
        while _is_unfinished(chunk) and (more := file.read(1)):
            chunk += more
        yield chunk


def mended(chunk: bytes) -> bytes:
    """What JSON knows for what it does not. `chunk` begins outside of an escape."""
    return _ESCAPE.sub(_escape, chunk) if b"\\x" in chunk else chunk


def units(chunk: bytes) -> Iterator[tuple[int, bytes]]:
    """The bytes of a chunk one by one, an escape to be mended as one, each with its offset."""
    for match in _UNIT.finditer(chunk):
        yield match.start(), mended(match.group())


def _escape(match: re.Match[bytes]) -> bytes:
    digits = match.group(1)
    return match.group() if digits is None else rb"\u00" + digits


def _is_unfinished(chunk: bytes) -> bool:
    # The end alone is looked at first: a search through all of a chunk takes its time.
    return b"\\" in chunk[-_UNFINISHED_BYTES:] and _UNFINISHED.search(chunk) is not None
