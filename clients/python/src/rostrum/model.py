"""What gateways answer, as values. Fields that are not known are skipped, so that a newer gateway
can be read; times are UTC."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

MESSAGE = "message"
VOID = "void"
# Of what is no entry, in the message.
SHOWN_CHARS_MAX = 80


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person. `name` is for people, `handle` is what `@` mentions."""

    id: str
    handle: str = ""
    name: str = msgspec.field(name="display_name", default="")


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel as you see it. `role` is yours, None when you are no member; `cursor` is where the
    channel is now: follow from there for what comes. `slow_mode_s`: seconds between two posts."""

    id: str
    kind: str
    title: str = ""
    visibility: str = ""
    posting: str = ""
    slow_mode_s: int = 0
    handle: str | None = None
    role: str | None = None
    epoch: int = 1
    head: int = 0
    cursor: str


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in a channel. `joined_at` is in lists only."""

    user: str
    role: str
    joined_at: datetime | None = None


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """You are in, as `role`: follow from `cursor` for what comes."""

    role: str
    cursor: str


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """Where a post stands. `is_repeat`: an earlier attempt had written it."""

    id: int
    cursor: str
    at: datetime
    is_repeat: bool = False


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message: `sender` is a user's id, `client_id` names the post, `mentions` are users' ids,
    `reply_to` is the id of the message that it answers."""

    id: int
    sender: str = msgspec.field(name="from")
    client_id: str = ""
    at: datetime
    text: str
    mentions: tuple[str, ...] = ()
    reply_to: int | None = None


class Void(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing is to be shown here, but the id counts. `dup_of`: the entry that it repeats."""

    id: int
    at: datetime
    sender: str = msgspec.field(name="from", default="")
    client_id: str = ""
    dup_of: int | None = None


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a type that came after this package: skip it, its id counts. `fields` is all that
    came, as in JSON."""

    id: int
    type: str
    fields: Mapping[str, Any]


Entry = Message | Void | Unknown
_KINDS: dict[str, type[Message | Void]] = {MESSAGE: Message, VOID: Void}


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Some entries of a channel, rising by id. `cursor` is after the last one, `head` is the
    channel's last id, `first` the lowest that is kept; `more` says that there is more in the
    direction that was asked for."""

    entries: tuple[Entry, ...]
    cursor: str
    head: int
    first: int
    more: bool


def entry_of(fields: Mapping[str, Any]) -> Entry:
    """An entry from its fields, named as in JSON. One that does not have what its type should have
    is `Unknown`. Raises `ValueError` when it has no id or no type, which no entry lacks."""
    ident, kind = fields.get("id"), fields.get("type")
    if type(ident) is not int or not isinstance(kind, str):
        raise ValueError(f"no entry, for want of id or type: {str(fields)[:SHOWN_CHARS_MAX]}")
    if kind in _KINDS:
        try:
            return msgspec.convert(fields, _KINDS[kind])
        except msgspec.ValidationError:
            pass
    return Unknown(id=ident, type=kind, fields=dict(fields))
