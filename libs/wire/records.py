"""What the log holds: msgpack arrays, version first, type second.

A reader meets types and versions that it does not know (a newer writer): `decode` gives them as
their family's head, never an error, and they are passed on.
"""

from typing import Literal

from libs.wire.codec import Struct, pack, unpack

VERSION = 1

Kind = Literal["broadcast", "group", "direct"]
Visibility = Literal["public", "private"]
Role = Literal["owner", "admin", "member", "restricted"]
Posting = Literal["owner", "admins", "members", "everyone"]


class Record(Struct, array_like=True, frozen=True, kw_only=True):
    """The head of every record."""

    version: int = VERSION
    type: str


class EntryRecord(Record, frozen=True, kw_only=True):
    """Head of all that a channel's log may hold; the channel tells a foreign record."""

    channel: str
    author: str
    client_id: str


class Message(EntryRecord, frozen=True, kw_only=True):
    """A post. `reply_to` is an entry id of the same channel, `reply_author` who wrote that;
    `mentions` are the users whom the text names, each once."""

    type: str = "message"
    text: str
    reply_to: int | None = None
    reply_author: str | None = None
    mentions: tuple[str, ...] = ()


class Claim(Record, frozen=True, kw_only=True):
    """`channel` takes `partition` of `topic` for `epoch`; valid if both were free at that place.

    `peer` is the second member of a direct channel.
    """

    type: str = "claim"
    channel: str
    epoch: int
    topic: str
    partition: int
    base_offset: int
    base_id: int
    kind: Kind
    owner: str
    visibility: Visibility
    title: str
    peer: str | None = None


class NameClaim(Record, frozen=True, kw_only=True):
    """`owner` (a user or a channel) takes `handle`; the first claim in the log wins."""

    type: str = "name"
    handle: str
    owner: str
    owner_kind: Literal["user", "channel"]


class ChannelSettings(Record, frozen=True, kw_only=True):
    """What the owner chose for a channel; the last one counts. `slow_mode_s`: how long a member
    waits between two posts."""

    type: str = "channel-settings"
    channel: str
    title: str
    posting: Posting
    handle: str | None = None
    slow_mode_s: int = 0


class Membership(Record, frozen=True, kw_only=True):
    """Whether `user` is in `channel`; the last one of the pair counts. `at_ms`: UTC ms."""

    type: str = "membership"
    channel: str
    user: str
    joined: bool
    at_ms: int


class RoleGiven(Record, frozen=True, kw_only=True):
    """`by` gives `user` a role in `channel`."""

    type: str = "role"
    channel: str
    user: str
    by: str
    role: Role


class Ban(Record, frozen=True, kw_only=True):
    """`by` bans `user` from `channel` (or lifts it). A ban beats every role until it is lifted."""

    type: str = "ban"
    channel: str
    user: str
    by: str
    banned: bool


class AccessChanged(Record, frozen=True, kw_only=True):
    """What `user` (None: anybody) may do in `channel` is other than before."""

    type: str = "access-changed"
    channel: str
    user: str | None


class Signal(Record, frozen=True, kw_only=True):
    """Entry `id` of `channel` was appended; `record` holds its bytes when they are small."""

    type: str = "signal"
    channel: str
    epoch: int
    id: int
    at_ms: int
    record: bytes | None


class Account(Record, frozen=True, kw_only=True):
    """A person. It counts once `names` gives its handle to it. `at_ms`: UTC milliseconds."""

    type: str = "account"
    user: str
    handle: str
    display_name: str
    password_hash: str
    at_ms: int


class SessionState(Record, frozen=True, kw_only=True):
    """A signed-in device. Hashes are SHA-256 of refresh tokens: the present and the one before."""

    type: str = "session"
    session: str
    user: str
    device_name: str
    device_kind: str
    refresh_hash: bytes
    previous_hash: bytes
    created_ms: int
    rotated_ms: int
    ended: bool = False


class Revocation(Record, frozen=True, kw_only=True):
    """`session` ended; its access tokens are void although they have not expired."""

    type: str = "revocation"
    session: str
    user: str


class Heartbeat(Record, frozen=True, kw_only=True):
    """The owner of `partition` of `topic` lives, and all that was in there at `at_ms` (UTC ms, by
    its clock) is told: quiet and dead differ. Those of an earlier release name no source."""

    type: str = "heartbeat"
    topic: str = ""
    partition: int = -1
    at_ms: int = 0


KNOWN: dict[str, type[Record]] = {
    "message": Message,
    "claim": Claim,
    "name": NameClaim,
    "channel-settings": ChannelSettings,
    "membership": Membership,
    "role": RoleGiven,
    "ban": Ban,
    "access-changed": AccessChanged,
    "signal": Signal,
    "account": Account,
    "session": SessionState,
    "revocation": Revocation,
    "heartbeat": Heartbeat,
}


def encode(record: Record) -> bytes:
    """The bytes of a record."""
    return pack(record)


def decode(raw: bytes) -> Record:
    """The record in `raw`; of an unknown type or newer version just its head.

    Raises `Malformed` for bytes that are no record: skip it, count it, never stop on it.
    """
    head = unpack(raw, Record)
    if head.version > VERSION:
        return head
    return unpack(raw, KNOWN.get(head.type, Record))


def decode_entry(raw: bytes) -> EntryRecord:
    """A record of a channel's log; of an unknown type its head. Raises `Malformed`."""
    head = unpack(raw, EntryRecord)
    if head.type == "message" and head.version <= VERSION:
        return unpack(raw, Message)
    return head
