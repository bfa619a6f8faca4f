"""Telegram Desktop's `result.json`, read from front to back in constant memory.

A file is read twice. The survey tells whether all of it is JSON, which chats it has and how many
messages each of them, before anything is posted; then the messages of one chat are read one by one.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import ijson  # type: ignore[import-untyped]  # it comes without types

from cli.importing.outline import Chat, Outline
from cli.importing.source import CHUNK_BYTES, chunks, mended, units

# Messages nest some six deep: what is deeper is no export, and would cost memory.
DEPTH_MAX = 100
# A message has some kilobytes: what does not end within so many bytes would cost memory.
VALUE_BYTES_MAX = 16 * 1024 * 1024

Event = tuple[str, object]
# Numbers of thousands of digits are JSON, but nothing that the parser can make a number of.
_FAULTS = (ijson.JSONError, ArithmeticError, ValueError, SystemError)


class Parser(Protocol):
    """A parser that takes the file in pieces."""

    def send(self, data: bytes) -> object:
        """The next piece. Raises one of `_FAULTS`."""


class NoExport(Exception):
    """The file cannot be read as an export: what is wrong, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file holds. `digest` is its SHA-256; `is_whole_account` tells the two forms apart."""

    path: Path
    digest: str
    chats: tuple[Chat, ...]
    is_whole_account: bool


def survey(path: Path) -> Survey:
    """Read the whole file. Raises `NoExport`, and `OSError`."""
    outline, hashed = Outline(), hashlib.sha256()
    for chunk, events in _parsed(path, outline):
        hashed.update(chunk)
        for event, value in events:
            outline.take(event, value)
    chats = tuple(outline.chats())
    if not chats:
        raise NoExport(
            f"{path} is JSON, but no export: it has no list of messages; name the result.json"
            " that Telegram Desktop wrote"
        )
    return Survey(path, hashed.hexdigest(), chats, outline.is_whole_account)


def messages(path: Path, chat: Chat) -> Iterator[object]:
    """The messages of a chat of the surveyed file, as plain objects (numbers with a fraction as
    `Decimal`), in its order. Raises `NoExport` when the file is another one by now."""
    outline, builder, given = Outline(), ijson.ObjectBuilder(), 0
    for _, events in _parsed(path, outline):
        for event, value in events:
            if not outline.take(event, value) or outline.listing != chat.number:
                continue
            builder.event(event, value)
            if not outline.is_in_message:
                yield builder.value
                builder, given = ijson.ObjectBuilder(), given + 1
    if given != chat.count:
        raise NoExport(f"{path} changed while it was read; start again with a file that stays")


def _parsed(path: Path, outline: Outline) -> Iterator[tuple[bytes, list[Event]]]:
    """Each chunk of the file with the parser's events of it, which the caller gives to `outline`
    before it asks for the next. Raises `NoExport`."""
    events = ijson.sendable_list()
    parser = ijson.basic_parse_coro(events)
    at, held, begun = 0, 0, 0
    with path.open("rb") as file:
        for chunk in chunks(file):
            try:
                parser.send(mended(chunk))
            except _FAULTS as fault:
                raise _broken(path, at, str(fault)) from fault
            at += len(chunk)
            yield chunk, events
            is_held = not events or (outline.is_in_message and outline.begun == begun)
            held, begun = held + len(chunk) if is_held else 0, outline.begun
            _check_size(path, at, depth=outline.depth, held=held)
            events.clear()
    try:
        parser.close()
    except ijson.JSONError as fault:
        raise NoExport(
            f"{path} ends in the middle, at {_place(path, at)}; copy or export it again"
        ) from fault


def _check_size(path: Path, at: int, *, depth: int, held: int) -> None:
    if depth > DEPTH_MAX:
        what = f"is nested over {DEPTH_MAX} deep"
    elif held > VALUE_BYTES_MAX:
        what = f"has a message or a text of over {VALUE_BYTES_MAX:,} bytes"
    else:
        return
    raise NoExport(f"{path} {what} before {_place(path, at)}; no export has, so it is not read")


def _broken(path: Path, start: int, fault: str) -> NoExport:
    """What to say when the chunk that begins at `start` is no JSON."""
    what = fault.removeprefix("b'").splitlines()[0].partition("\\n")[0]
    place = _place(path, _fault_at(path, start))
    return NoExport(f"{path} is no JSON at {place}: {what}; export it again")


def _fault_at(path: Path, start: int) -> int:
    """The offset of the byte at which the parser stops, in the chunk that begins at `start`."""
    parser = ijson.basic_parse_coro(_Sink())
    with path.open("rb") as file:
        for chunk in chunks(file):
            if file.tell() - len(chunk) == start:
                return start + _offset(parser, chunk)
            parser.send(mended(chunk))
    return start


def _offset(parser: Parser, chunk: bytes) -> int:
    """How many bytes of the chunk the parser takes when they come one by one."""
    for offset, unit in units(chunk):
        try:
            parser.send(unit)
        except _FAULTS:
            return offset
    return len(chunk)


class _Sink:
    """Takes events and keeps none."""

    def send(self, event: Event) -> None:
        """Forget it."""


def _place(path: Path, byte: int) -> str:
    """Byte and line for people: bytes are counted from 0 and lines from 1."""
    line, left = 1, byte
    with path.open("rb") as file:
        while left and (chunk := file.read(min(left, CHUNK_BYTES))):
            line += chunk.count(b"\n")
            left -= len(chunk)
    return f"byte {byte:,} (line {line:,})"
