"""A message of an export as far as it is taken; the rest of what it has is counted, not kept.

A field that does not have the shape that Telegram Desktop gives it is left away, but for id, type
and text: a message that is wrong there is `Unreadable`.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cli.importing.media import Media, media_of
from cli.importing.text import one_line, text_of

# Telegram's names have two parts of 64 characters.
NAME_MAX = 130
# Of an action: it is a word.
ACTION_MAX = 64
# Of what a service message has to say: a line.
SAID_MAX = 1_000
# Of a date that is no number, as older exports have it.
DATE_MAX = 40
# SQLite's and the API's integers; ids of Telegram have half of it.
ID_MAX = (1 << 63) - 1
DELETED = "Deleted account"

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """Somebody's message. Dates are text, empty when there is none; `author` may be a channel.

    `reply_to` is the id of a message; `is_reply_elsewhere` says that it is one of another chat.
    `lost` names what it has beyond all this, for the report.
    """

    ident: int
    author: str
    date: str
    text: str
    media: Media | None = None
    edited: str = ""
    forwarded_from: str = ""
    via_bot: str = ""
    reply_to: int | None = None
    is_reply_elsewhere: bool = False
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """Something that happened, such as `pin_message`; `said` is what else is told of it."""

    ident: int
    author: str
    date: str
    action: str
    said: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message without what it must have. `ident` is None when that is what is wrong."""

    ident: int | None
    why: str


def read(raw: object) -> Message | Service | Unreadable:
    """A message as it stands in the list of messages."""
    if not isinstance(raw, dict):
        return Unreadable(None, "it is no object")
    ident = _id(raw.get("id"))
    if ident is None:
        return Unreadable(None, "it has no id")
    kind = raw.get("type")
    if kind == "service":
        return _service(ident, raw)
    if kind == "unsupported":
        return Unreadable(ident, "Telegram Desktop did not export it")
    if kind != "message":
        return Unreadable(ident, "its type is not known")
    text = _text(raw)
    return (
        Unreadable(ident, "its text has no known shape")
        if text is None
        else _message(ident, text, raw)
    )


def _message(ident: int, text: str, raw: Raw) -> Message:
    media = media_of(raw)
    return Message(
        ident,
        author=_author(raw),
        date=_date(raw, "date"),
        text=text,
        media=media,
        edited=_date(raw, "edited"),
        forwarded_from=_name(raw, "forwarded_from"),
        via_bot=one_line(raw.get("via_bot"), most=NAME_MAX),
        reply_to=_id(raw.get("reply_to_message_id")),
        is_reply_elsewhere=raw.get("reply_to_peer_id") is not None,
        lost=_lost(raw, media),
    )


def _service(ident: int, raw: Raw) -> Service:
    return Service(
        ident,
        author=_name(raw, "actor") or _name(raw, "from"),
        date=_date(raw, "date"),
        action=one_line(raw.get("action"), most=ACTION_MAX) or "custom",
        said=_said(raw),
    )


def _lost(raw: Raw, media: Media | None) -> tuple[str, ...]:
    has = {
        "file": media is not None and media.is_file,
        "reactions": bool(raw.get("reactions")),
        "buttons": bool(raw.get("inline_bot_buttons")),
    }
    return tuple(what for what, is_there in has.items() if is_there)


def _text(raw: Raw) -> str | None:
    """`text`, or `text_entities` where that is missing or not understood."""
    text, entities = raw.get("text"), raw.get("text_entities")
    if text is None and entities is None:
        return ""
    found = text_of(text)
    return text_of(entities) if found is None else found


def _author(raw: Raw) -> str:
    """Who wrote it; with its signature, in a channel that has them."""
    signature = one_line(raw.get("author"), most=NAME_MAX)
    name = _name(raw, "from")
    return f"{name} ({signature})" if name and signature else name or signature or "Unknown"


def _name(raw: Raw, field: str) -> str:
    """A name; it is null where the account was deleted."""
    if field in raw and raw[field] is None:
        return DELETED
    return one_line(raw.get(field), most=NAME_MAX)


def _date(raw: Raw, field: str) -> str:
    """In UTC by its number of seconds, else as it stands: local time of who exported."""
    seconds = raw.get(f"{field}_unixtime")
    with suppress(ValueError, OverflowError, OSError):
        if isinstance(seconds, str | int):
            return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%d %H:%M:%S} UTC"
    return one_line(raw.get(field), most=DATE_MAX).replace("T", " ")


def _id(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= ID_MAX:
        return value
    return None


# What is told of a service message already, and what only Telegram can make use of.
_TOLD = frozenset({"id", "type", "date", "actor", "from", "action", "text_entities"})


def _said(raw: Raw) -> str:
    """The other fields of a service message: `title Evening walks, members Mira, Jonas`."""
    known = {key: _words(value) for key, value in raw.items() if key not in _TOLD}
    kept = {key: words for key, words in known.items() if words and not key.endswith(_TECHNICAL)}
    said = ", ".join(f"{key.replace('_', ' ')} {words}" for key, words in kept.items())
    return one_line(said, most=SAID_MAX)


_TECHNICAL = ("_id", "_unixtime", "_file_size", "width", "height", "photo")


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | str):
        return str(value)
    if isinstance(value, list):
        return ", ".join(DELETED if each is None else _words(each) for each in value)
    return ""
