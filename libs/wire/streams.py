"""Frames of the streams between a client and a gateway: `docs/protocol.md` is their contract.

A frame is a map with its `type`, as JSON text or as msgpack, field by field the same. What comes
most often has a form of its own in msgpack: entries are an array, which begins with the alias that
`watched` gave to the channel, and whose ids and times count from where the alias begins.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from libs.wire.codec import Struct, from_json, pack, to_json, unpack
from libs.wire.codes import Problem, Retry
from libs.wire.entries import MESSAGE, Entry

JSON_PROTOCOL = "rostrum.v1.json"
PACKED_PROTOCOL = "rostrum.v1.msgpack"

# 44xx: change something before you come again; 45xx: come again as you are, and resume.
CLOSE_MALFORMED = 4400
CLOSE_TOKEN = 4401
CLOSE_NO_HELLO = 4408
CLOSE_INTERNAL = 4500
CLOSE_DRAIN = 4503
CLOSE_SLOW = 4508


class _FromClient(Struct, frozen=True, tag_field="type", forbid_unknown_fields=True, tag=str.lower):
    """Unknown fields are refused on the way in."""


class Hello(_FromClient, frozen=True):
    """The first frame: who listens. One of both, unless the `Authorization` header says it; a
    ticket beside a token must be of the same session."""

    token: str | None = None
    ticket: str | None = None


class Watch(_FromClient, frozen=True):
    """Follow channels from these cursors; None: from now on."""

    cursors: dict[str, str | None]


class Unwatch(_FromClient, frozen=True):
    """Follow them no more. Nothing is answered."""

    channels: tuple[str, ...]


class Post(_FromClient, frozen=True):
    """A post, as the body of `POST /v1/channels/{channel}/messages`; `ref` comes back with the
    answer."""

    ref: int
    channel: str
    message: dict[str, Any]


class Auth(_FromClient, frozen=True):
    """A new access token of the same session."""

    token: str


class Ping(_FromClient, frozen=True):
    """Answered with `pong` and the same `ref`."""

    ref: int = 0


FromClient = Hello | Watch | Unwatch | Post | Auth | Ping


class _FromGateway(Struct, frozen=True, tag_field="type", omit_defaults=True, tag=str.lower):
    """Fields that say nothing are not sent."""


class Welcome(_FromGateway, frozen=True, kw_only=True):
    """You are in. `ticket` brings you in again, at any gateway, for `expires_in` seconds, which is
    also how long the token holds; at most `watches_max` channels are followed."""

    user: str
    session: str
    expires_in: int
    ticket: str
    watches_max: int


class Renewed(_FromGateway, frozen=True, kw_only=True):
    """The token of `auth` holds, with a ticket of its own."""

    expires_in: int
    ticket: str


class Watched(_FromGateway, frozen=True, kw_only=True):
    """The channel is followed from `cursor`; it ends at `head`. `alias` stands for it in msgpack
    until the next `watched` or `unwatched` of the channel: ids count from `base_id`, times from
    `base_ms` (UTC milliseconds)."""

    channel: str
    cursor: str
    head: int
    first: int
    alias: int | None = None
    base_id: int | None = None
    base_ms: int | None = None


class Unwatched(_FromGateway, frozen=True, kw_only=True):
    """The channel is followed no more; `code`, `detail` and `retry` as in a problem, seconds of
    `Retry-After`."""

    channel: str
    code: str
    detail: str
    retry: Retry
    retry_after_s: int | None = None


class Jump(_FromGateway, frozen=True, kw_only=True):
    """Too far behind: show the latest page; it goes on from `cursor`, the head."""

    channel: str
    cursor: str
    unread: int
    head: int
    first: int


class Reset(_FromGateway, frozen=True, kw_only=True):
    """The epoch changed: forget the cursor; it goes on from the one in here, the head."""

    channel: str
    cursor: str
    epoch: int
    head: int
    first: int


class Behind(_FromGateway, frozen=True, kw_only=True):
    """You read too slowly: the channel is followed no more. All up to `cursor` was sent: pull the
    rest by pages or polls, then watch again."""

    channel: str
    cursor: str
    head: int


class Posted(_FromGateway, frozen=True, kw_only=True):
    """What a post was answered: status and body as of the route, seconds of `Retry-After`."""

    ref: int
    status: int
    body: dict[str, Any]
    retry_after_s: int | None = None


class Pong(_FromGateway, frozen=True, kw_only=True):
    """The answer to `ping`."""

    ref: int


class Beat(_FromGateway, frozen=True, kw_only=True):
    """Nothing happened, and the gateway lives."""


class Drain(_FromGateway, frozen=True, kw_only=True):
    """This gateway goes away and closes the stream: come again, elsewhere, after so long."""

    reconnect_after_ms: int


class Error(_FromGateway, frozen=True, kw_only=True):
    """A post (`ref`) was not taken to who answers it, and the stream goes on; without `ref` it is
    closed right after. Seconds of `Retry-After`, as in `posted`."""

    code: str
    detail: str
    retry: Retry
    ref: int | None = None
    retry_after_s: int | None = None


FromGateway = (
    Welcome
    | Renewed
    | Watched
    | Unwatched
    | Jump
    | Reset
    | Behind
    | Posted
    | Pong
    | Beat
    | Drain
    | Error
)


def frame_of(raw: str | bytes) -> FromClient:
    """A client's frame: text is JSON, bytes are msgpack. Raises `Malformed`."""
    if isinstance(raw, str):
        return from_json(raw.encode("utf-8", "surrogatepass"), FromClient)  # type: ignore[arg-type]
    return unpack(raw, FromClient)  # type: ignore[arg-type]


def error_of(problem: Problem, ref: int | None = None) -> Error:
    """A problem as a frame."""
    return Error(
        code=problem.code.name,
        detail=problem.detail,
        retry=problem.retry,
        ref=ref,
        retry_after_s=problem.retry_after_s,
    )


def unwatched_of(channel: str, problem: Problem) -> Unwatched:
    """Why a channel is followed no more."""
    return Unwatched(
        channel=channel,
        code=problem.code.name,
        detail=problem.detail,
        retry=problem.retry,
        retry_after_s=problem.retry_after_s,
    )


class Origin(NamedTuple):
    """Where the ids and times of an alias begin. Times are UTC milliseconds."""

    alias: int
    ident: int
    at_ms: int


def packed_entry(entry: Entry, base: Origin) -> bytes:
    """An entry in msgpack, its id aside: `[from, client_id, at, text]` for a plain message, else
    `[type, at, {its other fields}]`."""
    at = ms_of(entry.at) - base.at_ms
    text = entry.text
    is_plain = entry.type == MESSAGE and not entry.mentions and entry.reply_to is None
    if is_plain and text is not None and entry.dup_of is None:
        return pack((entry.sender, entry.client_id, at, text))
    said = from_json(to_json(entry), dict[str, Any])
    rest = {name: said[name] for name in said if name not in ("id", "type", "at")}
    return pack((entry.type, at, rest))


def ms_of(at: str) -> int:
    """UTC milliseconds of an RFC 3339 time."""
    moment = datetime.fromisoformat(at)
    return round(moment.timestamp() * 1000)


def packed_entries(base: Origin, first: int, encoded: Sequence[bytes]) -> bytes:
    """The frame of entries `first`, `first + 1`, ...: `[alias, first - base, entry, ...]`."""
    head = pack([base.alias, first - base.ident])[1:]
    return b"".join((_array(2 + len(encoded)), head, *encoded))


_FIX_ARRAY_MAX = 15


def _array(size: int) -> bytes:
    """The head of a msgpack array of `size` (at most 65,535) elements."""
    if size <= _FIX_ARRAY_MAX:
        return bytes((0x90 | size,))
    return b"\xdc" + size.to_bytes(2, "big")
