"""Bytes of everything that is stored or sent: the one door to msgspec.

Types are `Struct`s: frozen, and records are arrays (`array_like`), so that fields are known by
their place. New fields go to the end with a default; a reader skips what it does not know yet.
"""

from typing import Any, TypeVar

import msgspec
from msgspec import Struct as Struct
from msgspec.structs import replace as replace

T = TypeVar("T")

_msgpack = msgspec.msgpack.Encoder()
_json = msgspec.json.Encoder()
# What bytes from outside can make msgspec raise: text that is not UTF-8, and nesting without end,
# have errors of their own.
_FAULTS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
# Made once for each type: a union is looked through each time otherwise, which takes microseconds.
_decoders: dict[Any, msgspec.msgpack.Decoder[Any]] = {}
_json_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


class Malformed(ValueError):
    """Bytes that are not what they should be. Nothing was taken from them."""


def pack(value: object) -> bytes:
    """msgpack bytes of a value."""
    return _msgpack.encode(value)


def unpack(raw: bytes, kind: type[T]) -> T:
    """The value of type `kind` in msgpack bytes. Raises `Malformed`."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.msgpack.Decoder(kind)
    try:
        return decoder.decode(raw)  # type: ignore[no-any-return]
    except _FAULTS as fault:
        raise Malformed(str(fault)) from fault


def to_json(value: object) -> bytes:
    """Compact UTF-8 JSON of a value."""
    return _json.encode(value)


def foreign_json(value: object) -> bytes:
    """Compact UTF-8 JSON of a value that came from outside as msgpack. Raises `Malformed` when JSON
    cannot say it, as with keys that are no text."""
    try:
        return to_json(value)
    except (*_FAULTS, TypeError) as fault:
        raise Malformed(str(fault)) from fault


def from_json(raw: bytes, kind: type[T]) -> T:
    """The value of type `kind` in JSON bytes. Raises `Malformed`."""
    decoder = _json_decoders.get(kind)
    if decoder is None:
        decoder = _json_decoders[kind] = msgspec.json.Decoder(kind)
    try:
        return decoder.decode(raw)  # type: ignore[no-any-return]
    except _FAULTS as fault:
        raise Malformed(str(fault)) from fault
